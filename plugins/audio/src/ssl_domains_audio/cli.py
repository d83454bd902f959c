"""``ssl-domains audio``: the commands of every domain, and ``branch``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli import domain_app

__all__ = ["app"]

app = domain_app("audio")


@app.command("branch")
def branch(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run with the encoder wave+mel.", show_default=False)
    ],
    network: Annotated[str, typer.Argument(help="wave or mel.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="Run folder to write.")],
) -> None:
    """Write one network of wave+mel as a run: embed, probe, finetune, predict and export take it."""
    from ssl_domains.engine import Run
    from ssl_domains_audio.encoders.branch import branch_run

    written = branch_run(Run.open(run), network, out)
    typer.echo(f"written to {written}")
    typer.echo(f"next: ssl-domains audio probe {written} --label COLUMN")
