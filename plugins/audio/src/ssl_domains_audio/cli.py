"""``ssl-domains audio``: the commands of every domain, ``branch`` and ``segments``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli import domain_app

__all__ = ["app"]

app = domain_app("audio")


@app.command("branch")
def branch(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run with the encoder wave+mel.", show_default=False)],
    network: Annotated[str, typer.Argument(help="wave or mel.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="Run folder to write.")],
) -> None:
    """Write one network of wave+mel as a run: embed, probe, finetune, predict and export take it."""
    from ssl_domains.cli.command_line import quoted
    from ssl_domains.engine import Run
    from ssl_domains_audio.encoders.branch import branch_run

    written = branch_run(Run.open(run), network, out)
    typer.echo(f"written to {written}")
    typer.echo(f"next: ssl-domains audio probe {quoted(str(written))} --label COLUMN")


@app.command("segments")
def segments(
    predictions: Annotated[Path, typer.Argument(help="CSV file that predict wrote.", show_default=False)],
    samples: Annotated[Path, typer.Argument(help="Table of the cuts that were predicted.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write.")],
    least: Annotated[float, typer.Option(help="Leave segments of a lower probability out.")] = 0.0,
) -> None:
    """Write predicted cuts of recordings as Audacity labels, Raven selection tables and one CSV."""
    from ssl_domains_audio.labels.predicted import write_segments

    typer.echo(f"{write_segments(predictions, samples, out, least):,} segments → {out}")
