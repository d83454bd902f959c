"""The application ``ssl-domains``: global options, commands of the core, exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ssl_domains import __version__
from ssl_domains.cli.commands import config, demo, methods, plugins, runs, splits, tables
from ssl_domains.cli.failures import guarded
from ssl_domains.cli.groups import RootGroup
from ssl_domains.cli.launched import among_processes, launched

__all__ = ["app", "main"]

app = typer.Typer(
    cls=RootGroup,
    name="ssl-domains",
    help="Contrastive self-supervised learning whose pairs come from your metadata, checked before training.",
    epilog="A domain that isn't installed (fisheye, medical, seismic, lines, text, audio) prints how to install it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        print(f"ssl-domains {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    no_plugins: Annotated[bool, typer.Option("--no-plugins", is_eager=True, help="Load no installed plugin.")] = False,
    block: Annotated[
        list[str] | None, typer.Option(is_eager=True, metavar="NAME", help="Don't load this plugin; may be repeated.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(is_eager=True, metavar="NAME", help="Load only this plugin; may be repeated.")
    ] = None,
    plugin_file: Annotated[
        list[Path] | None,
        typer.Option(is_eager=True, metavar="FILE", help="A Python file that acts as a plugin; may be repeated."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    # The options are read from the context by `session` and `main`, before a plugin is imported.
    ...


app.add_typer(plugins.app, name="plugins")
app.add_typer(methods.app, name="methods")
app.add_typer(config.app, name="config")
app.command("demo")(demo.command)
app.add_typer(splits.app, name="splits")
app.add_typer(tables.app, name="tables")
app.add_typer(runs.app, name="runs")


def run(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; see `ssl_domains.cli.failures` for the codes."""
    words = list(sys.argv[1:] if args is None else args)

    def act() -> Any:
        return typer.main.get_command(app).main(words, prog_name="ssl-domains", standalone_mode=False)

    def debug() -> bool:
        return "--debug" in words

    return among_processes(act, words, debug) if launched() else guarded(act, debug, words)


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run())
