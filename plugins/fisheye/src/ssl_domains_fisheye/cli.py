"""``ssl-domains fisheye``: the commands of every domain, and ``regions``, which only this one has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli import domain_app

__all__ = ["app"]

app = domain_app("fisheye")


@app.command("regions")
def regions(
    image: Annotated[Path, typer.Argument(help="A picture of the camera.", show_default=False)],
    calibration: Annotated[
        Path | None, typer.Option(help="Calibration JSON; without one only radius, quantile and sector can be drawn.")
    ] = None,
    by: Annotated[str, typer.Option(help="radius, radius_px, theta, distortion, quantile or sector.")] = "radius",
    n: Annotated[int, typer.Option(min=1, max=50, help="How many rings.")] = 3,
    sectors: Annotated[int, typer.Option(min=1, max=50, help="How many directions, with --by sector.")] = 4,
    samples: Annotated[
        Path | None, typer.Option(help="Sample table whose objects place the borders; default: the whole picture.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("regions.png"),
) -> None:
    """Draw how a partition divides the lens, over a picture."""
    from ssl_domains_fisheye.drawing import draw_regions

    borders = draw_regions(image, out, calibration=calibration, by=by, n=n, sectors=sectors, samples=samples)
    for line in borders:
        typer.echo(line)
    typer.echo(f"drawn in {out}")
