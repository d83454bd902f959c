"""``ssl-domains DOMAIN demo-data``: a small data set in the domain's real formats."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering
from ssl_domains.cli.session import domain_of
from ssl_domains.errors import UsageError

__all__ = ["command"]


def command(
    ctx: typer.Context,
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
    seed: Annotated[int, typer.Option(help="Seed of the data.")] = 0,
) -> None:
    """Write a small data set in the domain's real file formats, with labels and planted faults; no network."""
    domain = domain_of(ctx)
    if domain.demo_data is None:
        raise UsageError(f"{domain.name} has no demo data", "scan files of your own")
    from ssl_domains.samples import require_folder, write_errors

    require_folder(out)
    new = not out.exists()
    with answering() as answer:
        try:
            with write_errors(f"the demo data {str(out)!r}"):
                answer.line(domain.demo_data(out, seed))
        except BaseException:
            if new:  # half a data set would be scanned like a whole one
                shutil.rmtree(out, ignore_errors=True)
            raise
