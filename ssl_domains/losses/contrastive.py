"""The contrastive loss over any objective: NT-Xent, SupCon and their sums, in O(N·d + tile²) memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ssl_domains.errors import UsageError
from ssl_domains.losses.equal_codes import EqualCodes, accumulator
from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.sweep import Sweep

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["contrastive_loss"]

_Gradients = tuple[Tensor | None, Tensor | None, Tensor | None, None, None, None]


def contrastive_loss(
    z: Tensor,
    pairs: PairBatch,
    temperature: float | Tensor = 0.1,
    candidates: Tensor | None = None,
    tile: int = 1024,
    total_anchors: Callable[[Tensor], Tensor] | None = None,
) -> LossOutput:
    """Pull every anchor towards its positives, against all candidates it may see.

    For each relation r, over the anchors i that have a positive in it, with s = z·c/τ::

        L_r = mean_i [ log Σ_{j∈A(i)} exp(s_ij) − Σ_{p∈P_r(i)} w_ip s_ip / Σ w_ip ]        L = Σ_r α_r L_r

    With no relation this is NT-Xent (SimCLR); with one ``same()`` rule it is SupCon's L_out. An anchor without
    positives is left out; when none is left the loss is an exact 0 whose gradient is 0.

    Relations that are equality of codes cost O(N·d) by segment sums; predicates and ignore rules are evaluated tile
    by tile. Both share one sweep for the log-sum-exp, which backward repeats instead of storing N×N numbers. Runs in
    float32 (float64 for float64 input) even inside autocast.

    Args:
        z: ``[M, d]`` embeddings of the anchors, ℓ2-normalised by the caller, in the order of ``pairs.anchors``.
        pairs: Who is positive, ignored or negative for whom.
        temperature: τ > 0. A tensor that requires a gradient gets it.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; replaces the batch as candidates. May require a
            gradient. Needed unless the candidates are the anchors themselves.
        tile: Side of the square tiles of the sweep; peak extra memory is a few ``tile × tile`` matrices.
        total_anchors: Where these anchors are a part of a larger batch: told how many of them count in each relation
            (int64 ``[R]``, on the device of ``z``), it answers with the number in the whole batch, M_r. The losses of
            the parts then add up to that of the whole, and so do their gradients.

    Returns:
        The loss and its parts per relation.

    Raises:
        UsageError: When shapes and pairs don't fit or τ is not positive.

    References:
        Chen et al. 2020, *A Simple Framework for Contrastive Learning of Visual Representations*; Khosla et al. 2020,
        *Supervised Contrastive Learning*.
    """
    if isinstance(temperature, float | int) and not (temperature > 0 and math.isfinite(temperature)):
        raise UsageError(f"the temperature is {temperature}", "it must be a positive number, such as 0.1")
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
        keys = queries if candidates is None else keys.to(dtype)
        tau = torch.as_tensor(temperature, dtype=dtype, device=z.device).reshape(())
        return LossOutput(*_Contrastive.apply(queries, keys, tau, pairs.to(z.device), tile, total_anchors))


class _Contrastive(torch.autograd.Function):
    """One sweep forward for log-sum-exp and predicates, one backward; codes never enter a tile."""

    @staticmethod
    def forward(
        ctx: Any,
        z: Tensor,
        keys: Tensor,
        tau: Tensor,
        pairs: PairBatch,
        tile: int,
        total_anchors: Callable[[Tensor], Tensor] | None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        dtype = accumulator(z.device)
        alpha = torch.tensor(pairs.weights, dtype=dtype, device=z.device)
        weight_sum = torch.zeros(len(alpha), len(z), dtype=dtype, device=z.device)
        positive = torch.zeros_like(weight_sum)
        cross = torch.zeros_like(weight_sum, dtype=torch.bool)

        equal = EqualCodes(pairs)
        weight_sum[equal.relations] = equal.counts.to(dtype)
        positive[equal.relations] = equal.products(z.to(dtype), keys.to(dtype)) / tau
        for r in equal.relations:
            cross[r] = pairs.cross_by_codes(r)

        sweep = Sweep(z, keys, tau, pairs, tile)
        lse = torch.full((len(z),), -torch.inf, dtype=dtype, device=z.device)
        for i in sweep.strips():
            pieces = []
            for seen in sweep.tiles(i):
                if seen.weights is not None:
                    weight_sum[sweep.predicates, i] += seen.weights.sum(2)
                    positive[sweep.predicates, i] += torch.einsum("rij,ij->ri", seen.weights, seen.logits.to(dtype))
                    cross[sweep.predicates, i] |= ((seen.weights > 0) & sweep.other_sample(i, seen.j)).any(2)
                logits = seen.mask_logits()
                top = logits.amax(1, keepdim=True).clamp_min(torch.finfo(logits.dtype).min)
                total = logits.sub_(top).exp_().sum(1)
                pieces.append(top[:, 0].to(dtype) + total.to(dtype).log())
            if pieces:
                lse[i] = torch.stack(pieces).logsumexp(0)

        counted = weight_sum > 0
        anchors = counted.sum(1)
        if total_anchors is not None:
            anchors = total_anchors(anchors)
        share = counted.to(dtype) / anchors.clamp_min(1)[:, None]
        mean_positive = positive / torch.where(counted, weight_sum, 1)
        per_relation = torch.where(counted, share * (lse - mean_positive), 0).sum(1)

        # dL/ds_ij = lse_share_i · softmax_ij − Σ_r positive_share_ri · w_rij; both vanish for anchors that don't count
        lse_share = (alpha[:, None] * share).sum(0)
        ctx.positive_share = alpha[:, None] * share / torch.where(counted, weight_sum, 1)
        ctx.shift = torch.where(lse_share > 0, lse - lse_share.log(), torch.inf).to(z.dtype)
        ctx.save_for_backward(z, keys, tau)
        ctx.pairs, ctx.tile = pairs, tile

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
            return _gradients(ctx, z, keys, tau, grad)


def _gradients(ctx: Any, z: Tensor, keys: Tensor, tau: Tensor, grad: Tensor) -> _Gradients:
    pairs: PairBatch = ctx.pairs
    to_z, to_keys, to_tau = ctx.needs_input_grad[:3]
    grad_z, grad_keys = torch.zeros_like(z), torch.zeros_like(keys) if to_keys else None
    sweep = Sweep(z, keys, tau, pairs, ctx.tile)
    for i in sweep.strips():
        for seen in sweep.tiles(i):
            slope = seen.mask_logits().sub_(ctx.shift[i, None]).exp_()
            if seen.weights is not None:
                shares = ctx.positive_share[sweep.predicates, i]
                slope -= torch.einsum("rij,ri->ij", seen.weights, shares).to(slope.dtype)
            if to_z or to_tau:
                grad_z[i].addmm_(slope, keys[seen.j])
            if grad_keys is not None:
                grad_keys[seen.j].addmm_(slope.T, z[i])

    dtype = ctx.positive_share.dtype
    wide_z, wide_keys = z.to(dtype), keys.to(dtype)
    equal = EqualCodes(pairs)
    shares = ctx.positive_share[equal.relations]
    scale = grad.to(dtype) / tau.to(dtype)
    wide = grad_z.to(dtype).sub_(equal.pull(shares, wide_keys)).mul_(scale)
    grad_tau = (-(wide * wide_z).sum() / tau).to(tau.dtype) if to_tau else None
    if grad_keys is not None:
        grad_keys = grad_keys.to(dtype).sub_(equal.pull_back(shares, wide_z)).mul_(scale).to(keys.dtype)
    return wide.to(z.dtype) if to_z else None, grad_keys, grad_tau, None, None, None
