"""The contrastive loss of a small batch as one matrix of anchors × candidates, in few calls.

In a small batch the number of calls costs more than the arithmetic, and most calls of NumPy cost a fraction of those of
torch. So vectors are NumPy arrays. Two matrices are overwritten step by step, and the gradients are computed together
with the loss, while the probabilities are at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from ssl_domains.losses.output import LossOutput

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch, PairMatrices

__all__ = ["dense_loss"]

Floats = NDArray[np.float64]
_Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]

_SAFE_EXPONENT = 41.0
"""Sums of exp over logits of at most this size neither overflow nor underflow in float32."""

_TINY = float(np.finfo(np.float64).tiny)

_LOWEST = -1e30
"""The logit of a candidate outside A(i) before a maximum is taken: finite, so that a weight of 0 times it is 0."""


def dense_loss(
    z: Tensor,
    keys: Tensor | None,
    tau: float | Tensor,
    pairs: PairBatch,
    total_anchors: Callable[[Tensor], Tensor] | None,
) -> LossOutput:
    """See `contrastive_loss`; for at least one anchor and one candidate, on the CPU.

    Args:
        z: ``[M, d]`` anchors, float32 or float64.
        keys: ``[N, d]`` candidates of the same dtype; None when they are the anchors.
        tau: Temperature, of the same dtype if it is a tensor.
        pairs: The pairs.
        total_anchors: See `contrastive_loss`.
    """
    anchors, candidates, scale = (
        z.detach(),
        z.detach() if keys is None else keys.detach(),
        1 / float(tau.detach() if isinstance(tau, Tensor) else tau),
    )
    logits = _product(anchors, candidates.T, scale)
    s = logits.numpy()
    matrices = pairs.matrices(s.dtype)
    means = _AnchorMeans.of(pairs.weights, matrices, total_anchors)

    small = _all_small(s, keys is None)
    if not small:
        _exclude(s, matrices, _LOWEST)
        s -= s.max(1, keepdims=True)  # shifts log-sum-exp and positives of an anchor alike
    products = np.array([np.einsum("ij,ij->i", w, s) for w in matrices.weights], dtype=np.float64)
    logits.exp_()
    _exclude(s, matrices, 0)
    # A sum is 0 only without a candidate in A(i), for an anchor that has no share in the loss.
    sums = np.maximum(logits.sum(1).numpy(), _TINY, dtype=np.float64)
    # 0.0 is added so that no loss is −0.
    weighted = (means.share * np.log(sums) - means.positive_share * products).sum(1) + 0.0

    loss = float(weighted.sum())
    needed = [isinstance(x, Tensor) and x.requires_grad and torch.is_grad_enabled() for x in (z, keys, tau)]
    if any(needed):
        both_roles = keys is None and small
        gradient = _by_logits(logits, matrices, means, sums, both_roles)
        if keys is None and not both_roles:
            gradient = gradient + gradient.T
        value = _Attached.apply(
            loss, _gradients(needed, gradient, anchors, candidates, scale, keys is None), z, keys, tau
        )
    else:
        value = z.new_tensor(loss)
    return LossOutput(
        value,
        torch.from_numpy((weighted / pairs.weights).astype(s.dtype)),
        torch.from_numpy((1 - matrices.cross_sample.sum(1) / len(s)).astype(s.dtype)),
        means.anchors,
    )


class _Attached(torch.autograd.Function):
    """A loss whose gradients are known; backward multiplies them by its own gradient."""

    @staticmethod
    def forward(ctx: Any, value: float, gradients: _Gradients, z: Tensor, *_: Tensor | float | None) -> Tensor:
        """The loss as a scalar tensor, attached to z, candidates and τ."""
        ctx.save_for_backward(*gradients)
        return z.new_tensor(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The known gradients times that of the loss."""
        return (None, None, *(None if saved is None else saved * grad for saved in ctx.saved_tensors))


