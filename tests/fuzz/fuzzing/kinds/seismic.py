"""SEG-Y files of some formats, each damaged one beside good ones, volumes in .npy files, and label files."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fuzzing.kind import READ, REFUSED, Command, Kind, Plan
from fuzzing.kinds.shared import SMALL
from fuzzing.mutations.raw import RAW
from fuzzing.mutations.segy import SEGY
from fuzzing.mutations.text import TEXT

__all__ = ["KINDS"]

SCAN = Command("seismic scan in -o out.parquet --along depth,inline --patch 4", READ, "out.parquet")
LINES = Command("seismic scan in -o out.parquet --lines 189,193 --coordinates ieee", READ, "out.parquet")
LABELS = Command("seismic scan in -o out.parquet --patch 4 --labels labels", REFUSED, "out.parquet")
HORIZON = Command(
    "seismic scan in -o out.parquet --horizon labels/top.txt --labels labels/top.txt", READ, "out.parquet"
)
HEADER = Command("seismic header in/target.sgy")
_SETTINGS = SMALL.replace("--set views.size=16 ", "")  # the size of a patch is that of the views
TRAIN = Command(f"seismic pretrain out.parquet --out run --dry-run {_SETTINGS}", READ)
_CODES = {"u4": 1, "i2": 3, "f4": 5, "i1": 8}


def _segy(path: Path, number: int, dtype: str = ">f4", second: bool = False) -> None:
    """Write 5 inlines × 6 crosslines × 10 samples, at 189 and 193, with coordinates."""
    order, samples = dtype[0], 10
    head = bytearray(400)
    for byte, kind, value in ((3217, "H", 4000), (3221, "H", samples), (3225, "h", _CODES[dtype[1:]])):
        struct.pack_into(order + kind, head, byte - 3201, value)
    if second:
        head[300] = 2
        for byte, kind, value in ((3269, "i", samples), (3513, "Q", 30), (3521, "Q", 3600)):
            struct.pack_into(order + kind, head, byte - 3201, value)
    values = np.random.default_rng(number).integers(-100, 100, (5, 6, samples))
    if dtype.endswith("u4"):
        values = 0x42100000 + 4096 * np.abs(values)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(f"C 1 SURVEY {number}".ljust(3200).encode("cp037") + head)
        for inline in range(5):
            for crossline in range(6):
                trace = bytearray(240)
                words = {181: 25 * inline, 185: 25 * crossline, 189: 100 + 2 * inline, 193: 300 + 4 * crossline}
                for byte, value in words.items():
                    struct.pack_into(order + "i", trace, byte - 1, value)
                file.write(trace + values[inline, crossline].astype(dtype).tobytes())


FILES: dict[str, dict[str, Any]] = {
    "bytes": {"dtype": ">i1"},
    "floats": {},
    "ibm": {"dtype": ">u4"},
    "little": {"dtype": "<i2"},
    "second": {"second": True},
}


def make_segy(folder: Path, shared: Path) -> None:
    """A file of each format beside two others."""
    for case, options in FILES.items():
        for number in range(2):
            _segy(folder / case / "in" / f"good{number}.sgy", 10 + number)
        _segy(folder / case / "in" / "target.sgy", 1, **options)


def make_volumes(folder: Path, shared: Path) -> None:
    """A .npy volume beside two others."""
    (folder / "npy" / "in").mkdir(parents=True)
    for number, name in enumerate(("good0", "good1", "target")):
        values = np.random.default_rng(number).normal(size=(5, 6, 10)).astype(np.float32)
        np.save(folder / "npy" / "in" / f"{name}.npy", values)


def make_labels(folder: Path, shared: Path) -> None:
    """Label files of every kind for one survey; and a horizon alone."""
    for case in ("files", "horizon"):
        _segy(folder / case / "in" / "good0.sgy", 10)
        (folder / case / "labels").mkdir()
    labels = folder / "files" / "labels"
    classes = np.random.default_rng(0).integers(0, 4, (5, 6, 10)).astype(np.uint8)
    np.save(labels / "volume.npy", classes)
    np.savetxt(labels / "il_102.csv", classes[1], fmt="%d", delimiter=",")
    Image.fromarray(np.ascontiguousarray(classes[:, 1].T)).save(labels / "xl_304.png")
    ring = [[-5, -5], [60, -5], [60, 60], [-5, 60], [-5, -5]]
    polygon = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {"class": 2, "time_ms": 8}, "geometry": polygon}
    (labels / "bodies.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    _segy(labels / "facies.sgy", 3, ">i1")
    rows = [f"{100 + 2 * i}.0 {300 + 4 * x}.0 {10 + i}" for i in range(5) for x in range(6)]
    (folder / "horizon" / "labels" / "top.txt").write_text("\n".join(["# il xl time", *rows, "EOD", ""]))


KINDS = (
    Kind(
        "segy",
        make_segy,
        ("in/target.sgy",),
        SEGY,
        (Plan((SCAN,), 3), Plan((LINES,), 1), Plan((HEADER,), 3), Plan((SCAN, TRAIN), 1)),
        ("in/good*.sgy",),
    ),
    Kind(
        "seismic_npy",
        make_volumes,
        ("in/target.npy",),
        RAW,
        (Plan((SCAN,), 3), Plan((SCAN, TRAIN), 1)),
        ("in/good*.npy",),
    ),
    Kind(
        "seismic_labels",
        make_labels,
        ("labels/*",),
        (*RAW, *TEXT),
        (Plan((LABELS,), 1, "files"), Plan((HORIZON,), 1, "horizon")),
        ("in/good*.sgy",),
    ),
)
