"""Columns that say which classes a sample shows, computed from the label volume section by section."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import Region
from ssl_domains_seismic.interpretation.class_names import ClassNames
from ssl_domains_seismic.labels import UNLABELLED, open_label_volume

__all__ = ["class_columns", "no_class_columns"]

_SECTION = {"inline": 0, "crossline": 1, "depth": 2}
_ROOM = 128 << 20  # bytes of sections that are held at a time


def class_columns(
    frame: pl.DataFrame, volume: Path, names: ClassNames, numbers: list[int], cover: float
) -> pl.DataFrame:
    """Add ``mask_path``, ``labelled``, the shares and the classes of each sample.

    Counted are the voxels of a sample's middle section, as in its mask. ``labelled`` is the share of its voxels that
    have a label; ``share_NAME`` the share of its labelled voxels that are of a class; ``class`` the class of most of
    them, of equal ones that of the lowest number; ``classes`` the list of those that cover at least ``cover`` of them,
    without the background: a sample of background alone has an empty list. A sample without a labelled voxel has nulls,
    and 0 for ``labelled``.

    Args:
        frame: Samples of one survey, with ``region`` and ``along``.
        volume: Its label volume.
        names: Names of the classes.
        numbers: Class numbers of the table, ascending.
        cover: Least share of a class in ``classes``.
    """
    counts, voxels = _counted(frame, volume, numbers)
    labelled = counts.sum(axis=1)
    known = labelled > 0
    shares = counts / np.maximum(labelled, 1)[:, None]
    listed = [column for column, number in enumerate(numbers) if number != 0 or not names.background]
    covered = (shares >= cover) & (counts > 0)
    texts = [names.name(number) for number in numbers]
    lists = [[texts[column] for column in listed if row[column]] for row in covered]
    made: dict[str, pl.Series] = {
        "mask_path": pl.Series([str(volume) if one else None for one in known], dtype=pl.String),
        "labelled": pl.Series(labelled / voxels, dtype=pl.Float64),
    }
    for column, text in enumerate(texts):
        made[f"share_{text}"] = pl.Series(shares[:, column], dtype=pl.Float64)
    made["class"] = pl.Series([texts[column] for column in shares.argmax(axis=1)], dtype=pl.String)
    made["classes"] = pl.Series(lists, dtype=pl.List(pl.String))
    columns = [series.alias(name) for name, series in made.items()]
    always = ("mask_path", "labelled")
    return frame.with_columns(one if one.name in always else _where(one, pl.Series(known)) for one in columns)


def no_class_columns(frame: pl.DataFrame, names: ClassNames, numbers: list[int]) -> pl.DataFrame:
    """The columns of `class_columns` for a survey without labels."""
    return frame.with_columns(
        pl.lit(None, pl.String).alias("mask_path"),
        pl.lit(0.0).alias("labelled"),
        *[pl.lit(None, pl.Float64).alias(f"share_{names.name(number)}") for number in numbers],
        pl.lit(None, pl.String).alias("class"),
        pl.lit(None, pl.List(pl.String)).alias("classes"),
    )


def _where(column: pl.Series, known: pl.Series) -> pl.Series:
    """A column with nulls where nothing is labelled."""
    return pl.select(pl.when(known).then(column).otherwise(None).alias(column.name)).to_series()


def _counted(frame: pl.DataFrame, path: Path, numbers: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Voxels of each class in the middle section of each sample, int64 ``[n, C]``, and all its voxels, ``[n]``."""
    ends = np.array(frame["region"].to_list(), dtype=np.int64)
    along = frame["along"].to_numpy()
    volume = open_label_volume(path)
    counts = np.zeros((len(frame), len(numbers)), dtype=np.int64)
    voxels = np.ones(len(frame), dtype=np.int64)
    for name, axis in _SECTION.items():
        rows = np.flatnonzero(along == name)
        if not rows.size:
            continue
        across = [other for other in range(3) if other != axis]
        middle = (ends[rows, 2 * axis] + ends[rows, 2 * axis + 1]) // 2
        boxes = ends[rows][:, [2 * across[0], 2 * across[0] + 1, 2 * across[1], 2 * across[1] + 1]]
        voxels[rows] = (boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])
        places = np.unique(middle)
        size = volume.shape[across[0]] * volume.shape[across[1]]
        step = max(1, _ROOM // size)
        for start in range(0, len(places), step):
            here = places[start : start + step]
            sections = _sections(volume, axis, here)
            for place, section in zip(here, sections, strict=True):
                chosen = middle == place
                counts[rows[chosen]] = _in_boxes(section, boxes[chosen], numbers)
    return counts, voxels


def _sections(volume: Region, axis: int, places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Some sections of a volume, uint8 ``[section, …]``; one inline after the other is read."""
    whole = [slice(0, side) for side in volume.shape]
    if axis == 0:
        made = [volume.read([slice(int(place), int(place) + 1), *whole[1:]])[0][0] for place in places]
        return np.asarray(np.stack(made), dtype=np.uint8)
    shape = [volume.shape[0], *(side for other, side in enumerate(volume.shape) if other not in (0, axis))]
    sections = np.empty((len(places), *shape), dtype=np.uint8)
    for place in range(volume.shape[0]):
        inline = volume.read([slice(place, place + 1), *whole[1:]])[0][0]
        sections[:, place] = inline[places] if axis == 1 else inline[:, places].T
    return sections


def _in_boxes(section: NDArray[np.uint8], boxes: NDArray[np.int64], numbers: list[int]) -> NDArray[np.int64]:
    """Voxels of each class in boxes of a section, int64 ``[box, class]``, by sums over all places above and left."""
    counts = np.zeros((len(boxes), len(numbers)), dtype=np.int64)
    present = np.bincount(section.ravel(), minlength=256)
    if present[UNLABELLED] == section.size:
        return counts
    sums = np.zeros((section.shape[0] + 1, section.shape[1] + 1), dtype=np.int64)
    top, bottom, left, right = boxes.T
    for column, number in enumerate(numbers):
        if present[number]:
            np.cumsum(np.cumsum(section == number, axis=0, dtype=np.int64), axis=1, out=sums[1:, 1:])
            counts[:, column] = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return counts
