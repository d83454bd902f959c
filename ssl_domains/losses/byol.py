"""BYOL's loss over any objective: each prediction is to point as the targets of its positives do; no negatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.operands import operands

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["byol_loss"]

_STRIP = 1024  # anchors and candidates whose weights are in memory at a time


def byol_loss(
    z: Tensor, pairs: PairBatch, *, candidates: Tensor, total: Callable[[Tensor], Tensor] | None = None
) -> LossOutput:
    """BYOL loss: mean squared distance of normalised predictions from the targets of their positives.

    For each relation r, with q_i the prediction and t_p the target of a positive p, both of length 1::

        L_r = 1/M_r Σ_{i: P_r(i)≠∅} Σ_{p∈P_r(i)} w_ip (2 − 2 q_i·t_p) / Σ w_ip        L = Σ_r α_r L_r

    With two views and no relation it is the loss of the paper: the only positive of a row is the other view. As it is
    linear in the targets, negatives play no part and relations add up. Ignored pairs are no positives.

    Args:
        z: ``[M, d]`` predictions, normalised here, in the order of ``pairs.anchors``.
        pairs: Which candidates are positives of which anchors. A candidate with the row id of an anchor is the target
            of the same view, which is left out.
        candidates: ``[N, d]`` targets, normalised here, in the order of ``pairs.candidates``. Detached by the caller.
        total: For anchors that are a part of a larger batch: function from the number of these anchors with a positive
            by relation (int64 ``[R]``) to that of the whole batch.

    Returns:
        The loss, with the loss and number of anchors of each relation; float32, or float64 for float64 input. Where no
        anchor has a positive the loss is exactly 0, attached to the graph.

    Raises:
        UsageError: When the shapes don't fit the pairs.

    References:
        Grill et al. 2020, *Bootstrap Your Own Latent*.
    """
    with without_autocast(z.device):
        queries, keys, pairs = operands(z, pairs, candidates)
        predictions, targets = F.normalize(queries, dim=1), F.normalize(keys, dim=1)
        relations = len(pairs.weights)
        means, weights, cross = [], [], []
        for top in range(0, len(z), _STRIP):
            i = slice(top, min(top + _STRIP, len(z)))
            mean, weight, other = _mean_targets(pairs, i, targets)
            means.append(mean)
            weights.append(weight)
            cross.append(other)
        if not means:
            zero, nothing = predictions.sum() * 0, predictions.new_zeros(relations)
            counts = nothing.long()
            return LossOutput(zero, nothing, nothing, counts if total is None else total(counts))
        weight = torch.cat(weights, dim=1)
        counted = weight > 0
        each = torch.where(counted, 2 - 2 * torch.einsum("id,rid->ri", predictions, torch.cat(means, dim=1)), 0)
        counts = counted.sum(dim=1)
        anchors = counts if total is None else total(counts)
        losses = each.sum(dim=1) / anchors.clamp(min=1)
        alphas = losses.new_tensor(pairs.weights)
        without = 1 - torch.cat(cross, dim=1).to(predictions.dtype).mean(dim=1)
        return LossOutput((alphas * losses).sum(), losses.detach(), without, anchors)


def _mean_targets(pairs: PairBatch, i: slice, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted mean of the targets of each anchor's positives ``[R, I, d]``, Σ w, and whether one is cross-sample."""
    sums = targets.new_zeros(len(pairs.weights), i.stop - i.start, targets.shape[1] + 1)
    cross = torch.zeros(sums.shape[:2], dtype=torch.bool, device=targets.device)
    for left in range(0, len(targets), _STRIP):
        j = slice(left, min(left + _STRIP, len(targets)))
        tile = pairs.tile(i, j)
        part = tile.weights.to(targets.dtype)
        sums = sums + torch.cat([part @ targets[j], part.sum(dim=2, keepdim=True)], dim=2)
        cross |= (tile.matches & pairs.other_sample(i, j)).any(dim=2)
    weight = sums[..., -1]
    return sums[..., :-1] / torch.where(weight > 0, weight, 1)[..., None], weight, cross
