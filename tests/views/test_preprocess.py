"""What `load` returns and export writes: the same picture as in training, after a round trip through JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import (
    Canvas,
    ImagePreprocess,
    InputDataset,
    Preprocess,
    Scaling,
    preprocess_from_dict,
    preprocess_to_dict,
)

Stored = Callable[..., tuple[SampleTable, ArrayStore]]


@pytest.mark.parametrize("mode", ["stretch", "fit"])
@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_a_picture_is_the_one_of_training(stored: Stored, mode: Any, dtype: str) -> None:
    arrays = [np.arange(12 * (8 + n), dtype=dtype).reshape(12, 8 + n) for n in range(3)]
    table, store = stored(arrays)
    preprocess = ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(16, mode), in_chans=3)
    again = preprocess_from_dict(json.loads(json.dumps(preprocess_to_dict(preprocess))))
    assert again == preprocess
    assert isinstance(again, Preprocess)
    # As runs of earlier versions wrote it.
    assert preprocess_from_dict(json.loads(json.dumps(preprocess.to_dict()))) == preprocess
    batch = InputDataset(table, store, preprocess).__getitems__([0, 1, 2])
    images, valid = batch["input"].values, batch["input"].valid
    images = images / 255 if images.dtype == torch.uint8 else images
    for number, array in enumerate(arrays):
        made = again(array)
        assert made.values.dtype == torch.float32
        assert made.values.shape == (1, 3, 16, 16)
        assert torch.allclose(made.values[0], images[number], atol=1e-6)
        assert torch.equal(again(array[:, :, None]).values, made.values)
        assert torch.equal(again.compact(array).unit().values, made.values)
        assert (made.valid is None) == (valid is None) == (mode == "stretch")
        if made.valid is not None:
            assert torch.equal(made.valid[0], valid[number])


def test_one_channel_is_repeated_and_nothing_else_is_guessed(stored: Stored) -> None:
    table, store = stored([np.zeros((4, 4), np.uint8)])
    preprocess = ImagePreprocess(Scaling().fit(table, store), Canvas(4), in_chans=3)
    grey = preprocess(np.arange(16, dtype=np.uint8).reshape(4, 4))
    assert torch.equal(grey.values[:, 0], grey.values[:, 2])
    for channels in (2, 4):
        with pytest.raises(DataError, match=f"{channels} channels") as raised:
            preprocess(np.zeros((4, 4, channels), np.uint8))
        assert "in_chans" in raised.value.hint


def test_scaling_by_volume_needs_the_volume(stored: Stored) -> None:
    table, store = stored([np.arange(16.0).reshape(4, 4)], volume=["a"])
    fitted = Scaling("volume", percentiles=(0, 100), group="volume").fit(table, store)
    preprocess = ImagePreprocess(fitted, Canvas(4), in_chans=1)
    assert preprocess.columns == ("volume",)
    assert preprocess(np.full((4, 4), 7.5), {"volume": "a"}).values.mean() == pytest.approx(0.5)
    with pytest.raises(DataError):
        preprocess(np.ones((4, 4)))
