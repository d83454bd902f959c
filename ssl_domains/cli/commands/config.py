"""``ssl-domains config show | schema``: the configuration of a run, with every default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering
from ssl_domains.cli.session import registry_of

__all__ = ["app"]

app = typer.Typer(help="The configuration of a run.", no_args_is_help=True)


@app.command("show")
def show(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Option("--config", help="TOML file to start from.")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Set one value; repeatable.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Print the whole configuration as TOML, checked."""
    from ssl_domains.engine.record.config_file import load_config, with_method_options

    with answering(as_json) as answer:
        config = load_config(file, sets or ())
        config = with_method_options(config, registry_of(ctx).method(config.method.name).load_options())
        answer.json(config.model_dump())
        answer.line(config.to_toml().rstrip())


@app.command("schema")
def schema(
    ctx: typer.Context,
    method: Annotated[
        str, typer.Option("--method", help="Method whose options are in the section [method].")
    ] = "simclr",
    domain: Annotated[
        str | None, typer.Option("--domain", help="Domain whose settings are in the section [input].")
    ] = None,
) -> None:
    """Print the JSON schema of the configuration, with a description of each key."""
    from ssl_domains.engine.record.config import schema_of

    with answering(as_json=True) as answer:
        registry = registry_of(ctx)
        declared = None if domain is None else registry.domain(domain).input_settings
        inputs = None if declared is None else declared()
        answer.json(schema_of(registry.method(method).load_options(), inputs))
