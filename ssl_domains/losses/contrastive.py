"""The contrastive loss over any objective: NT-Xent, SupCon and their sums, in O(N·d + tile²) memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ssl_domains.errors import UsageError
from ssl_domains.losses.equal_codes import EqualCodes
from ssl_domains.losses.log_sum_exp import LogSumExp
from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.predicates import Predicates
from ssl_domains.losses.sweep import LOG2_E, Sweep, accumulator

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["contrastive_loss"]

_Gradients = tuple[Tensor | None, Tensor | None, Tensor | None, None, None, None]


def contrastive_loss(
    z: Tensor,
    pairs: PairBatch,
    temperature: float | Tensor = 0.1,
    candidates: Tensor | None = None,
    tile: int | None = None,
    total_anchors: Callable[[Tensor], Tensor] | None = None,
) -> LossOutput:
    """Contrastive loss: pulls each anchor towards its positives, with all allowed candidates in the denominator.

    For each relation r, with s_ij = z_i·c_j/τ, A(i) the allowed candidates of anchor i, P_r(i) its positives and w_ip
    their weights, the mean is over the anchors that have a positive in r::

        L_r = mean_i [ log Σ_{j∈A(i)} exp(s_ij) − Σ_{p∈P_r(i)} w_ip s_ip / Σ w_ip ]        L = Σ_r α_r L_r

    With no relation this is NT-Xent (SimCLR); with one ``same()`` rule it is SupCon's L_out. An anchor without
    positives is left out; when no anchor is left, the loss is exactly 0 and so is its gradient.

    Relations that are equality of codes cost O(N·d) by segment sums; predicates and ignore rules are evaluated tile by
    tile. One sweep over all tiles computes the log-sum-exp, and backward repeats the sweep instead of storing N×N
    numbers. Where the candidates are the anchors, only half of the tiles are computed, as the matrix of logits is
    symmetric. The loss runs in float32 (float64 for float64 input) even inside autocast.

    Args:
        z: ``[M, d]`` embeddings of the anchors, ℓ2-normalised by the caller, in the order of ``pairs.anchors``.
        pairs: Which candidates are positive, ignored or negative for each anchor.
        temperature: τ > 0. A tensor that requires a gradient gets it. The value of a tensor on an accelerator
            isn't checked, as that would wait for the device: if it is not positive and finite, the loss is NaN.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; replaces the batch as candidates. May require a
            gradient. Needed unless the candidates are the anchors themselves. Rows of sample −1, the unfilled places
            of a queue, may hold any values, NaN included, and get a gradient of 0.
        tile: Side of the square tiles of the sweep; peak extra memory is a few ``tile × tile`` matrices. None for a
            side that suits the device.
        total_anchors: For anchors that are a part of a larger batch, such as those of one process: a function from the
            number of these anchors that have a positive, by relation (int64 ``[R]``, on the device of ``z``), to that
            of the whole batch, M_r. The losses of the parts then add up to the loss of the whole batch, and their
            gradients to its gradient.

    Returns:
        The loss, and the loss and number of anchors of each relation.

    Raises:
        UsageError: When the shapes don't fit the pairs, or τ is not positive.

    References:
        Chen et al. 2020, *A Simple Framework for Contrastive Learning of Visual Representations*; Khosla et al. 2020,
        *Supervised Contrastive Learning*.
    """
    if isinstance(temperature, float | int) or temperature.device.type == "cpu":
        value = float(temperature.detach() if isinstance(temperature, Tensor) else temperature)
        if not (value > 0 and math.isfinite(value)):
            raise UsageError(f"the temperature is {value:g}", "it must be a positive number, such as 0.1")
    if candidates is None and not pairs.square:
        raise UsageError("these pairs have candidates of their own", "hand their embeddings over as candidates=")
    keys = z if candidates is None else candidates
    for name, x, rows in (("z", z, len(pairs.anchors)), ("candidates", keys, len(pairs.candidates))):
        if x.ndim != 2 or len(x) != rows:
            raise UsageError(f"{name} is {list(x.shape)} but the pairs have {rows} rows", "one embedding [d] a row")
    if z.shape[1] != keys.shape[1]:
        raise UsageError(f"anchors have {z.shape[1]} dimensions, candidates {keys.shape[1]}", "use one projection")
    with torch.autocast(z.device.type, enabled=False):
        dtype = torch.promote_types(torch.promote_types(z.dtype, keys.dtype), torch.float32)
        queries = z.to(dtype)
        others = None if candidates is None else _filled(keys.to(dtype), pairs)
        tau = torch.as_tensor(temperature, dtype=dtype, device=z.device).reshape(())
        if isinstance(temperature, Tensor) and temperature.device.type != "cpu":
            tau = torch.where((tau > 0) & tau.isfinite(), tau, torch.nan)
        return LossOutput(*_Contrastive.apply(queries, others, tau, pairs.to(z.device), tile, total_anchors))


def _filled(keys: Tensor, pairs: PairBatch) -> Tensor:
    """Replace unfilled rows by zeros: no anchor uses them, but their NaN times a weight of 0 would be NaN."""
    filled = (pairs.candidates.sample >= 0).to(keys.device)
    return torch.where(filled[:, None], keys, 0)


class _Contrastive(torch.autograd.Function):
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
        dtype = accumulator(z.device)
        alpha = torch.tensor(pairs.weights, dtype=dtype, device=z.device)
        weight_sum = torch.zeros(len(alpha), len(z), dtype=dtype, device=z.device)
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

        counted = weight_sum > 0
        anchors = counted.sum(1)
        if total_anchors is not None:
            anchors = total_anchors(anchors)
        share = counted.to(dtype) / anchors.clamp_min(1)[:, None]
        mean_positive = positive / torch.where(counted, weight_sum, 1)
        per_relation = torch.where(counted, share * (lse - mean_positive), 0).sum(1)

        # dL/ds_ij = lse_share_i · softmax_ij − Σ_r positive_share_ri · w_rij; both are 0 for anchors without a positive
        lse_share = (alpha[:, None] * share).sum(0)
        ctx.positive_share = alpha[:, None] * share / torch.where(counted, weight_sum, 1)
        used = lse_share > 0
        ctx.shift = torch.where(used, lse * LOG2_E - lse_share.log2(), torch.inf).to(z.dtype)
        # Equal to 2^−shift, but computed without the rounding of a logarithm.
        ctx.factor = torch.where(used, lse_share / sums.total, 0).to(z.dtype) if sweep.bounded else None
        ctx.save_for_backward(z, keys, tau)
        ctx.pairs, ctx.side, ctx.equal = pairs, side, equal

        loss = (alpha * per_relation).sum().to(z.dtype)
        without_cross = 1 - cross.to(dtype).sum(1) / max(len(z), 1)
        outputs = per_relation.to(z.dtype), without_cross.to(z.dtype), anchors
        ctx.mark_non_differentiable(*outputs)
        return loss, *outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> _Gradients:
        z, keys, tau = ctx.saved_tensors
        with torch.autocast(z.device.type, enabled=False):
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
