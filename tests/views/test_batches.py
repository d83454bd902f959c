"""Batches from the store: the same with and without cache, and with any number of workers, forked or spawned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, ImagePreprocess, InputDataset, Scaling, whole_batch
from ssl_domains.views.cache import FixedCache
from ssl_domains.views.sample_inputs import SampleInputs

Stored = Callable[..., tuple[SampleTable, ArrayStore]]
RNG = np.random.default_rng(0)


def ragged(n: int = 20, dtype: str = "uint8") -> list[Any]:
    return [(RNG.random((8 + n % 5, 10 + n % 3, 3)) * 255).astype(dtype) for n in range(n)]


def dataset(
    stored: Stored, arrays: list[Any], mode: Any = "stretch", cache_gb: float = 2.0, size: int = 12
) -> InputDataset:
    table, store = stored(arrays)
    preprocess = ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(size, mode), in_chans=3)
    return InputDataset(table, store, preprocess, cache_gb)


def equal(a: dict[str, Any], b: dict[str, Any]) -> bool:
    one, other = a["input"], b["input"]
    same_mask = one.valid is other.valid is None or torch.equal(one.valid, other.valid)
    return torch.equal(one.values, other.values) and torch.equal(a["index"], b["index"]) and same_mask


@pytest.mark.parametrize("mode", ["stretch", "fit"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_batch_is_the_rows_in_their_order(stored: Stored, mode: Any, dtype: str) -> None:
    data = dataset(stored, ragged(dtype=dtype), mode)
    batch = data.__getitems__([5, 2, 5])
    assert batch["input"].values.dtype == (torch.uint8 if dtype == "uint8" else torch.float32)
    assert batch["input"].values.shape == (3, 3, 12, 12)
    assert batch["index"].tolist() == [5, 2, 5]
    assert torch.equal(batch["input"].values[0], batch["input"].values[2])
    assert not torch.equal(batch["input"].values[0], batch["input"].values[1])
    assert (batch["input"].valid is None) == (mode == "stretch")
    assert torch.equal(data[5]["input"].values[0], batch["input"].values[0])


@pytest.mark.parametrize("mode", ["stretch", "fit"])
def test_the_cache_changes_nothing(stored: Stored, mode: Any) -> None:
    arrays = ragged(dtype="float32")
    arrays[3][:6] = np.nan
    cached, plain = (dataset(stored, arrays, mode, cache_gb) for cache_gb in (2.0, 0.0))
    assert cached.cached
    assert not plain.cached
    for indices in ([1, 3, 3], [3, 1, 0], [19], [1, 0]):
        assert equal(cached.__getitems__(indices), plain.__getitems__(indices))


def test_a_cached_row_is_made_once(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset(stored, ragged())
    made: list[int] = []
    original = SampleInputs.__call__
    monkeypatch.setattr(SampleInputs, "__call__", lambda self, row, part: made.append(row) or original(self, row, part))
    data.__getitems__([1, 2, 2])
    data.__getitems__([2, 3])
    assert made == [1, 2, 3]


def test_pixels_without_data_are_masked_on_a_stretched_canvas(stored: Stored) -> None:
    arrays = ragged(4, dtype="float32")
    arrays[2][:6] = np.nan
    data = dataset(stored, arrays)
    assert data.__getitems__([0, 1])["input"].valid is None
    batch = data.__getitems__([0, 2])
    assert batch["input"].valid[0].all()
    assert not batch["input"].valid[1].all()
    assert (batch["input"].values * ~batch["input"].valid == 0).all()
    assert batch["input"].values.isfinite().all()


def test_eight_bit_arrays_among_wider_ones_count_the_same(stored: Stored) -> None:
    arrays = [np.full((4, 4, 3), 51, np.uint8), np.full((4, 4, 3), 51, np.int16)]
    images = dataset(stored, arrays).__getitems__([0, 1])["input"].values
    assert torch.allclose(images, torch.tensor(0.2))


@pytest.mark.parametrize(
    ("workers", "start", "cache_gb"),
    [
        (1, "fork", 0.0),
        (2, "fork", 0.0),
        (2, "fork", 2.0),
        pytest.param(1, "spawn", 2.0, marks=pytest.mark.slow),
    ],
)
def test_workers_give_what_the_process_itself_gives(stored: Stored, workers: int, start: str, cache_gb: float) -> None:
    data = dataset(stored, ragged(dtype="float32"), "fit", cache_gb)
    batches = [[0, 1, 2], [19, 3], [2, 2], [7, 8, 9, 10]]
    loader: DataLoader[Any] = DataLoader(
        data,
        batch_sampler=batches,
        collate_fn=whole_batch,
        num_workers=workers,
        multiprocessing_context=start,
        persistent_workers=True,
    )
    arrays = [np.array(data._inputs._samples[row]) for row in range(len(data))]
    expected = dataset(stored, arrays, "fit", cache_gb=0.0)
    for _ in range(2):  # the second time from the cache that the workers filled
        for indices, batch in zip(batches, loader, strict=True):
            assert equal(batch, expected.__getitems__(indices))
    if cache_gb:
        assert isinstance(data._cache, FixedCache)
        assert data._cache.tensors["filled"].sum() == len({row for batch in batches for row in batch})


def test_a_row_that_could_not_be_decoded_is_refused(stored: Stored, tmp_path: Any) -> None:
    table, store = stored([np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4, 3), np.uint8)])
    preprocess = ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(4), in_chans=3)
    with pytest.raises(DataError, match="1 row "):
        InputDataset(table, store, preprocess)
    assert len(InputDataset(table.take(store.positions(table) >= 0), store, preprocess)) == 1


def test_channels_that_do_not_fit_are_refused_at_once(stored: Stored) -> None:
    with pytest.raises(DataError, match="2 channels"):
        dataset(stored, [np.zeros((4, 4, 2), np.uint8)])


def test_shared_memory_that_is_too_small_means_no_cache(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("unable to allocate shared memory(shm)")

    monkeypatch.setattr(torch.Tensor, "share_memory_", refuse)
    data = dataset(stored, ragged())
    assert not data.cached
    assert data.__getitems__([0])["input"].values.shape == (1, 3, 12, 12)


@pytest.mark.parametrize("cache_gb", [0.0, 1.0])
def test_further_inputs_that_nobody_declared_are_refused(stored: Stored, cache_gb: float) -> None:
    table, store = stored(ragged(4))

    class WithLabels(ImagePreprocess):
        def compact(self, array: Any, facts: Any = None) -> Any:
            one = super().compact(array, facts)
            return one, one

    preprocess = WithLabels(Scaling(lo=0, hi=255).fit(table, store), Canvas(12), in_chans=3)
    with pytest.raises(DataError, match="gives 1 further inputs of a sample"):
        InputDataset(table, store, preprocess, cache_gb).__getitems__([0, 1])
