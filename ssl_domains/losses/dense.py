"""The contrastive loss of a small batch as one matrix of anchors × candidates, in few calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ssl_domains.losses.anchor_means import AnchorMeans

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["DenseLoss"]

# Sums of exp over logits of at most this size neither overflow nor underflow in float32.
_SAFE_EXPONENT = 41.0

_Gradients = tuple[Tensor | None, Tensor | None, Tensor | None, None, None]


class DenseLoss(torch.autograd.Function):
    """Loss and gradients of at least one anchor and one candidate, on a CPU.

    In a small batch the number of calls costs more than the arithmetic. So forward computes the gradients too, while
    the exponentials are at hand; backward multiplies them. One matrix is overwritten from logits to exponentials to the
    gradient by the logits, and one more is used as scratch.
    """

    @staticmethod
    def forward(
        ctx: Any,
        z: Tensor,
        keys: Tensor | None,
        tau: Tensor,
        pairs: PairBatch,
        total_anchors: Callable[[Tensor], Tensor] | None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        candidates, scale = z if keys is None else keys, 1 / float(tau)
        i, j = slice(0, len(z)), slice(0, len(candidates))
        tile = pairs.tile(i, j)
        logits = z.new_empty(len(z), len(candidates)).addmm_(z, candidates.T, beta=0, alpha=scale)
        scratch = torch.empty_like(logits)

        w = _weights(tile, z.dtype)
        weights = w.sum(2).double()
        products = _product(w, logits, scratch).sum(2).double()
        # For bool, `any` takes fifty times as long as `amax` for uint8.
        cross = tile.matches.logical_and(pairs.other_sample(i, j)).view(torch.uint8).amax(2)

        means = AnchorMeans(pairs.weights, weights, total_anchors)
        allowed = None if pairs.square and not pairs.has_ignore else tile.allowed
        total, lse, bounded = _exponentials(logits, allowed, scratch)
        loss, per_relation = means.loss(lse, products)
        if any(ctx.needs_input_grad):
            # Without row maxima the exponentials are symmetric, so both roles of a row share one product.
            both_roles = keys is None and bounded
            factor = means.lse_share / total
            _gradient_by_logits(logits, factor, w, means.positive_share, scratch if both_roles else None)
            ctx.save_for_backward(*_gradients(ctx.needs_input_grad, logits, z, keys, scale, both_roles))

        without_cross = 1 - cross.double().mean(1)
        ctx.set_materialize_grads(False)
        outputs = per_relation.to(z.dtype), without_cross.to(z.dtype), means.anchors
        ctx.mark_non_differentiable(*outputs)
        return loss.to(z.dtype), *outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: None) -> _Gradients:
        to_z, to_keys, to_tau = (None if saved is None else saved * grad for saved in ctx.saved_tensors)
        return to_z, to_keys, to_tau, None, None


def _weights(tile: Tile, dtype: torch.dtype) -> Tensor:
    """w ``[R, M, N]``; in float64 with grades, as a tiny grade that is an anchor's only one must not become 0."""
    if any(grades is not None for grades in tile.grades):
        return tile.weights
    return tile.matches.view(torch.uint8).to(dtype)  # bool converts several times slower


def _product(w: Tensor, logits: Tensor, scratch: Tensor) -> Tensor:
    """Weights times logits; in ``scratch`` where they have its shape and dtype."""
    return torch.mul(w, logits, out=scratch[None]) if len(w) == 1 and w.dtype == scratch.dtype else w * logits


def _exponentials(logits: Tensor, allowed: Tensor | None, scratch: Tensor) -> tuple[Tensor, Tensor, bool]:
    """Overwrite logits by their exponentials, 0 outside A(i); where logits are large, divided by the row's largest.

    Args:
        logits: ``[M, N]``, finite.
        allowed: bool ``[M, N]``, the candidates in A(i); None where only the diagonal is not.
        scratch: ``[M, N]``, overwritten.

    Returns:
        Sum of each row, float64 ``[M]``, above 0; log Σ exp of its logits, float64 ``[M]``, any number for a row without
        candidates; whether the logits are so small that nothing was divided.
    """
    tiny = torch.finfo(torch.float64).tiny
    low, high = logits.aminmax()
    bounded = max(float(high), -float(low)) <= _SAFE_EXPONENT
    if bounded:
        logits.exp_()
        if allowed is None:
            logits.fill_diagonal_(0)
        else:
            logits.mul_(scratch.copy_(allowed.view(torch.uint8)))
        total = logits.sum(1).double().clamp_min_(tiny)
        return total, total.log(), True
    if allowed is None:
        logits.fill_diagonal_(-torch.inf)
    else:
        logits.masked_fill_(~allowed, -torch.inf)
    top = logits.amax(1).clamp_min_(torch.finfo(logits.dtype).min)
    total = logits.sub_(top[:, None]).exp_().sum(1).double().clamp_min_(tiny)
    return total, total.log() + top, False


def _gradient_by_logits(terms: Tensor, factor: Tensor, w: Tensor, shares: Tensor, scratch: Tensor | None) -> None:
    """Overwrite exponentials by the gradient of the loss by the logits: softmax minus the positives' weights.

    Args:
        terms: ``[M, N]``, the exponentials.
        factor: ``[M]``, weight of the anchor's log-sum-exp in the loss over the sum of its exponentials.
        w: ``[R, M, N]``.
        shares: ``[R, M]``, weight of an anchor's positives in the loss.
        scratch: ``[M, N]``, to add the gradient by the mirrored logit, in which j is the anchor; None to leave it out.
    """
    terms.mul_(_by_row(factor.to(terms.dtype), scratch))
    if w.dtype == terms.dtype:
        for each, share in zip(w, shares.to(terms.dtype), strict=True):
            terms.addcmul_(each, _by_row(share, scratch), value=-1)
    else:
        wide = None if scratch is None else scratch.double()
        for each, share in zip(w, shares, strict=True):
            terms.sub_(each * _by_row(share, wide))


def _by_row(values: Tensor, scratch: Tensor | None) -> Tensor:
    """A value for each pair: that of its anchor; with ``scratch``, in it, plus that of its candidate."""
    return values[:, None] if scratch is None else torch.add(values[:, None], values[None, :], out=scratch)


def _gradients(
    needed: Sequence[bool], by_logits: Tensor, z: Tensor, keys: Tensor | None, scale: float, both_roles: bool
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients by z, keys and τ, where needed, from that by the logits ``s = scale·z·keysᵀ``, scale = 1/τ."""
    to_z, to_keys, to_tau = needed[:3]
    grad_z = grad_keys = grad_tau = None
    if to_z or to_tau:
        grad_z = torch.empty_like(z).addmm_(by_logits, z if keys is None else keys, beta=0, alpha=scale)
        if keys is None and not both_roles:
            grad_z.addmm_(by_logits.T, z, alpha=scale)
    if to_tau:
        assert grad_z is not None
        roles = 2 if keys is None else 1
        grad_tau = ((grad_z.double() * z).sum() * (-scale / roles)).to(z.dtype)
    if to_keys:
        grad_keys = z.new_empty(by_logits.shape[1], z.shape[1]).addmm_(by_logits.T, z, beta=0, alpha=scale)
    return grad_z if to_z else None, grad_keys, grad_tau
