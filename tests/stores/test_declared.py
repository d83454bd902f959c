"""Arrays of every declared rank are stored as they are, and rows that don't go with the others are problems."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.stores.declared import DeclaredArrays, usual_channels

SIDES = {"t": (7,), "tc": (7, 2), "hwc": (7, 6, 3), "zyx": (5, 6, 7), "zyxc": (5, 6, 7, 2)}


class Made:
    """Gives the arrays it was made with, by the row's number."""

    version = "1"

    def __init__(self, arrays: list[Any], **declared: Any) -> None:
        self.arrays = arrays
        for name, value in declared.items():
            setattr(self, name, value)

    def scan(self, source: Path, **options: Any) -> Any:
        raise AssertionError("the store never scans")

    def load(self, row: Any) -> Any:
        return self.arrays[row["number"]]


def numbered(n: int, first: int = 0) -> SampleTable:
    numbers = list(range(first, first + n))
    return SampleTable.of(pl.DataFrame({"sample": [f"s{k}" for k in numbers], "number": numbers}))


@pytest.mark.parametrize("axes", SIDES)
@pytest.mark.parametrize("given", SIDES)
def test_a_reader_stores_the_rank_it_declares_and_no_other(tmp_path: Path, axes: str, given: str) -> None:
    rng = np.random.default_rng(0)
    sides = SIDES[given]
    arrays = [rng.normal(size=(sides[0] + k, *sides[1:])).astype(np.float32) for k in range(3)]
    table = numbered(3)
    store = ArrayStore.fill(tmp_path / "store", table, Made(arrays, axes=axes))
    if len(axes) != len(sides):
        assert (store.positions(table) == -1).all()
        assert all("but axes" in cause for cause in store.causes(table))
        return
    if given != axes:  # of one rank: a volume as a picture of many channels
        assert (store.positions(table) == -1).all() == (axes == "hwc")
        return
    for opened in (store, ArrayStore.open(tmp_path / "store"), pickle.loads(pickle.dumps(store))):
        for row, position in enumerate(opened.positions(table)):
            assert opened[int(position)].dtype == np.float32
            np.testing.assert_array_equal(opened[int(position)], arrays[row])
            assert opened.shape(int(position)) == arrays[row].shape


def test_other_axes_are_another_store(tmp_path: Path) -> None:
    table, volumes = numbered(1), [np.zeros((3, 4, 4), np.uint8)]
    pictures = ArrayStore.fill(tmp_path / "store", table, Made(volumes))
    assert len(pictures) == 1
    again = ArrayStore.fill(tmp_path / "store", table, Made([np.zeros((3, 4, 4), np.int16)], axes="zyx"))
    assert again[0].dtype == np.int16, "decoded again"
    with pytest.raises(UsageError, match="declares axes 'xyz'"):
        ArrayStore.fill(tmp_path / "store", table, Made(volumes, axes="xyz"))


@pytest.mark.parametrize(
    ("shape", "declared", "refused"),
    [
        ((40, 64, 64), {}, True),
        ((64, 64, 64), {}, True),
        ((64, 80, 12), {}, False),  # a multispectral picture, larger than its channels are many
        ((40, 64, 64), {"channels": 64}, False),
        ((40, 64, 64), {"axes": "zyx"}, False),
        ((3, 3, 4), {}, False),
        ((3, 3, 5), {}, True),
        ((40, 64, 3), {"channels": 4}, True),
    ],
)
def test_a_volume_is_no_picture_of_many_channels(
    shape: tuple[int, ...], declared: dict[str, Any], refused: bool
) -> None:
    refusal = DeclaredArrays.of(Made([], **declared)).refusal(np.zeros(shape))
    assert (refusal is not None) == refused
    if refused:
        assert str(list(shape)) in str(refusal)


def test_one_finite_number_is_enough(tmp_path: Path) -> None:
    holes = [np.full((9, 9, 1), np.nan) for _ in range(3)]
    holes[1][8, 8] = 1.0
    holes[2][0, 0] = np.inf
    table = numbered(3)
    store = ArrayStore.fill(tmp_path / "store", table, Made(holes))
    assert (store.positions(table) >= 0).tolist() == [False, True, False]
    assert store.causes(table) == ["decoded to shape [9, 9, 1] without a finite number"] * 2


def pictures(*channels: int) -> list[Any]:
    return [np.full((6, 8, count), number, np.uint8) for number, count in enumerate(channels)]


def test_rows_with_other_channels_than_most_are_problems_and_stop_nobody(tmp_path: Path) -> None:
    table, reader = numbered(6), Made(pictures(4, 3, 3, 1, 2, 3))
    store = ArrayStore.fill(tmp_path / "store", table, reader)
    assert (store.positions(table) >= 0).tolist() == [False, True, True, True, False, True]
    assert store.causes(table) == [f"decoded to {count} channels, where other rows have 3" for count in (4, 2)]
    assert store.channels(store.positions(table)[store.positions(table) >= 0]) == {1, 3}
    again = ArrayStore.open(tmp_path / "store")
    assert again.causes(table) == store.causes(table)
    assert len(again.problems) == 2


def test_a_reader_of_mixed_channels_keeps_them_all(tmp_path: Path) -> None:
    table, reader = numbered(4), Made(pictures(4, 3, 3, 2), mixed_channels=True)
    store = ArrayStore.fill(tmp_path / "store", table, reader)
    assert store.channels(store.positions(table)) == {2, 3, 4}
    assert store.causes(table) == []


def test_two_tables_of_a_store_may_have_other_channels_but_not_one_table_of_both(tmp_path: Path) -> None:
    reader = Made(pictures(3, 3, 3, 4, 4))
    for table in (numbered(3), numbered(2, first=3)):
        assert (ArrayStore.fill(tmp_path / "store", table, reader).positions(table) >= 0).all()
    both = numbered(5)
    store = ArrayStore.fill(tmp_path / "store", both, reader)
    assert (store.positions(both) >= 0).tolist() == [True] * 3 + [False] * 2


@pytest.mark.parametrize(("counts", "usual"), [((), None), ((1, 1), None), ((1, 1, 3), 3), ((4, 3), 3), ((2, 4, 4), 4)])
def test_the_usual_channels(counts: tuple[int, ...], usual: int | None) -> None:
    assert usual_channels(counts) == usual
