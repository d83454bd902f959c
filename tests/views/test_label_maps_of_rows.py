"""Label maps of the rows of a table come with their pictures, and move with them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch.utils.data import DataLoader

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.pairs import Ask
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import (
    Canvas,
    DrawnLabelMaps,
    HorizontalFlip,
    ImagePreprocess,
    InputDataset,
    LabelMaps,
    RandomCrop,
    RandomResizedCrop,
    Rotate,
    Scaling,
    VerticalFlip,
    ViewRecipe,
    whole_batch,
)
from stack_reader import StackReader

SIZE, ROWS, WHY = 32, 5, "for the test"
STEPS = (
    RandomResizedCrop((0.2, 0.7), reason=WHY), HorizontalFlip(reason=WHY), VerticalFlip(reason=WHY),
    Rotate((-40.0, 40.0), reason=WHY),
)  # fmt: skip


@pytest.fixture(scope="module")
def ramps(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Pictures whose channels say column and row; interpolation gives these exactly."""
    folder = tmp_path_factory.mktemp("ramps")
    column, row = np.meshgrid(np.arange(SIZE) * 8, np.arange(SIZE) * 8)
    stack = np.repeat(np.stack([column, row, row * 0], axis=-1).astype(np.uint8)[None], ROWS, axis=0)
    np.save(folder / "stack.npy", stack)
    names = [f"s{row}" for row in range(ROWS)]
    table = SampleTable.of(
        pl.DataFrame({"sample": names, "index": list(range(ROWS)), "path": [str(folder / "stack.npy")] * ROWS})
    )
    return table, ArrayStore.fill(Path(folder) / "store", table, StackReader())


def labels() -> np.ndarray:
    """uint8 ``[ROWS, SIZE, SIZE]``, other classes nearly everywhere; some pixels ignored."""
    return np.random.default_rng(0).integers(0, 256, (ROWS, SIZE, SIZE)).astype(np.uint8)


def dataset(ramps: Any, **options: Any) -> InputDataset:
    table, store = ramps
    preprocess = ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(SIZE), 3)
    return InputDataset(table, store, preprocess, **options)


@pytest.mark.parametrize("cache_gb", [0.0, 1.0])
def test_a_label_map_goes_where_its_picture_goes(ramps: Any, cache_gb: float) -> None:
    made = dataset(ramps, cache_gb=cache_gb, beside=LabelMaps(labels()))
    assert made.cached is bool(cache_gb)
    order = [3, 0, 4]
    batch = made.__getitems__(order)
    (maps,) = batch["beside"]
    assert (maps.values.dtype, maps.kind, maps.pad) == (torch.uint8, "labels", 255.0)
    views = ViewRecipe(STEPS, SIZE, 4).views_of(
        batch["input"].unit(), maps, seed=1, step=2, slots=torch.arange(len(order))
    )
    for view in views:
        (moved,) = view.beside
        at = view.input.values[:, :2].double() * 255 / 8
        column, row = at.round().long().unbind(dim=1)
        sure = ((at - at.floor() - 0.5).abs() > 0.02).all(dim=1) & view.input.with_valid()[:, 0]
        sure &= moved.with_valid()[:, 0]
        # At the border of what a turned view shows, the picture mixes with what lies outside.
        inner = torch.nn.functional.max_pool2d((~view.input.with_valid()).float(), 7, 1, 3)[:, 0] == 0
        expected = torch.stack(
            [torch.from_numpy(labels()[one])[r, c] for one, r, c in zip(order, row, column, strict=True)]
        )
        assert (sure & inner).float().mean() > 0.3
        assert torch.equal(moved.values[:, 0][sure & inner], expected[sure & inner])
        assert (moved.values[~moved.with_valid()] == 255).all()


def test_workers_give_the_same(ramps: Any) -> None:
    made = dataset(ramps, beside=LabelMaps(labels()))
    loader = DataLoader(made, batch_sampler=[[1, 2], [4, 0]], collate_fn=whole_batch, num_workers=1)
    for batch, rows in zip(loader, ([1, 2], [4, 0]), strict=True):
        assert torch.equal(batch["beside"][0].values[:, 0], torch.from_numpy(labels()[rows]))


def test_label_maps_of_whole_samples_go_with_no_crop_of_arrays(ramps: Any) -> None:
    with pytest.raises(UsageError, match="the views show crops"):
        dataset(ramps, beside=LabelMaps(labels()), crop=RandomCrop((8, 8)))


@pytest.mark.parametrize("views", [1, 3])
def test_label_maps_of_drawn_crops_are_cut_at_the_drawn_place(ramps: Any, views: int) -> None:
    """Each pixel of a crop says where it lies; its label is that of this place."""
    table, store = ramps
    preprocess = ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(8), 3)
    maps = DrawnLabelMaps(list(labels()), np.tile([0, 1], (ROWS, 1)), Canvas(8))
    made = InputDataset(table, store, preprocess, crop=RandomCrop((8, 8)), views=views, seed=4, drawn=True, beside=maps)
    rows, starts = np.array([3, 0, 4, 3]), set()
    made = pickle.loads(pickle.dumps(made))
    for step in range(5):
        batch = made.__getitems__(Ask(step, np.arange(len(rows)), rows[None]))
        for view in batch["crops"]:
            column, row = (view.input.values[:, :2].numpy() // 8).swapaxes(0, 1)
            (label,) = view.beside
            assert (label.values.dtype, label.kind, label.pad) == (torch.uint8, "labels", 255.0)
            expected = np.stack([labels()[one][r, c] for one, r, c in zip(rows, row, column, strict=True)])
            np.testing.assert_array_equal(label.values[:, 0].numpy(), expected)
            starts.update(zip(row[:, 0, 0].tolist(), column[:, 0, 0].tolist(), strict=True))
    assert len(starts) > 10, "drawn anew for each slot, step and view"
    shown = made.__getitems__([2, 1])
    np.testing.assert_array_equal(shown["beside"][0].values[:, 0].numpy(), labels()[[2, 1], 12:20, 12:20])


def test_whole_samples_of_drawn_label_maps_are_those_of_label_maps(ramps: Any) -> None:
    maps = DrawnLabelMaps(list(labels()), np.tile([0, 1], (ROWS, 1)), Canvas(SIZE))
    one, other = dataset(ramps, beside=maps)[3], dataset(ramps, beside=LabelMaps(labels()))[3]
    assert torch.equal(one["beside"][0].values, other["beside"][0].values)


def test_any_function_of_rows_gives_further_inputs(ramps: Any) -> None:
    made = dataset(ramps, beside=lambda rows: Input(rows.float().view(-1, 1, 1, 1)))
    assert made[4]["beside"][0].values.item() == 4.0
