"""``ssl-domains seismic``: the commands of every domain, and its own, ``header``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli import domain_app

__all__ = ["app"]

app = domain_app("seismic")


@app.command("header")
def header(
    file: Annotated[Path, typer.Argument(help="A SEG-Y file.", show_default=False)],
    lines: Annotated[
        str | None, typer.Option(help="Header bytes of inline and crossline, 189,193; chosen without it.")
    ] = None,
    samples_as: Annotated[str | None, typer.Option(help="ibm or ieee: read float samples so.")] = None,
    coordinates: Annotated[
        str | None, typer.Option(help="int, ibm or ieee: how the words of x and y are read.")
    ] = None,
    vertical: Annotated[str | None, typer.Option(help="time or depth: what the sample interval measures.")] = None,
) -> None:
    """Show what a SEG-Y file's headers say, which bytes are taken for line numbers, and why; nothing is written."""
    from ssl_domains_seismic.report.header import header_report

    typer.echo(header_report(file, lines, samples_as, coordinates, vertical))
