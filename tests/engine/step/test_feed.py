"""The feed: batches of the sampler's plan from any step, whoever reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from ssl_domains.engine.step.feed import Feed
from ssl_domains.errors import DataError
from ssl_domains.inputs import Input
from ssl_domains.pairs import BatchSampler, Composition, same

CPU = torch.device("cpu")


class Numbers(Dataset[Any]):
    """Canvases that hold their own number; sample 13 is broken where asked."""

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken

    def __getitems__(self, indices: list[int]) -> dict[str, Any]:
        if self.broken and 13 in indices:
            raise DataError("sample 13 is broken", "leave it out")
        index = torch.tensor(indices)
        images = index.to(torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2)
        return {"input": Input(images), "beside": (), "index": index}

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.__getitems__([index])


def _feed(workers: int, broken: bool = False) -> Feed:
    bound = same("g").bind({"g": np.arange(20) // 2})
    sampler = BatchSampler(bound, Composition("random"), 4, seed=1)
    return Feed(Numbers(broken), sampler, {"age": np.arange(20.0)}, CPU, workers, channels_last=True)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_follow_the_plan_from_any_step_of_any_epoch(workers: int) -> None:
    feed = _feed(workers)
    for epoch, first in ((0, 0), (3, 2), (0, 4), (1, 0)):
        batches = list(feed.epoch(epoch, first))
        read = [batch.index.tolist() for batch in batches]
        assert read == feed.sampler.plan(epoch)[first:].tolist()
        for batch in batches:
            assert batch.input.values.dtype == torch.float32
            assert batch.input.valid is None
            assert torch.allclose(batch.input.values[:, 0, 0, 0] * 255, batch.index.float())
            assert torch.equal(batch.columns["age"], batch.index.double())
            assert batch.waited >= 0


def test_an_epoch_left_half_way_can_be_begun_again() -> None:
    feed = _feed(2)
    first = [batch.index.tolist() for batch in feed.epoch(0)]
    next(iter(feed.epoch(0)))
    assert [batch.index.tolist() for batch in feed.epoch(0)] == first


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_is_one_line_wherever_it_was_raised(workers: int) -> None:
    with pytest.raises(DataError) as caught:
        list(_feed(workers, broken=True).epoch(0))
    assert caught.value.message == "sample 13 is broken"
    assert caught.value.hint == "leave it out"
