"""Batches of crops: the arrays at the emitted origins, and nothing that depends on workers, processes or the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from ssl_domains.errors import DataError, UsageError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.pairs import Ask
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import InputDataset, RandomCrop, TileDataset, Tiling, whole_batch
from ssl_domains.views.sample_inputs import SampleInputs

Stored = Callable[..., tuple[SampleTable, ArrayStore]]
CROP = RandomCrop((6, 7), emitted=("y", "x"), spacing=(0.5, "dx"), origin=("top", 0.0))


@dataclass(frozen=True)
class Plain:
    """``[H, W, C]`` to float32 ``[1, C, H, W]``, numbers unchanged; two further inputs when ``beside`` says so."""

    name: ClassVar[str] = "plain numbers of a test"
    columns: ClassVar[tuple[str, ...]] = ()
    sides_of: tuple[int | None, int | None] = (None, None)
    beside: int = 0

    @property
    def spec(self) -> InputSpec:
        return InputSpec("numbers", 1, self.sides_of)

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Any:
        values = self.spec.input(torch.from_numpy(array.transpose(2, 0, 1)[None].astype(np.float32)))
        return values if not self.beside else (values, *[Input(-values.values, None, "labels", (0, 1))] * self.beside)

    def to_dict(self) -> dict[str, Any]:
        return {}


class WithSides(Plain):
    """Says the sides of its inputs, so that they can be cached."""

    def sides(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape[:2]


def arrays(count: int = 9) -> list[NDArray[np.float32]]:
    """Different numbers everywhere; the first array is smaller than the crop."""
    shapes = [(5, 6, 1), *((8 + n % 4, 9 + n % 5, 1) for n in range(1, count))]
    return [1000.0 * n + np.arange(np.prod(s), dtype=np.float32).reshape(s) for n, s in enumerate(shapes)]


def table_of(stored: Stored, count: int = 9) -> tuple[SampleTable, ArrayStore]:
    columns = {"dx": [0.25 + 0.25 * n for n in range(count)], "top": [100.0 * n for n in range(count)]}
    return stored(arrays(count), **columns)


def ask(seats: list[list[int]], step: int = 4, slots: list[int] | None = None) -> Ask:
    made = np.array(seats, dtype=np.int64)
    return Ask(step, np.arange(made.shape[1]) if slots is None else np.array(slots), made)


def same(one: Any, other: Any) -> bool:
    pairs = list(zip(one["crops"], other["crops"], strict=True))
    return torch.equal(one["index"], other["index"]) and all(
        torch.equal(a.input.values, b.input.values)
        and torch.equal(a.input.with_valid(), b.input.with_valid())
        and all(torch.equal(a.emitted[name], b.emitted[name]) for name in CROP.emitted)
        for a, b in pairs
    )


def test_a_view_shows_the_array_at_the_emitted_origin(stored: Stored) -> None:
    table, store = table_of(stored)
    data = InputDataset(table, store, Plain(), crop=CROP, views=4, seed=11)
    assert not data.cached
    seats = [[0, 1, 2, 3, 1], [4, 5, 6, 7, 8]]
    batch = data.__getitems__(ask(seats))
    assert batch["index"].tolist() == [*seats[0], *seats[1]]
    origins = set()
    for view, crop in enumerate(batch["crops"]):
        for place, row in enumerate(seats[view % 2]):
            array = arrays()[row][:, :, 0]
            y = (float(crop.emitted["y"][place]) - 100.0 * row) / 0.5
            x = float(crop.emitted["x"][place]) / (0.25 + 0.25 * row)
            assert y == int(y)
            assert x == int(x)
            expected = array[int(y) : int(y) + 6, int(x) : int(x) + 7]
            shown = crop.input.take(slice(place, place + 1)).trimmed()
            np.testing.assert_array_equal(shown.values[0, 0].numpy(), expected)
            origins.add((view, place, y, x))
    assert len({origin[2:] for origin in origins}) > 4
    assert batch["crops"][0].input.valid is not None  # row 0 is smaller than the crop
    assert batch["crops"][1].input.valid is None
    assert batch["crops"][0].emitted["y"].dtype == torch.float64


def test_a_crop_depends_on_seed_step_slot_and_view_alone(stored: Stored) -> None:
    table, store = table_of(stored)

    def made(seed: int, step: int, slot: int, view: int, rows: list[int], place: int) -> tuple[float, float]:
        data = InputDataset(table, store, Plain(), crop=CROP, views=3, seed=seed)
        slots = [90 + n for n in range(len(rows))]
        slots[place] = slot
        crop = data.__getitems__(ask([rows], step, slots))["crops"][view]
        return float(crop.emitted["y"][place]), float(crop.emitted["x"][place])

    alone = [made(3, 2, slot, 1, [7], 0) for slot in range(12)]
    assert alone == [made(3, 2, slot, 1, [3, 7, 7, 1], 1) for slot in range(12)]
    for other in ((4, 2, 1), (3, 1, 1), (3, 2, 0)):
        seed, step, view = other
        assert alone != [made(seed, step, slot, view, [7], 0) for slot in range(12)]


def test_shared_crops_are_those_of_the_slot(stored: Stored) -> None:
    table, store = stored([np.arange(400, dtype=np.float32).reshape(20, 20, 1) + 1000 * n for n in range(4)])
    crop = RandomCrop((5, 5), emitted=("y", "x"), shared=True)
    data = InputDataset(table, store, Plain(), crop=crop, views=4, seed=1)
    one = data.__getitems__(ask([[0, 1, 2, 3]]))["crops"]
    for view in one[1:]:
        assert torch.equal(view.input.values, one[0].input.values)
    two = data.__getitems__(ask([[0, 1], [2, 3]]))["crops"]
    for view in two:  # partners of one size are shown at the same place
        assert torch.equal(view.emitted["x"], one[0].emitted["x"][:2])
    assert torch.equal(two[2].input.values, two[0].input.values)
    assert not torch.equal(two[1].input.values, two[0].input.values)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_show_what_the_process_itself_shows(stored: Stored, workers: int) -> None:
    table, store = table_of(stored)
    data = InputDataset(table, store, Plain(), crop=CROP, views=2, seed=5)
    asks = [ask([[n % 9, (n + 3) % 9, 2]], step=n) for n in range(6)]
    loader: DataLoader[Any] = DataLoader(data, batch_sampler=asks, collate_fn=whole_batch, num_workers=workers)
    for request, batch in zip(asks, loader, strict=True):
        assert same(batch, data.__getitems__(request))


def test_parts_of_a_batch_are_the_batch(stored: Stored) -> None:
    table, store = table_of(stored)
    data = InputDataset(table, store, Plain(), crop=CROP, views=2, seed=5)
    rows = [1, 2, 3, 4]
    whole = data.__getitems__(ask([rows]))
    parts = [data.__getitems__(ask([rows[s : s + 2]], slots=[s, s + 1])) for s in (0, 2)]
    for view in range(2):
        joined = torch.cat([part["crops"][view].input.values for part in parts])
        assert torch.equal(joined, whole["crops"][view].input.values)


def test_evaluation_sees_the_centre_or_the_whole(stored: Stored) -> None:
    table, store = stored([np.arange(200, dtype=np.float32).reshape(10, 20, 1) + 1000 * n for n in range(3)])
    crop = RandomCrop((6, 7))
    fixed = InputDataset(table, store, Plain((6, 7)), crop=crop)
    batch = fixed.__getitems__([2, 0])
    expected = np.arange(200, dtype=np.float32).reshape(10, 20)[2:8, 6:13]
    np.testing.assert_array_equal(batch["input"].values[1, 0].numpy(), expected)
    np.testing.assert_array_equal(batch["input"].values[0, 0].numpy(), expected + 2000)
    whole = InputDataset(table, store, Plain(), crop=crop).__getitems__([1])["input"]
    assert whole.space == (10, 20)


def test_tiles_are_the_parts_of_the_grid_in_the_order_of_the_rows(stored: Stored) -> None:
    table, store = table_of(stored)
    data = InputDataset(table, store, Plain(), crop=RandomCrop((4, 5)))
    tiles = TileDataset(data, Tiling())
    assert len(tiles) == int(tiles.first[-1])
    expected = []
    for array in arrays():
        height, width = array.shape[:2]
        for top in sorted({min(y, height - 4) for y in range(0, height, 4)}):
            expected += [array[top : top + 4, x : x + 5, 0] for x in _lefts(width)]
    assert len(tiles) == len(expected)
    for start in range(0, len(tiles), 7):
        numbers = list(range(start, min(start + 7, len(tiles))))
        shown = tiles.__getitems__(numbers)["input"].values[:, 0].numpy()
        np.testing.assert_array_equal(shown, np.stack(expected[start : start + 7]))


def _lefts(width: int) -> list[int]:
    return sorted({min(x, width - 5) for x in range(0, width, 5)})


def test_further_inputs_are_cut_with_their_sample(stored: Stored) -> None:
    table, store = table_of(stored)
    data = InputDataset(table, store, Plain(beside=1), crop=CROP, views=2)
    for crop in data.__getitems__(ask([[1, 2]]))["crops"]:
        assert torch.equal(crop.beside[0].values, -crop.input.values)


def test_a_crop_that_reads_a_missing_column_is_refused(stored: Stored) -> None:
    table, store = stored(arrays())
    with pytest.raises(UsageError, match="dx"):
        InputDataset(table, store, Plain(), crop=CROP)


def test_ragged_inputs_are_cached_when_their_sides_are_known(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    table, store = table_of(stored)
    plain = InputDataset(table, store, Plain())
    cached = InputDataset(table, store, WithSides())
    assert not plain.cached
    assert cached.cached
    made: list[int] = []
    original = SampleInputs.__call__
    monkeypatch.setattr(SampleInputs, "__call__", lambda self, row, *a: made.append(row) or original(self, row, *a))
    batches = [[3, 0, 3], [0, 8, 7], [3]]
    before = [cached.__getitems__(rows)["input"] for rows in batches]
    assert made == [0, 3, 7, 8]
    for rows, one in zip(batches, before, strict=True):
        other = plain.__getitems__(rows)["input"]
        assert torch.equal(one.values, other.values)
        assert (one.valid is None) == (other.valid is None)
        assert torch.equal(one.with_valid(), other.with_valid())
        assert (one.kind, one.ragged, one.pad) == (other.kind, other.ragged, other.pad)


def test_the_ragged_cache_is_shared_among_workers(stored: Stored) -> None:
    table, store = table_of(stored)
    cached = InputDataset(table, store, WithSides())
    batches = [[1, 2], [3, 0], [8, 2], [5]]
    loader: DataLoader[Any] = DataLoader(cached, batch_sampler=batches, collate_fn=whole_batch, num_workers=2)
    shown = [batch["input"] for batch in loader]
    for rows, one in zip(batches, shown, strict=True):
        expected = InputDataset(table, store, Plain()).__getitems__(rows)["input"]
        assert torch.equal(one.values, expected.values)
        assert torch.equal(one.with_valid(), expected.with_valid())
    filled = cached._cache.tensors["filled"]  # type: ignore[union-attr]
    assert torch.nonzero(filled).flatten().tolist() == [0, 1, 2, 3, 5, 8]


def test_the_ragged_cache_is_bounded(stored: Stored) -> None:
    table, store = table_of(stored)
    places = sum(array.size for array in arrays())
    needed = places * (4 + 1) + len(table)
    assert InputDataset(table, store, WithSides(), needed / 1e9).cached
    assert not InputDataset(table, store, WithSides(), (needed - 1) / 1e9).cached


def test_other_sides_than_the_preprocess_says_are_refused(stored: Stored) -> None:
    class Wrong(WithSides):
        def sides(self, shape: tuple[int, ...]) -> tuple[int, ...]:
            return shape[0], shape[1] + 1

    table, store = table_of(stored)
    with pytest.raises(DataError, match=r"gives an input of sides \[8, 13\]"):
        InputDataset(table, store, Wrong()).__getitems__([4])


class Holes:
    """Arrays of a store whose first row of pixels has no data."""

    def __init__(self, samples: Any) -> None:
        self.samples, self.decoded, self.may_have_holes = samples, samples.decoded, True

    def __len__(self) -> int:
        return len(self.samples)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.samples, name)

    def read(self, row: int, slices: Any = ()) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        valid = np.ones(self.samples.shape(row), dtype=np.bool_)
        valid[0] = False
        return self.samples.read(row, slices)[0], valid[tuple(slices)]


@pytest.mark.parametrize("cache_gb", [0.0, 1.0])
def test_places_without_data_are_not_valid(stored: Stored, cache_gb: float, monkeypatch: pytest.MonkeyPatch) -> None:
    from ssl_domains.views import Canvas, ImagePreprocess, Scaling

    table, store = stored([np.full((4, 6, 2), 200, np.uint8)] * 3)
    picture = ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(4), in_chans=2)
    of = ArrayStore.of
    monkeypatch.setattr(ArrayStore, "of", lambda self, table: Holes(of(self, table)))

    class Numbers(WithSides):
        spec = InputSpec("numbers", 2, (None, None))

    class Halved(Numbers):
        def sides(self, shape: tuple[int, ...]) -> tuple[int, ...]:
            return shape[0] // 2, shape[1]

        def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Any:
            return super().__call__(array[::2], facts)

    for preprocess, sides in ((Numbers(), (4, 6)), (picture, (4, 4))):
        made = InputDataset(table, store, preprocess, cache_gb).__getitems__([0, 2])["input"]
        assert made.valid is not None
        expected = torch.ones(2, 1, *sides, dtype=torch.bool)
        expected[:, :, 0] = False
        assert torch.equal(made.valid, expected)
    assert float(made.values[:, :, 0].max()) == 0
    with pytest.raises(DataError, match="has places without data, and the preprocess 'plain numbers"):
        InputDataset(table, store, Halved(), cache_gb).__getitems__([0])
