"""``ssl-domains lines``: the commands of every domain, and one that makes lines of single characters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli import domain_app

__all__ = ["app"]

app = domain_app("lines")


@app.command("strips")
def strips(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="GLYPHS...", help="Folders or zip files with ALPHABET/CHARACTER/NUMBER_DRAWER.png, as Omniglot has."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write.")],
    train: Annotated[str, typer.Option(metavar="FIRST-LAST", help="Drawers of the training side.")] = "1-13",
    test: Annotated[
        str, typer.Option(metavar="FIRST-LAST", help="Drawers of the test side; all others are on no side.")
    ] = "17-20",
    each: Annotated[int, typer.Option(min=1, help="Strips of each drawer and alphabet.")] = 12,
    glyphs: Annotated[str, typer.Option(metavar="LEAST-MOST", help="Glyphs of a strip.")] = "3-7",
    seed: Annotated[int, typer.Option(min=0, help="Seed of glyphs, widths, distances and baselines.")] = 0,
) -> None:
    """Make text lines of pictures of single handwritten characters, each of one hand: a database to scan."""
    from ssl_domains.samples import require_folder
    from ssl_domains_text.lines.strips import StripSettings, write_strips
    from ssl_domains_text.lines.strips.numbers import span

    settings = StripSettings(span(train, "train"), span(test, "test"), each, span(glyphs, "glyphs"), seed)
    require_folder(out)
    for line in write_strips(sources, out, settings):
        typer.echo(line)
