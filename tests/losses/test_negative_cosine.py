"""The negative cosine of SimSiam equals its formula written as a loop, and lightly's."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.negative_cosine import negative_cosine


def rows(n: int, seed: int) -> Tensor:
    return 3 * torch.randn(n, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_it_is_the_formula() -> None:
    p, z = rows(7, 0), rows(7, 1)
    expected = 0.0
    for one, two in zip(p.tolist(), z.tolist(), strict=True):
        expected -= sum(a * b for a, b in zip(one, two, strict=True)) / math.hypot(*one) / math.hypot(*two) / 7
    assert float(negative_cosine(p, z)) == pytest.approx(expected, rel=1e-12)


def test_both_views_at_once_are_lightlys_symmetrised_loss() -> None:
    peer = pytest.importorskip("lightly.loss").NegativeCosineSimilarity()
    p0, p1, z0, z1 = (rows(9, seed).float() for seed in range(4))
    theirs = (peer(p0, z1) + peer(p1, z0)) / 2
    ours = negative_cosine(torch.cat([p0, p1]), torch.cat([z1, z0]))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_gradient_goes_to_both() -> None:
    p, z = rows(5, 0).requires_grad_(), rows(5, 1).requires_grad_()
    assert torch.autograd.gradcheck(negative_cosine, (p, z))


def test_parts_add_up_to_the_whole() -> None:
    p, z = rows(8, 0), rows(8, 1)
    parts = [negative_cosine(p[i], z[i], lambda count: count * 0 + 8) for i in (slice(3), slice(3, 8), slice(8, 8))]
    torch.testing.assert_close(sum(parts), negative_cosine(p, z))
    assert float(parts[2]) == 0


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(UsageError, match="predictions of shape"):
        negative_cosine(rows(3, 0), rows(4, 0))