@dataclass(frozen=True, eq=False)
class _AnchorMeans:
    """The share of each anchor in the loss, as in `ssl_domains.losses.softmax.anchor_means.AnchorMeans`.

    Attributes:
        anchors: int64 ``[R]``, M_r.
        share: ``[R, M]``, α_r / M_r, 0 for an anchor without positives in relation r.
        positive_share: ``[R, M]``, ``share`` over the sum of the weights of the anchor's positives.
    """

    anchors: Tensor
    share: Floats
    positive_share: Floats

    @classmethod
    def of(
        cls, alphas: Sequence[float], matrices: PairMatrices, total_anchors: Callable[[Tensor], Tensor] | None
    ) -> _AnchorMeans:
        weights = np.array([np.einsum("ij->i", w) for w in matrices.weights], dtype=np.float64)
        counted = weights > 0
        anchors = torch.from_numpy(counted.sum(1))
        if total_anchors is not None:
            anchors = total_anchors(anchors)
        share = counted * (alphas / np.maximum(anchors.numpy(), 1))[:, None]
        return cls(anchors, share, share / np.where(counted, weights, 1))


def _by_logits(terms: Tensor, matrices: PairMatrices, means: _AnchorMeans, sums: Floats, both_roles: bool) -> Tensor:
    """The gradient G of the loss by the logits ``[M, N]``, or G + Gᵀ, in place of ``terms``.

    Where candidates are the anchors, both roles of a row share one product of matrices with G + Gᵀ. Exponentials
    without a shift are symmetric, and so are the weights. So G + Gᵀ needs no transposed matrix: each of them is
    multiplied by the sum of the factors of its row and of its column.

    Args:
        terms: exp of the logits, 0 outside A(i).
        matrices: Weights of the positives.
        means: Their shares.
        sums: Of each row of ``terms``.
        both_roles: Whether to give G + Gᵀ.
    """
    scratch = torch.empty_like(terms) if both_roles else None

    def factors(share: Floats, dtype: np.dtype[Any]) -> Tensor:
        row = torch.from_numpy(share.astype(dtype))
        if scratch is None:
            return row[:, None]
        return torch.add(row[:, None], row, out=scratch if row.dtype == scratch.dtype else None)

    terms.mul_(factors(means.share.sum(0) / sums, terms.numpy().dtype))
    for w, share in zip(matrices.weights, means.positive_share, strict=True):
        # The share of a tiny weight is so large that their product needs the precision of the weight.
        factor, weights = factors(share, w.dtype), torch.from_numpy(w)
        if weights.dtype == terms.dtype:
            terms.addcmul_(weights, factor, value=-1)
        else:
            terms.sub_(weights * factor)
    return terms


def _gradients(
    needed: Sequence[bool], by_logits: Tensor, z: Tensor, keys: Tensor, scale: float, square: bool
) -> _Gradients:
    """Gradients by z, keys and τ, where needed, from that by the logits ``s = scale·z·keysᵀ``, scale = 1/τ.

    ``by_logits`` is G + Gᵀ where the batch is ``square``.
    """
    to_z, to_keys, to_tau = needed
    grad_z = _product(by_logits, keys, scale) if to_z or to_tau else None
    grad_tau = None
    if to_tau:
        assert grad_z is not None
        grad_tau = ((grad_z.double() * z).sum() * (-scale / (2 if square else 1))).to(z.dtype)
    return grad_z if to_z else None, _product(by_logits.T, z, scale) if to_keys else None, grad_tau


def _product(a: Tensor, b: Tensor, scale: float) -> Tensor:
    """scale·ab, in one call."""
    return a.new_empty(a.shape[0], b.shape[1]).addmm_(a, b, beta=0, alpha=scale)


def _all_small(logits: NDArray[Any], square: bool) -> bool:
    """Whether exponentials need no maximum taken off before; False also where logits are NaN."""
    if square:  # by the Cauchy-Schwarz inequality, none is larger than the largest one on the diagonal
        return bool(_diagonal(logits).max() <= _SAFE_EXPONENT)
    return bool(logits.max() <= _SAFE_EXPONENT and logits.min() >= -_SAFE_EXPONENT)


def _exclude(values: NDArray[Any], matrices: PairMatrices, value: float) -> None:
    """Set the pairs outside A(i), in place."""
    if matrices.diagonal:
        _diagonal(values)[:] = value
    elif matrices.allowed is not None and value == 0:
        np.multiply(values, matrices.allowed, out=values)  # takes a third of the time of `putmask`
    elif matrices.allowed is not None:
        np.putmask(values, ~matrices.allowed, value)


def _diagonal(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(-1)[:: len(values) + 1]
