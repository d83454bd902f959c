"""``ssl-domains methods list``: the methods of the core and of plugins."""

from __future__ import annotations

from typing import Annotated

import typer

from ssl_domains.cli.commands.plugins import LIMIT, SECONDS, above_zero
from ssl_domains.cli.console import answering, table
from ssl_domains.cli.session import registry_of

__all__ = ["app"]

app = typer.Typer(help="Contrastive methods.", no_args_is_help=True)


@app.callback()
def about() -> None:
    # Without a callback, typer would drop the name `list` of the only command.
    ...


@app.command("list")
def list_methods(
    ctx: typer.Context,
    limit: Annotated[float, typer.Option(metavar="SECONDS", callback=above_zero, help=LIMIT)] = SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """List methods, where they come from and their papers."""
    registry = registry_of(ctx)
    registry.limit = limit
    with answering(as_json) as answer:
        offered = registry.methods()
        answer.json(
            [
                {"name": m.name, "from": origin, "summary": m.summary, "inputs": m.inputs, "paper": m.paper}
                for origin, m in offered
            ]
        )
        rows = [(m.name, origin, m.summary, m.inputs, _years(m.paper)) for origin, m in offered]
        answer.line(table(("name", "from", "what", "inputs", "papers"), rows, width=answer.width()))
        answer.line("Titles of the papers: --json. Options of a method: ssl-domains config schema --method NAME")


def _years(papers: str) -> str:
    """Authors and years without titles: ``He 2020, Momentum Contrast; Chen 2020, …`` becomes ``He 2020; Chen 2020``."""
    return "; ".join(paper.partition(",")[0].strip() for paper in papers.split(";"))
