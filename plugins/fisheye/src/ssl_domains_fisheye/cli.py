"""``ssl-domains fisheye``: the commands of every domain, and its own, ``regions`` and ``lens-scenes``."""

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
        Path | None, typer.Option(help="Calibration; without one only radius, quantile and sector can be drawn.")
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
    from ssl_domains.samples import require_target
    from ssl_domains_fisheye.drawing import draw_regions

    require_target(out, inputs=[image, calibration, samples])
    notes: list[str] = []
    borders = draw_regions(
        image, out, calibration=calibration, by=by, n=n, sectors=sectors, samples=samples, note=notes.append
    )
    for line in [*borders, *(f"note: {note}" for note in notes)]:
        typer.echo(line)
    typer.echo(f"drawn in {out}")


@app.command("lens-scenes")
def lens_scenes(
    pictures: Annotated[Path, typer.Argument(help="Folder with train/CLASS/*.jpg and test/CLASS/*.jpg.")],
    calibration: Annotated[Path, typer.Argument(help="Calibration of one camera.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write under.")],
    seed: Annotated[int, typer.Option(help="Draws places, sizes and backdrops.")] = 0,
    per_scene: Annotated[int, typer.Option(min=1, help="Pictures in a scene.")] = 12,
    largest: Annotated[float, typer.Option(help="Largest angle off the axis, degrees.")] = 90.0,
    side: Annotated[
        tuple[float, float], typer.Option(help="Smallest and largest side of a card, px at the picture's centre.")
    ] = (24.0, 48.0),
    mismatch: Annotated[
        float | None, typer.Option(help="Also write calibrations whose k1 is wrong by this share: 0.1.")
    ] = None,
) -> None:
    """Look at flat pictures through a calibrated lens: real pictures, simulated optics."""
    from ssl_domains.samples import require_folder
    from ssl_domains_fisheye.scenes import write_lens_scenes

    require_folder(out)
    summary = write_lens_scenes(
        pictures,
        calibration,
        out,
        seed=seed,
        per_scene=per_scene,
        largest=largest,
        smallest_side=side[0],
        largest_side=side[1],
        mismatch=mismatch,
    )
    typer.echo(summary)
