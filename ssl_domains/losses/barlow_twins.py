"""Barlow Twins: the correlation matrix of two views over the batch is to be the identity."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.parts.autocast import without_autocast

__all__ = ["barlow_twins_loss", "off_diagonal_square", "require_two_views"]

_EPSILON = 1e-5  # added to variances, as in BatchNorm


def barlow_twins_loss(one: Tensor, two: Tensor, redundancy: float = 5e-3) -> Tensor:
    """Barlow Twins loss: equal features of two views are to correlate fully, different features not at all.

    With C the correlation over the batch, both views standardised to mean 0 and variance 1 (divided by n)::

        L = Σ_a (1 − C_aa)² + λ Σ_a Σ_{b≠a} C_ab²        C = Ẑ₁ᵀ Ẑ₂ / n

    It is a function of the whole batch, not a mean over rows: with several processes give it the rows of all.

    Args:
        one: ``[n, d]`` embeddings of the first view, not normalised.
        two: ``[n, d]`` embeddings of the second view of the same samples.
        redundancy: λ, the weight of the off-diagonal entries.

    Returns:
        A scalar, float32 (float64 for float64 input).

    Raises:
        UsageError: When the shapes differ, or there are less than two rows.

    References:
        Zbontar et al. 2021, *Barlow Twins: Self-Supervised Learning via Redundancy Reduction*, Algorithm 1.
    """
    require_two_views(one, two)
    with without_autocast(one.device):
        dtype = torch.promote_types(one.dtype, torch.float32)
        first, second = (_standardised(view.to(dtype)) for view in (one, two))
        correlation = first.T @ second / len(first)
        return (correlation.diagonal() - 1).square().sum() + redundancy * off_diagonal_square(correlation)


def require_two_views(one: Tensor, two: Tensor) -> None:
    """Check that two views have equal shapes and enough rows for statistics of the batch.

    Raises:
        UsageError: When they don't.
    """
    if one.ndim != 2 or one.shape != two.shape:
        raise UsageError(f"two views of shapes {list(one.shape)} and {list(two.shape)}", "both are [n, d]")
    if len(one) < 2:
        raise UsageError("a statistic of the batch over one row", "use --set train.batch_size=2")


def off_diagonal_square(matrix: Tensor) -> Tensor:
    """Sum of the squared entries of a square matrix outside its diagonal."""
    diagonal = torch.eye(len(matrix), dtype=torch.bool, device=matrix.device)
    return matrix.masked_fill(diagonal, 0).square().sum()


def _standardised(z: Tensor) -> Tensor:
    return (z - z.mean(dim=0)) / (z.var(dim=0, correction=0) + _EPSILON).sqrt()
