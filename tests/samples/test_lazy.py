"""Several parts of one array at once: equal to slicing, for any strides and byte order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.samples import Region, boxes_of, read_boxes

SHAPE = (9, 7, 11)
WHOLE = np.random.default_rng(0).integers(-999, 999, SHAPE)


def starts_of(sides: Sequence[int], count: int, shape: Sequence[int] = SHAPE) -> np.ndarray:
    rng = np.random.default_rng(count)
    return np.stack([rng.integers(0, side - one + 1, count) for side, one in zip(shape, sides, strict=True)], axis=1)


def sliced(whole: np.ndarray, starts: np.ndarray, sides: Sequence[int]) -> np.ndarray:
    return np.stack([whole[tuple(slice(a, a + n) for a, n in zip(at, sides, strict=True))] for at in starts.tolist()])


@pytest.mark.parametrize("count", [1, 4, 5, 60])
@pytest.mark.parametrize("sides", [(1, 7, 11), (3, 2, 5), (9, 7, 11), (2, 0, 3)])
@pytest.mark.parametrize("kind", ["<i4", ">i4", ">f8", "i1"])
def test_parts_are_those_of_slices(count: int, sides: tuple[int, ...], kind: str) -> None:
    starts = starts_of(sides, count)
    stored = (WHOLE % 100).astype(kind)
    padded = np.zeros((20, 9, 30), kind)
    padded[1:19:2, 1:8, 3:25:2] = stored
    for whole in (stored, padded[1:19:2, 1:8, 3:25:2], np.asfortranarray(stored), stored[::-1, :, ::-1]):
        made = boxes_of(whole, starts, sides)
        assert made.dtype == np.dtype(kind)
        np.testing.assert_array_equal(made, sliced(whole, starts, sides))
        if made.size:
            assert not np.shares_memory(made, whole)


@pytest.mark.parametrize("count", [2, 9])
@pytest.mark.parametrize("start", [(-1, 0, 0), (0, 0, 7)])
def test_a_part_outside_is_refused(count: int, start: tuple[int, ...]) -> None:
    starts = np.zeros((count, 3), dtype=np.int64)
    starts[-1] = start
    with pytest.raises(IndexError, match="inside an array"):
        boxes_of(WHOLE, starts, (3, 3, 5))


@pytest.mark.parametrize("kind", ["<f4", ">i2"])
def test_a_region_of_a_file(tmp_path: Path, kind: str) -> None:
    np.save(tmp_path / "a.npy", WHOLE.astype(kind))
    region = Region.npy(tmp_path / "a.npy").transpose(2, 0, 1)[1:]
    starts = starts_of((4, 2, 3), 8, region.shape)
    made, valid = read_boxes(region, starts, (4, 2, 3))
    assert valid is None
    assert made.dtype.isnative
    np.testing.assert_array_equal(made, sliced(WHOLE.transpose(2, 0, 1)[1:], starts, (4, 2, 3)))


class Holed:
    """An array of a plugin without `read_boxes`; odd first places have a hole."""

    shape, dtype = SHAPE, WHOLE.dtype

    def read(self, slices: Sequence[slice]) -> Any:
        part = WHOLE[tuple(slices)]
        valid = np.ones((part.shape[0], 1, 1), dtype=np.bool_)
        valid[0] = slices[0].start % 2 == 0
        return part, None if valid.all() else valid


def test_an_array_without_it_is_read_part_by_part() -> None:
    starts = starts_of((3, 2, 4), 12)
    made, valid = read_boxes(Holed(), starts, (3, 2, 4))
    np.testing.assert_array_equal(made, sliced(WHOLE, starts, (3, 2, 4)))
    assert valid is not None
    expected = np.ones(made.shape, dtype=np.bool_)
    expected[starts[:, 0] % 2 == 1, 0] = False
    np.testing.assert_array_equal(np.broadcast_to(valid, made.shape), expected)
    assert read_boxes(Holed(), starts[starts[:, 0] % 2 == 0], (3, 2, 4))[1] is None
