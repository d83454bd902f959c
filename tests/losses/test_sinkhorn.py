"""Sinkhorn's assignment equals its description written as loops, and lightly's."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.sinkhorn import sinkhorn


def scores(n: int, k: int) -> Tensor:
    return torch.rand(n, k, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def reference(values: Tensor, epsilon: float, iterations: int) -> list[list[float]]:
    q = [[math.exp(value / epsilon) for value in row] for row in values.tolist()]
    for _ in range(iterations):
        columns = [sum(row[k] for row in q) for k in range(len(q[0]))]
        q = [[value / columns[k] for k, value in enumerate(row)] for row in q]
        q = [[value / sum(row) for value in row] for row in q]
    return q


@pytest.mark.parametrize(("n", "k", "epsilon", "iterations"), [(1, 3, 0.5, 1), (9, 4, 0.05, 3), (3, 7, 0.2, 10)])
def test_it_is_the_algorithm(n: int, k: int, epsilon: float, iterations: int) -> None:
    values = scores(n, k)
    expected = torch.tensor(reference(values, epsilon, iterations), dtype=torch.float64)
    torch.testing.assert_close(sinkhorn(values, epsilon, iterations), expected)


def test_it_is_lightlys() -> None:
    peer = pytest.importorskip("lightly.loss.swav_loss").sinkhorn
    values = scores(32, 6).float()
    torch.testing.assert_close(sinkhorn(values), peer(values), rtol=1e-5, atol=1e-5)


def test_prototypes_get_equal_totals() -> None:
    q = sinkhorn(scores(40, 5), 0.5, 200)
    torch.testing.assert_close(q.sum(dim=0), torch.full((5,), 8.0, dtype=torch.float64))
    torch.testing.assert_close(q.sum(dim=1), torch.ones(40, dtype=torch.float64))


def test_rows_that_are_not_counted_change_nothing() -> None:
    values, counted = scores(6, 3), torch.tensor([True, False, True, True, False, True])
    values[1], values[4] = torch.nan, 1e9
    q = sinkhorn(values, counted=counted)
    torch.testing.assert_close(q[counted], sinkhorn(values[counted]))
    assert not q[~counted].any()
    assert not sinkhorn(values, counted=torch.zeros(6, dtype=torch.bool)).any()


def test_large_scores_do_not_overflow_in_float32() -> None:
    q = sinkhorn(scores(8, 3).float() * 1000, 0.05)
    assert bool(torch.isfinite(q).all())


def test_impossible_settings_are_refused() -> None:
    for settings in ({"epsilon": 0.0}, {"iterations": 0}):
        with pytest.raises(UsageError, match="Sinkhorn with"):
            sinkhorn(scores(2, 2), **settings)  # type: ignore[arg-type]
