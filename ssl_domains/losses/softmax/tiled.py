"""The contrastive loss computed tile by tile, in O(N·d + tile²) memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ssl_domains.losses.parts.accumulator import accumulator
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.softmax.anchor_means import AnchorMeans
from ssl_domains.losses.softmax.equal_codes import EqualCodes
from ssl_domains.losses.softmax.log_sum_exp import LogSumExp
from ssl_domains.losses.softmax.predicates import Predicates
from ssl_domains.losses.softmax.sweep import LOG2_E, Sweep

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["TiledLoss"]

_Gradients = tuple[Tensor | None, Tensor | None, Tensor | None, None, None, None]


class TiledLoss(torch.autograd.Function):
    """Forward and backward of the loss, each with one sweep over tiles; relations by codes need no tile."""

    @staticmethod
    def forward(
        ctx: Any,
        z: Tensor,
        keys: Tensor | None,
        tau: Tensor,
        pairs: PairBatch,
        side: int | None,
        total_anchors: Callable[[Tensor], Tensor] | None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """See `contrastive_loss`; returns the values of a `LossOutput`."""
        dtype = accumulator(z.device)
        weight_sum = torch.zeros(len(pairs.weights), len(z), dtype=dtype, device=z.device)
        positive = torch.zeros_like(weight_sum)
        cross = torch.zeros_like(weight_sum, dtype=torch.bool)

        equal = EqualCodes(pairs)
        weight_sum[equal.relations] = equal.counts.to(dtype)
        positive[equal.relations] = equal.products(z.to(dtype), None if keys is None else keys.to(dtype)) / tau
        for r in equal.relations:
            cross[r] = pairs.cross_by_codes(r)

        sweep = Sweep(z, keys, tau, pairs, side)
        predicates = Predicates(sweep, len(z))
        sums = LogSumExp(sweep, len(z))
        for tile in sweep.tiles():
            predicates.add(tile)
            tile.mask_logits()
            sums.add(tile)
        lse = sums.value() / LOG2_E
        weight_sum[sweep.predicates] = predicates.weights
        positive[sweep.predicates] = predicates.products / LOG2_E
        cross[sweep.predicates] = predicates.cross

        means = AnchorMeans(pairs.weights, weight_sum, total_anchors)
        lse_share = means.lse_share
        ctx.positive_share = means.positive_share
        used = lse_share > 0
        ctx.shift = torch.where(used, lse * LOG2_E - lse_share.log2(), torch.inf).to(z.dtype)
        # Equal to 2^−shift, but computed without the rounding of a logarithm.
        ctx.factor = torch.where(used, lse_share / sums.total, 0).to(z.dtype) if sweep.bounded else None
        ctx.save_for_backward(z, keys, tau)
        ctx.pairs, ctx.side, ctx.equal = pairs, side, equal

        loss, per_relation = means.loss(positive, lse.clamp_min(torch.finfo(dtype).min))
        without_cross = 1 - cross.to(dtype).sum(1) / max(len(z), 1)
        outputs = per_relation.to(z.dtype), without_cross.to(z.dtype), means.anchors
        ctx.mark_non_differentiable(*outputs)
        return loss.to(z.dtype), *outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> _Gradients:
        """A second sweep; the tiles are computed again."""
        z, keys, tau = ctx.saved_tensors
        with without_autocast(z.device):
            if keys is None:
                return _square_gradients(ctx, z, tau, grad)
            return _gradients(ctx, z, keys, tau, grad)


def _gradients(ctx: Any, z: Tensor, keys: Tensor, tau: Tensor, grad: Tensor) -> _Gradients:
    to_z, to_keys, to_tau = ctx.needs_input_grad[:3]
    grad_z, grad_keys = torch.zeros_like(z), torch.zeros_like(keys) if to_keys else None
    sweep = Sweep(z, keys, tau, ctx.pairs, ctx.side)
    predicates = Predicates(sweep, len(z))
    for tile in sweep.tiles():
        logits = tile.mask_logits()
        if ctx.factor is None:
            gradient = logits.sub_(ctx.shift[tile.i, None]).exp2_()
        else:
            gradient = logits.exp2_().mul_(ctx.factor[tile.i, None])
        predicates.subtract(gradient, tile, ctx.positive_share)
        if to_z or to_tau:
            grad_z[tile.i].addmm_(gradient, keys[tile.j])
        if grad_keys is not None:
            grad_keys[tile.j].addmm_(gradient.T, z[tile.i])

    dtype = ctx.positive_share.dtype
    wide_z, wide_keys = z.to(dtype), keys.to(dtype)
    equal: EqualCodes = ctx.equal
    shares = ctx.positive_share[equal.relations]
    scale = grad.to(dtype) / tau.to(dtype)
    wide = grad_z.to(dtype).sub_(equal.pull(shares, wide_keys)).mul_(scale)
    grad_tau = (-(wide * wide_z).sum() / tau).to(tau.dtype) if to_tau else None
    if grad_keys is not None:
        grad_keys = grad_keys.to(dtype).sub_(equal.pull_back(shares, wide_z)).mul_(scale).to(keys.dtype)
    return wide.to(z.dtype) if to_z else None, grad_keys, grad_tau, None, None, None


def _square_gradients(ctx: Any, z: Tensor, tau: Tensor, grad: Tensor) -> _Gradients:
    """Gradients where the candidates are the anchors: by the logits it is G + Gᵀ, as each row has both roles."""
    to_z, _, to_tau = ctx.needs_input_grad[:3]
    grad_z = torch.zeros_like(z)
    sweep = Sweep(z, None, tau, ctx.pairs, ctx.side)
    predicates = Predicates(sweep, len(z))
    factor = ctx.factor
    for tile in sweep.tiles():
        logits, i, j = tile.mask_logits(), tile.i, tile.j
        both = sweep.spare(logits)
        if factor is not None:
            gradient = logits.exp2_().mul_(torch.add(factor[i, None], factor[None, j], out=both))
        else:
            torch.sub(logits, ctx.shift[None, j], out=both)
            gradient = logits.sub_(ctx.shift[i, None]).exp2_().add_(both.exp2_())
        predicates.subtract(gradient, tile, ctx.positive_share)
        grad_z[i].addmm_(gradient, z[j])
        if tile.mirrored:
            grad_z[j].addmm_(gradient.T, z[i])

    dtype = ctx.positive_share.dtype
    wide_z = z.to(dtype)
    equal: EqualCodes = ctx.equal
    pull = equal.pull(ctx.positive_share[equal.relations], wide_z)
    wide = grad_z.to(dtype).sub_(pull, alpha=2).mul_(grad.to(dtype) / tau.to(dtype))
    grad_tau = (-(wide * wide_z).sum() / (2 * tau)).to(tau.dtype) if to_tau else None
    return wide.to(z.dtype) if to_z else None, None, grad_tau, None, None, None
