"""VICReg's loss equals its formula written as loops; its factors are those of the authors' code and of lightly."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.vicreg import vicreg_loss


def views(n: int, d: int) -> tuple[Tensor, Tensor]:
    made = torch.randn(2, n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return made[0] * torch.linspace(0.2, 2, d), made[0] * 0.5 + made[1]


def terms(one: Tensor, two: Tensor) -> tuple[float, float, float]:
    """s summed over dimensions, v + v' and c + c' of the text of the paper."""
    n, d = one.shape
    s = sum((float(one[i, a]) - float(two[i, a])) ** 2 for i in range(n) for a in range(d)) / n
    v = c = 0.0
    for z in (one.tolist(), two.tolist()):
        mean = [sum(row[a] for row in z) / n for a in range(d)]
        for a in range(d):
            for b in range(d):
                cov = sum((row[a] - mean[a]) * (row[b] - mean[b]) for row in z) / (n - 1)
                if a == b:
                    v += max(0.0, 1 - (cov + 1e-4) ** 0.5) / d
                else:
                    c += cov**2 / d
    return s, v, c


@pytest.mark.parametrize(("n", "d"), [(2, 1), (6, 4), (12, 3)])
def test_it_is_the_formula_with_the_factors_of_the_code(n: int, d: int) -> None:
    one, two = views(n, d)
    s, v, c = terms(one, two)
    for weights in ((25.0, 25.0, 1.0), (1.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 2.0)):
        # The text of the paper has s where the code has s / d, and v + v' where the code has half of it.
        expected = weights[0] * s / d + weights[1] * v / 2 + weights[2] * c
        assert float(vicreg_loss(one, two, *weights)) == pytest.approx(expected, rel=1e-10)


def test_it_is_lightlys() -> None:
    peer = pytest.importorskip("lightly.loss").VICRegLoss(lambda_param=3.0, mu_param=2.0, nu_param=0.5)
    one, two = (view.float() for view in views(32, 8))
    torch.testing.assert_close(vicreg_loss(one, two, 3.0, 2.0, 0.5), peer(one, two), rtol=1e-5, atol=1e-5)


def test_gradient() -> None:
    one, two = (view.requires_grad_() for view in views(5, 3))
    assert torch.autograd.gradcheck(vicreg_loss, (one, two))


def test_wrong_shapes_are_refused() -> None:
    one, two = views(5, 3)
    with pytest.raises(UsageError, match="two views of shapes"):
        vicreg_loss(one, two[:, :2])
    with pytest.raises(UsageError, match="over one row"):
        vicreg_loss(one[:1], two[:1])
