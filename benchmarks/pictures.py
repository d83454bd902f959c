"""Pictures in folders of classes: given ones, or made-up ones where none are."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore

__all__ = ["PictureReader", "given_or_made_up", "made_up", "open_pictures", "store_of", "table_of"]

SUFFIXES = {".jpg", ".jpeg", ".png"}


class PictureReader:
    """Decodes a colour picture."""

    version = "1"

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """uint8 ``[H, W, 3]``."""
        with Image.open(row["path"]) as picture:
            return np.asarray(picture.convert("RGB"))

    def scan(self, source: Path, **options: Any) -> Any:
        """Not needed: `table_of` lists the pictures."""
        raise TypeError("the table is made by table_of")


def open_pictures(source: Path, scratch: Path) -> Path:
    """A folder as it is, an archive unpacked under ``scratch``."""
    if source.suffix != ".zip":
        return source
    with zipfile.ZipFile(source) as archive:
        archive.extractall(scratch)
    return scratch


def table_of(folder: Path, most: int | None = None) -> SampleTable:
    """The pictures of ``folder/CLASS/``, with their class; at most so many, spread over the classes."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise FileNotFoundError(f"no pictures in {folder.name!r}")
    if most is not None and most < len(paths):
        paths = [paths[k] for k in np.linspace(0, len(paths) - 1, most).astype(int)]
    rows = [(str(path.relative_to(folder)), str(path), path.parent.name) for path in paths]
    return SampleTable(pl.DataFrame(rows, schema=["sample", "path", "class"], orient="row"))


def store_of(table: SampleTable, folder: Path) -> ArrayStore:
    """Their arrays, decoded once."""
    return ArrayStore.fill(folder, table, PictureReader())


def made_up(folder: Path, pictures: int, height: int, width: int, classes: int = 4) -> Path:
    """JPEG files of coloured blobs with grain, about as large as photographs of that size."""
    rng = np.random.default_rng(0)
    for k in range(pictures):
        coarse = rng.random((6, 8, 3), dtype=np.float32)
        coarse += 0.3 * (k % classes) * np.array([1, -1, 0.5], np.float32)
        picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        grain = cv2.resize(rng.standard_normal((height // 2, width // 2, 3), dtype=np.float32), (width, height))
        path = folder / f"class{k % classes}" / f"{k:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((255 * (picture + 0.08 * grain).clip(0, 1)).astype(np.uint8)).save(path, quality=90)
    return folder


def given_or_made_up(pictures: Path | None, scratch: Path, count: int, side: int) -> Path:
    """A folder with ``train/CLASS/`` and ``test/CLASS/``: the given one, or one of so many made-up pictures."""
    if pictures is not None:
        return open_pictures(pictures, scratch / "unpacked")
    made_up(scratch / "made_up" / "train", count, side, side)
    made_up(scratch / "made_up" / "test", count // 4, side, side)
    return scratch / "made_up"
