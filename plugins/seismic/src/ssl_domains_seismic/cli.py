"""``ssl-domains seismic``: the commands of every domain, and ``header``, ``copy``, ``split``, ``slice``, …"""

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


@app.command("copy")
def copy(
    source: Annotated[Path, typer.Argument(help="Sample table, or a SEG-Y file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="For a file: the folder of its table.")
    ] = None,
    lines: Annotated[str | None, typer.Option(help="For a file: header bytes of inline and crossline.")] = None,
    samples_as: Annotated[str | None, typer.Option(help="For a file: ibm or ieee.")] = None,
    coordinates: Annotated[str | None, typer.Option(help="For a file: int, ibm or ieee.")] = None,
    vertical: Annotated[str | None, typer.Option(help="For a file: time or depth.")] = None,
) -> None:
    """Copy surveys with time slices first, beside their table, so that slices and cubes are read from few pages."""
    from ssl_domains.cli.progress import showing_progress
    from ssl_domains_seismic.copies.command import copy_surveys

    options = {"lines": lines, "samples_as": samples_as, "coordinates": coordinates, "vertical": vertical}
    with showing_progress() as progress:
        copy_surveys(source, out, options, typer.echo, progress)


@app.command("split")
def split(
    samples: Annotated[Path, typer.Argument(help="Sample table.", show_default=False)],
    blocks: Annotated[
        str, typer.Option(metavar="IxX", help="2x4: parts of the inlines x parts of the crosslines; 1x4: ranges.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write.")],
    hold: Annotated[
        str | None,
        typer.Option(metavar="BLOCKS", help="Blocks to test on, 2-1,1-4; without it, every block is a fold."),
    ] = None,
    gap: Annotated[
        str | None,
        typer.Option(help="Gap between edges of training and test samples: 40 (bins) or 800m; else they may touch."),
    ] = None,
    picture: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="Also draw the map, .svg.")] = None,
) -> None:
    """Split a survey by blocks of the map, with a gap that is dropped from training only."""
    from ssl_domains.cli.console import table
    from ssl_domains_seismic.splits.split_table import split_table

    report = split_table(samples, out, blocks, hold=hold, gap=gap, picture=picture)
    typer.echo(table(("column", "tests on", "train", "test", "dropped"), report.counts))
    for name, lines in report.maps:
        typer.echo(f"\n{name}, {report.counts[0][1]} held out (█ test, ▒ train, · dropped)")
        for line in lines:
            typer.echo(f"│{line}│")
    for note in report.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"written to {out}")


@app.command("slice")
def slice_(
    samples: Annotated[Path, typer.Argument(help="Sample table.", show_default=False)],
    at: Annotated[float, typer.Option(metavar="MS", help="Time of the slice in ms, or depth in metres.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Page to write, .html.")],
    predicted: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE", help="Classes that predict wrote; several times.")
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option(metavar="NAME=RUN", help="Run whose features are compared; several times.")
    ] = None,
    line: Annotated[list[str] | None, typer.Option(help="Interpreted line to draw, il:300; several times.")] = None,
    survey: Annotated[str | None, typer.Option(help="Name of the survey; the first one without it.")] = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "One time slice",
) -> None:
    """Draw one time slice on the map: amplitudes, labels, predictions, and similarity to the place one clicks."""
    from ssl_domains.cli.progress import showing_progress
    from ssl_domains_seismic.slices import SliceRequest, named_paths, write_slice_page

    files, runs = named_paths(predicted or (), "--predicted"), named_paths(run or (), "--run")
    with showing_progress() as progress:
        said = write_slice_page(SliceRequest(samples, at, files, runs, tuple(line or ()), survey, title), out, progress)
    for text in said:
        typer.echo(text)
    typer.echo(f"written to {out}")


@app.command("same-headers")
def same_headers_(
    source: Annotated[Path, typer.Argument(help="A SEG-Y file.", show_default=False)],
    written: Annotated[Path, typer.Argument(help="A file that predict wrote from it.", show_default=False)],
) -> None:
    """Check with segyio that a prediction has the headers of the survey."""
    from ssl_domains_seismic.predictions.same_headers import same_headers

    for text in same_headers(source, written):
        typer.echo(text)
