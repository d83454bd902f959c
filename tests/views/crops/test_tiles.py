"""Samples cut into tiles: which part of its array each row is, what it emits, and what crops are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

from lazy_reader import PlaneReader
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import RandomCrop, Tiling, tiles_of
from ssl_domains.views.crops.tiles import WHOLE

CROP = RandomCrop((4, 5), emitted=("y_mm", "x_mm"), spacing=(0.5, "dx"), origin=("y_mm", "x_mm"))


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[SampleTable, ArrayStore, dict[str, np.ndarray]]:
    """Two pictures of their own, one of which fits into a crop, and two regions of a third."""
    rng = np.random.default_rng(0)
    shapes = {"a": (9, 13), "b": (3, 5), "c": (30, 20)}
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    regions = [None, None, [10, 22, 3, 18, 0, 1], [0, 4, 0, 20, 0, 1]]
    table = SampleTable.of(
        pl.DataFrame(
            {
                "sample": ["a", "b", "c1", "c2"],
                "array": [None, None, "c", "c"],
                "path": [str(tmp_path / f"{name}.npy") for name in "abcc"],
                "region": pl.Series(regions, dtype=pl.List(pl.Int64)),
                "y_mm": [0.0, 1.0, 2.0, 3.0],
                "x_mm": [10.0, 20.0, 30.0, 40.0],
                "dx": [0.25, 0.5, 0.75, 1.0],
                "kind": ["p", "q", "r", "s"],
            }
        )
    )
    return table, ArrayStore.fill(tmp_path / "store", table, PlaneReader()), arrays


def test_a_tile_is_the_part_of_its_sample_that_a_grid_has(pictures: Any) -> None:
    table, store, _ = pictures
    whole = store.of(table)
    tiles = tiles_of(CROP, table, whole)
    assert tiles.cut
    assert np.bincount(tiles.sample).tolist() == [9, 1, 9, 4]
    arrays = store.of(tiles.table)
    covered = [np.zeros(whole.shape(row), dtype=int) for row in range(4)]
    for row, sample in enumerate(tiles.sample.tolist()):
        part = tuple(slice(*ends) for ends in zip(tiles.starts[row], tiles.stops[row], strict=True))
        np.testing.assert_array_equal(arrays[row], whole[sample][part])
        covered[sample][part] += 1
        assert tiles.sides[row].tolist() == list(whole.shape(sample))
    assert all((one > 0).all() for one in covered)
    assert len(set(tiles.table.frame["sample"].to_list())) == len(tiles)
    assert tiles.table.frame[WHOLE].to_list() == table.frame["sample"][tiles.sample.tolist()].to_list()
    assert tiles.table.frame["kind"].to_list() == table.frame["kind"][tiles.sample.tolist()].to_list()
    assert tiles.table.frame["sample"][9] == "b", "a sample that is one tile keeps its id"


def test_a_tile_has_the_place_of_its_own_in_the_columns(pictures: Any) -> None:
    table, store, _ = pictures
    tiles = tiles_of(CROP, table, store.of(table))
    for row, sample in enumerate(tiles.sample.tolist()):
        before, now = table.frame.row(sample, named=True), tiles.table.frame.row(row, named=True)
        assert now["y_mm"] == before["y_mm"] + 0.5 * tiles.starts[row, 0]
        assert now["x_mm"] == before["x_mm"] + before["dx"] * tiles.starts[row, 1]


def test_a_table_of_small_samples_stays_as_it_is(pictures: Any) -> None:
    table, store, _ = pictures
    tiles = tiles_of(RandomCrop((40, 40)), table, store.of(table))
    assert not tiles.cut
    assert tiles.table is table
    assert tiles.sample.tolist() == [0, 1, 2, 3]


def test_tiles_may_overlap(pictures: Any) -> None:
    table, store, _ = pictures
    part = table.take([3])
    tiles = tiles_of(CROP, part, store.of(part), Tiling(0.6))
    assert tiles.starts[:, 1].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 15]


def test_a_tile_is_the_crop_at_the_centre_of_its_surroundings(pictures: Any) -> None:
    table, store, _ = pictures
    tiles = tiles_of(CROP, table, store.of(table))
    around = tiles.surroundings()
    arrays, grown = store.of(tiles.table), store.of(around.table)
    for row in range(len(tiles)):
        np.testing.assert_array_equal(arrays[row], grown[row][CROP.centre(grown.shape(row), {})])
    assert (around.starts >= 0).all()
    assert (around.stops <= around.sides).all()
    room = np.minimum(tiles.starts, tiles.sides - tiles.stops)[:, :2]
    np.testing.assert_array_equal((tiles.starts - around.starts)[:, :2], np.minimum(room, [2, 2]))
    few = around.take(np.array([4, 10]))
    np.testing.assert_array_equal(store.of(few.table)[1], grown[10])


@dataclass(frozen=True)
class ByFact:
    """A crop whose size is a number of the row."""

    name: ClassVar[str] = "by fact, of a test"
    columns: ClassVar[tuple[str, ...]] = ("side",)
    emitted: ClassVar[tuple[str, ...]] = ()
    shared: ClassVar[bool] = False

    def place(self, draws: Any, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        return RandomCrop((int(facts["side"]),) * 2).place(draws, shape, {})

    def emit(self, slices: Sequence[slice], facts: Mapping[str, float]) -> dict[str, float]:
        return {}

    def to_dict(self) -> dict[str, Any]:
        return {}


def test_the_size_of_a_tile_may_depend_on_the_row(pictures: Any) -> None:
    table, store, _ = pictures
    sized = table.with_columns(side=pl.Series([9.0, 5.0, 6.0, 20.0]))
    tiles = tiles_of(ByFact(), sized, store.of(sized))
    assert np.bincount(tiles.sample).tolist() == [2, 1, 6, 1]
    assert not tiles_of(ByFact(), sized.take([1, 3]), store.of(sized.take([1, 3]))).cut
