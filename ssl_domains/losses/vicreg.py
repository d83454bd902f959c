"""VICReg: two views are close, each feature varies over the batch, and no two features vary together."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.losses.barlow_twins import off_diagonal_square, require_two_views
from ssl_domains.losses.parts.autocast import without_autocast

__all__ = ["vicreg_loss"]

_EPSILON = 1e-4  # added to variances, as in the paper


def vicreg_loss(
    one: Tensor, two: Tensor, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0
) -> Tensor:
    """VICReg loss: invariance, variance and covariance terms of two views.

    With s(Z₁, Z₂) the mean squared difference, S the standard deviation of a feature over the batch (divided by n − 1)
    and C the covariance matrix of a view::

        L = λ s(Z₁, Z₂) + μ/2 [v(Z₁) + v(Z₂)] + ν [c(Z₁) + c(Z₂)]
        v(Z) = 1/d Σ_a max(0, 1 − S_a)        c(Z) = 1/d Σ_a Σ_{b≠a} C_ab²        S_a = √(Var_a + 10⁻⁴)

    The factors are those of the authors' code, for which λ = μ = 25 and ν = 1 were chosen. In the text of the paper,
    s isn't divided by d, and v isn't halved. It is a function of the whole batch, not a mean over rows: with several
    processes give it the rows of all.

    Args:
        one: ``[n, d]`` embeddings of the first view, not normalised.
        two: ``[n, d]`` embeddings of the second view of the same samples.
        invariance: λ.
        variance: μ.
        covariance: ν.

    Returns:
        A scalar, float32 (float64 for float64 input).

    Raises:
        UsageError: When the shapes differ, or there are less than two rows.

    References:
        Bardes, Ponce, LeCun 2022, *VICReg: Variance-Invariance-Covariance Regularization*.
    """
    require_two_views(one, two)
    with without_autocast(one.device):
        dtype = torch.promote_types(one.dtype, torch.float32)
        first, second = one.to(dtype), two.to(dtype)
        spread = (_lack_of_variance(first) + _lack_of_variance(second)) / 2
        together = _covariance(first) + _covariance(second)
        return invariance * F.mse_loss(first, second) + variance * spread + covariance * together


def _lack_of_variance(z: Tensor) -> Tensor:
    return F.relu(1 - (z.var(dim=0) + _EPSILON).sqrt()).mean()


def _covariance(z: Tensor) -> Tensor:
    centred = z - z.mean(dim=0)
    return off_diagonal_square(centred.T @ centred / (len(z) - 1)) / z.shape[1]
