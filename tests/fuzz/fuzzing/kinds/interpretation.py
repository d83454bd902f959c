"""What interpreters draw on a seismic survey: horizon picks, polygons on a time slice, classes of a section."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fuzzing.kind import READ, REFUSED, Command, Kind, Plan
from fuzzing.kinds.seismic import write_segy
from fuzzing.mutations.picture import PNG
from fuzzing.mutations.raw import RAW
from fuzzing.mutations.text import TEXT
from fuzzing.mutations.tree import JSON

__all__ = ["KINDS"]

_SCAN = "seismic scan in -o out.parquet --along depth,inline --patch 4"
FOLDER = Command(f"{_SCAN} --labels labels", READ, "out.parquet")


def _survey(folder: Path) -> None:
    """Inlines 100 to 108, crosslines 300 to 320, times 0 to 36 ms; the folder for labels."""
    write_segy(folder / "in" / "survey.sgy", 1)
    (folder / "labels").mkdir()


def make_horizons(folder: Path, shared: Path) -> None:
    """Horizons as lines and times, as coordinates with a header, and with columns of a running number and words."""
    cells = [(inline, crossline) for inline in range(5) for crossline in range(6)]
    forms = {
        "lines": "{il} {xl} {time}",
        "map": "{x:.2f},{y:.2f},{time}",
        "named": '"Top" {il}.00 {xl}.00 {x:.2f} {y:.2f} {time} m',
    }
    for case, form in forms.items():
        _survey(folder / case)
        for name, add in (("deep", 9.5), ("top", 0.0)):
            rows = [
                form.format(il=100 + 2 * i, xl=300 + 4 * x, x=25 * i, y=25 * x, time=8 + add + i + x / 2)
                for i, x in cells
            ]
            head = "X,Y,TWT" if case == "map" else "# picks of 2 people"
            text = "\n".join([head, *rows, "EOD"]) + "\n"
            (folder / case / "labels" / f"{name}.txt").write_text(text, encoding="utf-8")


def make_polygons(folder: Path, shared: Path) -> None:
    """Polygons in lines and in map coordinates, with a hole; a time of the polygon and one of the file."""
    ring, hole = [(0, 0), (4, 0), (4, 5), (0, 5), (0, 0)], [(1, 1), (2, 1), (2, 3), (1, 3), (1, 1)]
    for case, scale, first in (("lines", (2, 4), (100, 300)), ("map", (25, 25), (0, 0))):
        _survey(folder / case)
        rings = [[[first[0] + scale[0] * i, first[1] + scale[1] * x] for i, x in one] for one in (ring, hole)]
        features = [
            {
                "type": "Feature",
                "properties": {"class": number, "time_ms": 4 * number},
                "geometry": {"type": kind, "coordinates": rings if kind == "Polygon" else [rings]},
            }
            for number, kind in ((1, "Polygon"), (2, "MultiPolygon"))
        ]
        document: dict[str, Any] = {"type": "FeatureCollection", "features": features, "time_ms": 8}
        (folder / case / "labels" / "slice.geojson").write_text(json.dumps(document), encoding="utf-8")


def make_sections(folder: Path, shared: Path) -> None:
    """An inline as a picture of grey values, another with a palette, a crossline as a table."""
    classes = np.random.default_rng(0).integers(0, 4, (6, 10)).astype(np.uint8)
    for case, mode in (("grey", "L"), ("palette", "P")):
        _survey(folder / case)
        picture = Image.frombytes(mode, (6, 10), np.ascontiguousarray(classes.T).tobytes())
        if mode == "P":
            picture.putpalette(bytes(range(256)) * 3)
        picture.save(folder / case / "labels" / "inline_104.png")
        np.savetxt(folder / case / "labels" / "crossline_308.csv", classes[:5], fmt="%d", delimiter=",")


KINDS = (
    Kind(
        "seismic_horizons",
        make_horizons,
        ("labels/top.txt",),
        (*RAW, *TEXT, *TEXT),
        (Plan((FOLDER,), 3), Plan((Command(f"{_SCAN} --horizon labels/top.txt", REFUSED, "out.parquet"),), 3)),
        ("in/survey.sgy",),
    ),
    Kind(
        "seismic_polygons",
        make_polygons,
        ("labels/slice.geojson",),
        (*RAW, *TEXT, *JSON * 6),
        (Plan((FOLDER,), 3), Plan((Command(f"{_SCAN} --labels labels/slice.geojson", REFUSED, "out.parquet"),), 1)),
        ("in/survey.sgy",),
    ),
    Kind(
        "seismic_sections",
        make_sections,
        ("labels/*",),
        (*PNG, *TEXT, *TEXT),
        (
            Plan((FOLDER,), 3),
            Plan((Command(f"{_SCAN} --labels labels/inline_104.png", REFUSED, "out.parquet"),), 1),
            Plan((Command(f"{_SCAN} --labels labels/crossline_308.csv", REFUSED, "out.parquet"),), 1),
        ),
        ("in/survey.sgy",),
    ),
)
