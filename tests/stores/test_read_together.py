"""Parts of several samples at once: what `read` gives for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lazy_reader as readers
from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, SampleArrays

RNG = np.random.default_rng(0)


class Copying(readers.PlaneReader):
    """The same pictures, copied into the store."""

    open = None  # type: ignore[assignment]


def samples_of(folder: Path, reader: Any) -> SampleArrays:
    """Four regions of one picture, one of another, and a picture of another type."""
    for name, kind in (("a", ">i2"), ("b", ">i2"), ("c", "<f4")):
        np.save(folder / f"{name}.npy", RNG.integers(0, 999, (30, 40)).astype(kind))
    regions = [[0, 8, 0, 9, 0, 1], [5, 13, 20, 29, 0, 1], [22, 30, 31, 40, 0, 1], [1, 9, 0, 10, 0, 1]]
    regions += [[3, 11, 4, 13, 0, 1], [3, 11, 4, 13, 0, 1]]
    table = SampleTable.of(
        pl.DataFrame(
            {
                "sample": [f"s{row}" for row in range(6)],
                "path": [str(folder / f"{name}.npy") for name in "aaaabc"],
                "array": list("aaaabc"),
                "region": pl.Series(regions, dtype=pl.List(pl.Int64)),
                "gain": [3] * 6,
            }
        )
    )
    return ArrayStore.fill(folder / "store", table, reader).of(table)


def separately(samples: SampleArrays, rows: list[int], parts: Any = None) -> tuple[np.ndarray, np.ndarray]:
    read = [samples.read(row, () if parts is None else parts[place]) for place, row in enumerate(rows)]
    values = np.stack([one for one, _ in read])
    valid = [np.ones(one.shape, bool) if mask is None else np.broadcast_to(mask, one.shape) for one, mask in read]
    return values, np.stack(valid)


@pytest.mark.parametrize("make", [Copying, readers.PlaneReader, readers.TurnedReader])
@pytest.mark.parametrize("rows", [[2], [0, 2, 1, 0], [1, 4, 2, 0, 4, 1, 1, 2]])
def test_it_is_what_read_gives(tmp_path: Path, make: Any, rows: list[int]) -> None:
    samples = samples_of(tmp_path, make())
    drawn = [
        tuple(slice(at, at + side) for at, side in zip((row % 3, row % 2, 0), (4, 5, 1), strict=True)) for row in rows
    ]
    for parts in (None, drawn):
        ends = None if parts is None else np.array([[(one.start, one.stop) for one in part] for part in parts])
        made = samples.read_together(rows, None if ends is None else (ends[:, :, 0], ends[:, :, 1]))
        assert made is not None
        values, valid = separately(samples, rows, parts)
        assert made[0].dtype == values.dtype
        np.testing.assert_array_equal(made[0], values)
        np.testing.assert_array_equal(np.ones_like(valid) if made[1] is None else made[1], valid)


def test_samples_that_differ_are_not_read_together(tmp_path: Path) -> None:
    samples = samples_of(tmp_path, readers.PlaneReader())
    assert samples.read_together([0, 3]) is None, "another side"
    assert samples.read_together([0, 5]) is None, "another type"
    start, stop, behind = np.array([[5, 0, 0]]), np.array([[8, 4, 1]]), np.array([[9, 4, 1]])
    assert samples.read_together([0], (start, stop)) is not None
    assert samples.read_together([0], (start, behind)) is None, "it ends behind its sample, though not its array"
    assert samples.read_together([1], (start - 6, stop)) is None
    with pytest.raises(IndexError, match="of 6 rows"):
        samples.read_together([0, 6])


def test_a_file_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    samples = samples_of(tmp_path, readers.PlaneReader())
    (tmp_path / "b.npy").unlink()
    with pytest.raises(DataError, match=r"b\.npy"):
        samples.read_together([0, 4])
