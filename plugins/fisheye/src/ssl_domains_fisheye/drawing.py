"""A partition of the lens drawn over a picture, with the borders in its legend."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs import Bins, emptied_bins, same
from ssl_domains.samples import ReadError, SampleTable, read_table, write_errors, write_whole
from ssl_domains_fisheye.images import decode, read_header
from ssl_domains_fisheye.lens import Camera, read_calibration
from ssl_domains_fisheye.pairs import region, region_keys

__all__ = ["draw_regions"]

_SHOWN = {
    "radius": ("radius {:.0f} to {:.0f} px"),
    "radius_norm": ("radius {:.2f} to {:.2f}"),
    "theta": ("θ {:.0f}° to {:.0f}°"),
    "phi": ("φ {:.0f}° to {:.0f}°"),
    "distortion": ("squeeze {:.2f} to {:.2f}"),
}


@dataclass(frozen=True)
class _Partition:
    """The keys of a region rule with their edges, fitted as training would on the given table."""

    keys: tuple[Bins, ...]
    fitted: dict[str, list[float]]

    @classmethod
    def of(cls, keys: tuple[Bins, ...], table: SampleTable) -> _Partition:
        return cls(keys, same(*keys).fit(table))

    def edges(self, key: Bins) -> list[float]:
        if key.range is not None:
            return [float(edge) for edge in np.linspace(*key.range, key.n + 1)]
        return self.fitted[str(key)]

    @property
    def names(self) -> list[str]:
        """A name for each region, in the order of the codes."""
        parts = []
        for key in self.keys:
            edges = self.edges(key)
            pairs = list(itertools.pairwise(edges)) or [(edges[0], edges[0])]
            parts.append([_SHOWN[key.column].format(*pair) for pair in pairs])
        return [", ".join(names) for names in itertools.product(*parts)]

    def codes(self, table: SampleTable) -> NDArray[np.int64]:
        """The region of each row, −1 where it is unknown."""
        codes = np.zeros(len(table), dtype=np.int64)
        unknown = np.zeros(len(table), dtype=bool)
        for key in self.keys:
            found = same(key).bind(table, self.fitted).relations[0].codes
            assert found is not None
            codes = codes * max(len(self.edges(key)) - 1, 1) + found
            unknown |= found < 0
        return np.where(unknown, -1, codes)


def draw_regions(
    image: Path,
    out: Path,
    *,
    calibration: Path | None = None,
    by: str = "radius",
    n: int = 3,
    sectors: int = 4,
    samples: Path | None = None,
    note: Callable[[str], None] | None = None,
) -> list[str]:
    """Write a picture of the regions that ``region(by, n, sectors)`` makes.

    The same rule is bound as for training: on the objects of a table's training rows, or, without a table, on the
    picture's own pixels.

    Args:
        image: Picture under the regions.
        out: PNG, PDF or SVG to write.
        calibration: Of the lens, for this picture's size or another one of its shape.
        by: As in `ssl_domains_fisheye.pairs.region`.
        n: Likewise.
        sectors: Likewise.
        samples: Table whose objects the borders are fitted on.
        note: Called with a sentence for each partition whose rings few far values leave nearly empty.

    Returns:
        A line for each region: its borders, and its share of the picture or of the objects.

    Raises:
        UsageError: For an unknown partition, one that needs a calibration when there is none, or a calibration of
            another camera.
        DataError: When the picture can't be decoded.
    """
    keys = region_keys(by, n, sectors)
    if not image.is_file():
        raise UsageError(f"there is no picture {image.name}", "give a picture of the camera")
    if out.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise UsageError(f"can't draw into {out.name}", "name it .png, .pdf or .svg")
    try:
        pixels = decode(image, read_header(image).orientation)
    except ReadError as error:
        raise DataError(f"{image.name} {error}", "give a picture of the camera") from error
    height, width = pixels.shape[:2]
    camera = _camera(calibration, image.name, width, height)
    places = _places(camera, width, height)
    for key in keys:
        if key.column not in places:
            raise UsageError(f"regions by {by} need a calibrated lens", "give --calibration FILE")
    every = SampleTable.of({name: values.ravel() for name, values in places.items()})
    objects = None
    if samples is not None:
        table = read_table(samples)
        objects = table.take(table.rows_of("train"))
    fitted_on = every if objects is None else objects
    for key in keys:
        if not np.isfinite(fitted_on.numbers(key.column)).any():
            what = "the picture" if objects is None else "the objects"
            raise DataError(f"{key.column} is unknown for all of {what}", "is the calibration that of this camera?")
    partition = _Partition.of(keys, fitted_on)
    names = partition.names
    codes = partition.codes(every).reshape(height, width)
    counted = codes.ravel() if objects is None else partition.codes(objects)
    counts = np.bincount(counted[counted >= 0], minlength=len(names))
    of = "of the picture" if objects is None else f"of {counts.sum():,} objects"
    lines = [f"{name}: {count / max(counts.sum(), 1):.0%} {of}" for name, count in zip(names, counts, strict=True)]
    centre = (camera.cx, camera.cy) if camera is not None else ((width - 1) / 2, (height - 1) / 2)
    _draw(pixels, codes, lines, region(by, n, sectors), centre, out)
    if note is not None:
        for sentence in emptied_bins(keys, fitted_on, partition.fitted):
            note(sentence)
    return lines


def _camera(calibration: Path | None, name: str, width: int, height: int) -> Camera | None:
    if calibration is None:
        return None
    camera = read_calibration(calibration)
    if not camera.is_resized_to(width, height):
        raise UsageError(
            f"{name} has {width}×{height} px, which is no resize of the calibration's {camera.width}×{camera.height}",
            "give the calibration of this camera; a cropped picture needs one of its own",
        )
    return camera if (width, height) == (camera.width, camera.height) else camera.scaled(width, height)


def _places(camera: Camera | None, width: int, height: int) -> dict[str, NDArray[np.float64]]:
    """What `regions.place` says of a box, for each pixel; ``[H, W]`` each."""
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)
    if camera is None:
        x, y = pixels[..., 0] - (width - 1) / 2, pixels[..., 1] - (height - 1) / 2
        radius = np.hypot(x, y)
        whole = {"radius": radius, "radius_norm": radius / np.hypot(width / 2, height / 2)}
        return {**whole, "phi": np.degrees(np.arctan2(y, x))}
    radius, phi = camera.polar(pixels)
    theta, _ = camera.unproject(pixels)
    if camera.lens.circle is not None:  # outside the image circle there is no picture
        radius, phi = (np.where(np.isnan(theta), np.nan, place) for place in (radius, phi))
    return {
        "radius": radius,
        "radius_norm": radius / camera.farthest(),
        "phi": np.degrees(phi),
        "theta": np.degrees(theta),
        "distortion": camera.lens.distortion(theta),
    }


def _draw(
    pixels: NDArray[Any], codes: NDArray[np.int64], lines: list[str], rule: str, centre: tuple[float, float], out: Path
) -> None:
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    shown = pixels.astype(np.float64) / (np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else pixels.max())
    height, width = codes.shape
    order = np.linspace(0, 1, max(len(lines), 2))
    palette = colormaps["turbo"](0.08 + 0.84 * order)[: len(lines)]
    overlay = np.zeros((height, width, 4))
    overlay[codes >= 0] = palette[codes[codes >= 0]]
    overlay[..., 3] = np.where(codes >= 0, 0.35, 0.0)
    border = np.zeros((height, width), dtype=bool)
    border[:, 1:] |= codes[:, 1:] != codes[:, :-1]
    border[1:] |= codes[1:] != codes[:-1]
    overlay[border] = (1, 1, 1, 0.9)
    figure = Figure(figsize=(7.5 * max(width / height, 0.5) + 3.6, 7.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(shown if shown.shape[2] == 3 else shown[:, :, 0], cmap="gray", vmin=0, vmax=1)
    axes.imshow(overlay, interpolation="nearest")
    axes.plot(*centre, "+", color="white", markersize=14, markeredgewidth=2)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), title=rule, xlabel="px", ylabel="px")
    patches = [Patch(facecolor=colour, label=line) for colour, line in zip(palette, lines, strict=True)]
    figure.legend(handles=patches, loc="outside right upper", title="+ optical centre", fontsize=9, frameon=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    with write_errors(f"the picture {str(out)!r}"):
        write_whole(out, lambda part: figure.savefig(part, bbox_inches="tight"))
