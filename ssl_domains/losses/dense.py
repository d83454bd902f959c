"""The contrastive loss of a small batch as one matrix of anchors × candidates, in few calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ssl_domains.losses.anchor_means import AnchorMeans

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch, Tile

__all__ = ["DenseLoss"]

# Rows from which one matrix product less is worth some more calls.
_SYMMETRIC = 192

# Sums of exp over logits of at most this size neither overflow nor underflow in float32.
_SAFE_EXPONENT = 41.0

_Gradients = tuple[Tensor | None, Tensor | None, Tensor | None, None, None]


class DenseLoss(torch.autograd.Function):
    """Loss and gradients of at least one anchor and one candidate, on a CPU.

    In a small batch the number of calls costs more than the arithmetic. So forward computes the gradients too, while
    the probabilities are at hand, and backward multiplies them. Two matrices are overwritten step by step.
    """

    @staticmethod
    def forward(
        ctx: Any,
        z: Tensor,
        keys: Tensor | None,
        tau: float | Tensor,
        pairs: PairBatch,
        total_anchors: Callable[[Tensor], Tensor] | None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """See `contrastive_loss`; returns the values of a `LossOutput`."""
        candidates, scale = z if keys is None else keys, 1 / float(tau.detach() if isinstance(tau, Tensor) else tau)
        tile = pairs.dense()
        logits = _product(z, candidates.T, scale)
        w = _weights(tile, z.dtype)
        means = AnchorMeans(pairs.weights, w.sum(2).double(), total_anchors)
        allowed = None if pairs.square and not pairs.has_ignore else tile.allowed
        symmetric = keys is None and z.shape[0] >= _SYMMETRIC and _largest(logits) <= _SAFE_EXPONENT
        by_form = _by_exponentials if symmetric else _by_log_softmax
        loss, per_relation, gradient = by_form(logits, allowed, w, means)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(*_gradients(ctx.needs_input_grad, gradient, z, keys, scale, symmetric))

        without_cross = torch.rsub(_cross_sample(tile, pairs).double().mean(1), 1)
        outputs = per_relation.to(z.dtype), without_cross.to(z.dtype), means.anchors
        ctx.mark_non_differentiable(*outputs)
        ctx.set_materialize_grads(False)
        return loss.to(z.dtype), *outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: None) -> _Gradients:
        """The gradients of forward times the gradient of the loss."""
        to_z, to_keys, to_tau = (None if saved is None else saved * grad for saved in ctx.saved_tensors)
        return to_z, to_keys, to_tau, None, None


def _weights(tile: Tile, dtype: torch.dtype) -> Tensor:
    """w ``[R, M, N]``; in float64 with grades, as a tiny grade that is an anchor's only one must not become 0."""
    if any(grades is not None for grades in tile.grades):
        return tile.weights
    return tile.matches.view(torch.uint8).to(dtype)  # bool converts several times slower


def _cross_sample(tile: Tile, pairs: PairBatch) -> Tensor:
    """Whether each anchor has a positive of another sample, uint8 ``[R, M]``."""
    other = pairs.other_sample(slice(None), slice(None))
    return tile.matches.logical_and(other).view(torch.uint8).amax(2)  # bool reduces fifty times slower


def _by_log_softmax(
    logits: Tensor, allowed: Tensor | None, w: Tensor, means: AnchorMeans
) -> tuple[Tensor, Tensor, Tensor]:
    """L, L_r, and the gradient of L by the logits ``[M, N]``, for any logits.

    Args:
        logits: ``[M, N]``, overwritten.
        allowed: bool ``[M, N]``, the candidates in A(i); None where only the diagonal is not.
        w: Weights of the positives, ``[R, M, N]``.
        means: Their sums.
    """
    # Finite, so that a weight of 0 times its logarithm is 0.
    lowest = -1e30
    if allowed is None:
        logits.fill_diagonal_(lowest)
    else:
        logits.masked_fill_(~allowed, lowest)
    log_p = torch.log_softmax(logits, 1)
    loss, per_relation = means.loss(_products(w, log_p, logits))
    gradient = log_p.exp_().mul_(means.lse_share.to(log_p.dtype)[:, None])
    for each, share in zip(w.unbind(), means.positive_share.to(w.dtype).unbind(), strict=True):
        _subtract(gradient, each, share[:, None])
    return loss, per_relation, gradient


def _by_exponentials(
    logits: Tensor, allowed: Tensor | None, w: Tensor, means: AnchorMeans
) -> tuple[Tensor, Tensor, Tensor]:
    """The same where candidates are the anchors and logits are small; the gradient G of the loss becomes G + Gᵀ.

    exp(s) is symmetric, and so are the weights. So G + Gᵀ, by which both roles of a row share one product of matrices,
    needs no transposed matrix: each exponential is multiplied by the sum of what row and column multiply it by.
    """
    scratch = torch.empty_like(logits)
    products = _products(w, logits, scratch)
    terms = logits.exp_()
    if allowed is None:
        terms.fill_diagonal_(0)
    else:
        terms.mul_(scratch.copy_(allowed.view(torch.uint8)))
    # The sum is 0 only without a candidate in A(i), for an anchor that has no share in the loss.
    total = terms.sum(1).double().clamp_min_(torch.finfo(torch.float64).tiny)
    loss, per_relation = means.loss(products, total.log())
    factor = (means.lse_share / total).to(terms.dtype)
    terms.mul_(torch.add(factor[:, None], factor, out=scratch))
    wide = scratch if w.dtype == scratch.dtype else scratch.to(w.dtype)
    for each, share in zip(w.unbind(), means.positive_share.to(w.dtype).unbind(), strict=True):
        _subtract(terms, each, torch.add(share[:, None], share, out=wide))
    return loss, per_relation, terms


def _products(w: Tensor, values: Tensor, scratch: Tensor) -> Tensor:
    """Σ_j w_rij·values_ij, float64 ``[R, M]``; ``scratch`` may be overwritten."""
    if w.shape[0] == 1 and w.dtype == scratch.dtype:
        return torch.mul(w, values, out=scratch[None]).sum(2).double()
    return (w * values).sum(2).double()


def _subtract(gradient: Tensor, w: Tensor, share: Tensor) -> None:
    if w.dtype == gradient.dtype:
        gradient.addcmul_(w, share, value=-1)
    else:
        gradient.sub_(w * share)


def _gradients(
    needed: Sequence[bool], by_logits: Tensor, z: Tensor, keys: Tensor | None, scale: float, both_roles: bool
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients by z, keys and τ, where needed, from that by the logits ``s = scale·z·keysᵀ``, scale = 1/τ."""
    to_z, to_keys, to_tau = needed[:3]
    grad_z = grad_keys = grad_tau = None
    if to_z or to_tau:
        grad_z = _product(by_logits, z if keys is None else keys, scale)
        if keys is None and not both_roles:
            grad_z.addmm_(by_logits.T, z, alpha=scale)
    if to_tau:
        assert grad_z is not None
        roles = 2 if keys is None else 1
        grad_tau = ((grad_z.double() * z).sum() * (-scale / roles)).to(z.dtype)
    if to_keys:
        grad_keys = _product(by_logits.T, z, scale)
    return grad_z if to_z else None, grad_keys, grad_tau


def _product(a: Tensor, b: Tensor, scale: float) -> Tensor:
    """scale·ab, in one call."""
    return a.new_empty(a.shape[0], b.shape[1]).addmm_(a, b, beta=0, alpha=scale)


def _largest(values: Tensor) -> float:
    low, high = values.aminmax()
    return max(float(high), -float(low))
