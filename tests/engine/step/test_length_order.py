"""Ragged inputs are encoded by length: the vectors come in the order of the rows, and batches have little padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

from ssl_domains.engine.step.length_order import encode_features, encoding_order, length_order
from ssl_domains.inputs import Input

ROWS, BATCH = 500, 8


class Ragged(Dataset[Any]):
    """Row i is ``lengths[i]`` times the number i."""

    def __init__(self, sized: bool = True) -> None:
        self.sizes = np.random.default_rng(0).integers(1, 60, ROWS)
        self.lengths: NDArray[np.int64] | None = self.sizes if sized else None
        self.padded = 0

    def __len__(self) -> int:
        return ROWS

    def __getitems__(self, rows: Sequence[int]) -> dict[str, Any]:
        each = [torch.full((1, 1, int(self.sizes[row])), float(row)) for row in rows]
        made = Input.cat([Input(one, None, "wave", (0,), 0.0) for one in each])
        self.padded += made.values.numel()
        return {"input": made, "index": torch.tensor(rows)}


def means(encoder: nn.Module, x: Input) -> Tensor:
    valid = x.with_valid()[:, 0]
    return torch.stack([(x.values[:, 0] * valid).sum(dim=1) / valid.sum(dim=1), valid.sum(dim=1)], dim=1)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("sized", [True, False])
def test_vectors_come_in_the_order_of_the_rows(sized: bool, workers: int) -> None:
    data = Ragged(sized)
    drawn = torch.from_numpy(np.random.default_rng(1).permutation(ROWS)[:333])
    for rows in (None, drawn):
        options: dict[str, Any] = {"device": torch.device("cpu"), "batch_size": BATCH, "workers": workers}
        parts = list(encode_features(nn.Identity(), data, means, rows=rows, **options))
        index = torch.arange(ROWS) if rows is None else rows
        ends = [part.stop for part, _ in parts]
        assert [part.start for part, _ in parts] == [0, *ends[:-1]]
        assert ends[-1] == len(index)
        found = torch.cat([values for _, values in parts])
        torch.testing.assert_close(found[:, 0], index.float())
        assert found[:, 1].tolist() == data.sizes[index.numpy()].tolist()


def test_batches_are_of_about_one_length() -> None:
    data, unsorted = Ragged(), Ragged(sized=False)
    for one in (data, unsorted):
        done: list[tuple[int, int]] = []
        options: dict[str, Any] = {"batch_size": BATCH, "progress": lambda *at, to=done: to.append(at)}
        list(encode_features(nn.Identity(), one, means, device=torch.device("cpu"), **options))
        assert done[-1] == (ROWS, ROWS)
    assert data.sizes.sum() <= data.padded < 1.15 * data.sizes.sum()
    assert unsorted.padded > 1.6 * data.sizes.sum()


def test_only_rows_near_each_other_change_places() -> None:
    order = length_order(np.random.default_rng(0).integers(1, 9, 100), 16)
    assert sorted(order.tolist()) == list(range(100))
    assert (np.abs(order - np.arange(100)) < 16).all()
    assert length_order(np.zeros(0, np.int64), 4).tolist() == []
    assert length_order(np.array([2, 2, 7]), 3).tolist() == [2, 0, 1]


def test_the_order_of_some_rows_is_that_of_their_lengths() -> None:
    data = Ragged()
    rows = torch.tensor([7, 400, 3, 3, 250])
    order = encoding_order(data, BATCH, rows)
    assert data.sizes[rows.numpy()[order]].tolist() == sorted(data.sizes[rows.numpy()].tolist(), reverse=True)
    assert encoding_order(data, BATCH).tolist() == length_order(data.sizes, 16 * BATCH).tolist()
    assert encoding_order(Ragged(sized=False), BATCH, rows).tolist() == [0, 1, 2, 3, 4]
    assert encoding_order(Ragged(sized=False), BATCH).tolist() == list(range(ROWS))
