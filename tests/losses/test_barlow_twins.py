"""Barlow Twins' loss equals its formula written as loops, and lightly's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.barlow_twins import barlow_twins_loss


def views(n: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    made = torch.randn(2, n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return made[0] * 3 + 1, made[0] + made[1]


def reference(one: Tensor, two: Tensor, redundancy: float) -> float:
    n, d = one.shape
    loss = 0.0
    for a in range(d):
        for b in range(d):
            x, y = one[:, a].tolist(), two[:, b].tolist()
            mean_x, mean_y = sum(x) / n, sum(y) / n
            var_x = sum((v - mean_x) ** 2 for v in x) / n + 1e-5
            var_y = sum((v - mean_y) ** 2 for v in y) / n + 1e-5
            c = sum((u - mean_x) * (v - mean_y) for u, v in zip(x, y, strict=True)) / n / (var_x * var_y) ** 0.5
            loss += (1 - c) ** 2 if a == b else redundancy * c**2
    return loss


@pytest.mark.parametrize(("n", "d", "redundancy"), [(2, 1, 0.1), (7, 5, 5e-3), (16, 3, 1.0)])
def test_it_is_the_formula(n: int, d: int, redundancy: float) -> None:
    one, two = views(n, d)
    assert float(barlow_twins_loss(one, two, redundancy)) == pytest.approx(reference(one, two, redundancy), rel=1e-10)


def test_it_is_lightlys() -> None:
    peer = pytest.importorskip("lightly.loss").BarlowTwinsLoss(lambda_param=0.02)
    one, two = (view.float() for view in views(32, 8))
    torch.testing.assert_close(barlow_twins_loss(one, two, 0.02), peer(one, two), rtol=1e-5, atol=1e-5)


def test_gradient() -> None:
    one, two = (view.requires_grad_() for view in views(5, 3))
    assert torch.autograd.gradcheck(barlow_twins_loss, (one, two))


def test_a_constant_feature_gives_a_finite_loss() -> None:
    one, two = views(5, 3)
    one[:, 0] = two[:, 0] = 4.0
    assert bool(torch.isfinite(barlow_twins_loss(one, two)))


def test_bfloat16_is_computed_in_float32() -> None:
    one, two = (view.bfloat16() for view in views(8, 4))
    with torch.autocast("cpu", torch.bfloat16):
        loss = barlow_twins_loss(one, two)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, barlow_twins_loss(one.float(), two.float()))


def test_wrong_shapes_are_refused() -> None:
    one, two = views(5, 3)
    with pytest.raises(UsageError, match="two views of shapes"):
        barlow_twins_loss(one, two[:4])
    with pytest.raises(UsageError, match="over one row"):
        barlow_twins_loss(one[:1], two[:1])
