"""``ssl-domains DOMAIN report``: one self-contained HTML file for a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering
from ssl_domains.cli.session import domain_of

__all__ = ["command"]


def command(ctx: typer.Context, run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")]) -> None:
    """Write report.html: loss and health curves, embedding map, probe tables."""
    from ssl_domains.engine.record.run import Run
    from ssl_domains.reports import write_report

    with answering() as answer:
        domain = domain_of(ctx)
        page = write_report(Run.open(run), reader=domain.reader(), sound=domain.sound, caption=domain.caption)
        answer.line(f"report: {page}")
