"""The typer app with all commands of a domain."""

from __future__ import annotations

import typer

from ssl_domains.cli.commands import (
    demo_data,
    embed,
    export,
    finetune,
    pairs,
    predict,
    pretrain,
    probe,
    report,
    scan,
    study,
)
from ssl_domains.cli.groups import DomainGroup
from ssl_domains.extending import Domain

__all__ = ["domain_app"]


def domain_app(domain: str | Domain) -> typer.Typer:
    """Build the commands of a domain.

    They are ``demo-data scan pairs pretrain embed probe finetune predict study export report``.

    The ``cli.py`` of a plugin has ``app = domain_app("fisheye")`` and may add commands::

        @app.command("regions")
        def regions(image: Path) -> None: ...

    Args:
        domain: The domain, or its name; a name is looked up among the plugins when a command runs.
    """
    name = domain if isinstance(domain, str) else domain.name
    group = type("DomainGroup", (DomainGroup,), {"domain": domain, "__doc__": DomainGroup.__doc__})
    app = typer.Typer(
        cls=group,
        name=name,
        help=f"From {name} files to a probed encoder.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def about() -> None:
        # A callback keeps typer from collapsing an app with one command into that command.
        ...

    for title, command in (
        ("demo-data", demo_data.command),
        ("scan", scan.command),
        ("pairs", pairs.command),
        ("pretrain", pretrain.command),
        ("embed", embed.command),
        ("probe", probe.command),
        ("finetune", finetune.command),
        ("predict", predict.command),
        ("study", study.command),
        ("export", export.command),
        ("report", report.command),
    ):
        app.command(title)(command)
    return app
