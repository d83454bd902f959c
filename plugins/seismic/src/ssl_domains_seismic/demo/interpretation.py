"""What interpreters would have drawn: labels in five forms, all of them parts of the exact facies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssl_domains_seismic.demo.facies import CHANNEL, CHAOTIC, FACIES
from ssl_domains_seismic.demo.outlines import Ring, outlines
from ssl_domains_seismic.demo.survey import AFFINE, CROSSLINES, INLINES, MS, Survey

__all__ = [
    "SECTION_INLINE",
    "SLICE_MS",
    "UNDEFINED",
    "UNLABELLED",
    "write_horizon",
    "write_polygons",
    "write_section",
]

SECTION_INLINE = int(INLINES[50])
"""The one inline that was interpreted as a picture."""
SLICE_MS = int(MS[105])
"""Time of the slice on which bodies were outlined."""
UNLABELLED = 255
UNDEFINED = 1e30
"""Time of a pick that the exporter had none for."""

_COLOURS = ((74, 111, 165), (226, 205, 109), (88, 140, 87), (200, 85, 61), (125, 83, 150))
"""Red, green and blue of each facies."""

_LOST = 0.03  # share of the picks that are undefined though there is a trace


def write_section(path: Path, survey: Survey) -> None:
    """One inline as a picture: columns are crosslines, rows are samples, pixels are class numbers with a palette."""
    at = int(np.searchsorted(INLINES, SECTION_INLINE))
    classes = np.where(survey.live[at][:, None], survey.facies[at], UNLABELLED).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(classes.T), mode="P")
    palette = np.full((256, 3), 255, dtype=np.uint8)
    palette[: len(_COLOURS)] = _COLOURS
    picture.putpalette(palette.tobytes())
    picture.save(path, "PNG")


def write_horizon(path: Path, survey: Survey, rng: np.random.Generator) -> None:
    """The top of a unit as text: a header, lines of inline, crossline, x, y and time, undefined picks, a last line.

    Args:
        path: Where to.
        survey: The survey.
        rng: Chooses the picks that are undefined.
    """
    known = survey.live & np.isfinite(survey.horizon) & (rng.random(survey.live.shape) >= _LOST)
    times = np.where(known, survey.horizon, UNDEFINED)
    lines = ["# Simulated horizon: top of unit 5", "@File_Version: 4", "#End_of_Horizon_ASCII_Header_"]
    for column in range(CROSSLINES.size):  # crossline by crossline: not the order of the traces
        for row in range(INLINES.size):
            x, y = AFFINE @ [INLINES[row], CROSSLINES[column], 1]
            time = f"{times[row, column]:12.3f}" if known[row, column] else f"{UNDEFINED:12.5e}"
            lines.append(f"{INLINES[row]:8.1f} {CROSSLINES[column]:8.1f} {x:12.2f} {y:12.2f} {time}")
    path.write_text("\n".join([*lines, "EOD"]) + "\n", encoding="ascii", newline="\n")


def write_polygons(path: Path, survey: Survey) -> None:
    """Channels and chaotic bodies on a time slice as GeoJSON polygons in map coordinates."""
    at = int(np.searchsorted(MS, SLICE_MS))
    features = [
        _feature(number, polygon)
        for number in (CHANNEL, CHAOTIC)
        for polygon in outlines(survey.facies[:, :, at] == number)
    ]
    listed = ",\n".join(json.dumps(feature) for feature in features)
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{listed}\n]}}\n', encoding="utf-8", newline="\n")


def _feature(number: int, polygon: list[Ring]) -> dict[str, Any]:
    rings = [_on_map(ring, outer=place == 0) for place, ring in enumerate(polygon)]
    return {
        "type": "Feature",
        "properties": {"facies": FACIES[number], "class": number, "time_ms": SLICE_MS},
        "geometry": {"type": "Polygon", "coordinates": [ring.tolist() for ring in rings]},
    }


def _on_map(ring: Ring, outer: bool) -> NDArray[np.float64]:
    """Corners of cells as x and y in metres; outer rings counter-clockwise, those of holes clockwise (RFC 7946)."""
    row, column = np.array(ring, dtype=np.float64).T
    inline = INLINES[0] + (INLINES[1] - INLINES[0]) * (row - 0.5)
    crossline = CROSSLINES[0] + (CROSSLINES[1] - CROSSLINES[0]) * (column - 0.5)
    points: NDArray[np.float64] = np.round((AFFINE @ np.stack([inline, crossline, np.ones_like(inline)])).T, 2)
    x, y = (points - points[0]).T
    counter_clockwise = float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) > 0
    return points if counter_clockwise == outer else points[::-1]
