"""Pictures that are made into inputs at once: the bits of each made alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input
from ssl_domains.pairs import Ask
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, ImagePreprocess, InputDataset, RandomCrop, Scaling, TileDataset, Tiling
from ssl_domains.views.sample_inputs import SampleInputs

Stored = Callable[..., tuple[SampleTable, ArrayStore]]
SIZE, COUNT = 12, 9


def pictures(kind: str, channels: int) -> list[NDArray[Any]]:
    rng = np.random.default_rng(0)
    made = [rng.integers(0, 256, (SIZE, SIZE, channels)).astype(kind) for _ in range(COUNT)]
    if np.dtype(kind).kind == "f":
        made[3][2:5, 1] = np.nan
        made[4][0, 0, 0] = np.inf
    return made


@pytest.mark.parametrize("mode", ["stretch", "fit"])
@pytest.mark.parametrize("kind", ["uint8", "int16", "float32", "float64", "int32"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("group", [None, "survey"])
def test_a_batch_has_the_bits_of_its_pictures(
    stored: Stored, mode: Any, kind: str, channels: int, group: str | None
) -> None:
    table, store = stored(pictures(kind, channels), survey=[f"s{n % 2}" for n in range(COUNT)])
    declared = Scaling("survey", group=group) if group else Scaling(lo=0, hi=255)
    preprocess = ImagePreprocess(declared.fit(table, store), Canvas(SIZE, mode), in_chans=3)
    made = SampleInputs(table, store, preprocess)
    for rows in ([2], [0, 1, 2, 5], list(range(COUNT)), [4, 3, 4]):
        assert made._many_together(rows, None) is not None
        (batch,) = made.together(rows)
        alone = Input.cat([made(row)[0] for row in rows])
        assert batch.values.dtype == alone.values.dtype == made.dtype
        assert torch.equal(batch.values, alone.values)
        assert torch.equal(batch.with_valid(), alone.with_valid())
        assert (batch.valid is None) == (alone.valid is None)


def test_windows_that_keep_bytes_and_windows_that_don_t(stored: Stored) -> None:
    """One half has the window 0 to 255 and stays uint8; the other is scaled; both become float32."""
    declared = Scaling(column="kind", windows={"bytes": (0.0, 255.0), "dark": (0.0, 60.0)})
    table, store = stored(pictures("uint8", 1), kind=["bytes" if n % 2 else "dark" for n in range(COUNT)])
    made = SampleInputs(table, store, ImagePreprocess(declared.fit(table, store), Canvas(SIZE), in_chans=1))
    (batch,) = made.together(list(range(COUNT)))
    assert batch.values.dtype == torch.float32
    assert torch.equal(batch.values, torch.cat([made(row)[0].values for row in range(COUNT)]))
    assert float(batch.values.max()) == 1.0


def test_pictures_of_other_sides_are_resized_one_by_one(stored: Stored) -> None:
    table, store = stored([np.zeros((SIZE, SIZE + n, 1), np.uint8) for n in range(3)])
    made = SampleInputs(table, store, ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(SIZE), 1))
    assert made._many_together([1], None) is None
    assert made._many_together([0, 1], None) is None
    assert made.together([0, 1, 2])[0].values.shape == (3, 1, SIZE, SIZE)


def test_wrong_channels_are_named(stored: Stored) -> None:
    table, store = stored(pictures("uint8", 3))
    preprocess = ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(SIZE), in_chans=4)
    with pytest.raises(DataError, match="3 channels, the encoder takes 4"):
        preprocess.many(np.zeros((2, SIZE, SIZE, 3), np.uint8), [{}, {}])


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_crops_and_tiles_of_a_large_picture(stored: Stored, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 256, (30 + n, 40 - n, 1)).astype(kind) for n in range(4)]
    table, store = stored(arrays)
    preprocess = ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(SIZE), 1)
    crop = RandomCrop((SIZE, SIZE), emitted=("y", "x"))

    def batches() -> list[Input]:
        made = InputDataset(table, store, preprocess, cache_gb=0.0, crop=crop, views=2, seed=3, drawn=True)
        drawn = made.__getitems__(Ask(2, np.arange(4), np.array([[0, 1, 2, 3]])))["crops"]
        tiles = TileDataset(made, Tiling(0.3)).__getitems__([0, 5, 9, 3])["input"]
        return [*(view.input for view in drawn), tiles, made.__getitems__([3, 1])["input"]]

    at_once = batches()
    monkeypatch.setattr(SampleInputs, "_many_together", lambda *_: None)
    for one, other in zip(at_once, batches(), strict=True):
        assert one.values.dtype == other.values.dtype
        assert torch.equal(one.values, other.values)
