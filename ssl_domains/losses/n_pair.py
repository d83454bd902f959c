"""The N-pair loss: each positive against all negatives of the anchor at once, on embeddings that aren't normalised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.operands import Total, global_total, operands
from ssl_domains.losses.parts.part_sums import part_sums, strips

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["n_pair"]

_LOWEST = -1e30  # instead of −∞, whose gradient would be NaN where an anchor has no negative


def n_pair(
    z: Tensor,
    pairs: PairBatch,
    *,
    l2: float = 0.002,
    candidates: Tensor | None = None,
    total: Total = None,
) -> LossOutput:
    """Loss of each positive against all negatives of its anchor, plus the mean squared length of the embeddings.

    With s_ij = z_i·c_j, the positives P(i) of an anchor, their weights w_ip and its negatives N(i)::

        L = mean_i Σ_{p∈P(i)} w_ip log(1 + Σ_{n∈N(i)} exp(s_in − s_ip)) / Σ_{p∈P(i)} w_ip + λ mean_i ‖z_i‖²

    The first mean is over the anchors that have a positive, the second over all anchors. Positives don't compete with
    each other. With one row of each class as anchors and another one as candidates, it is the loss of the paper. The
    length isn't normalised, as it says how certain an embedding is; λ keeps it small. An anchor without negatives costs
    nothing. The loss runs in float32 (float64 for float64 input) even inside autocast, strip by strip.

    Args:
        z: ``[M, d]`` embeddings of the anchors, of any length.
        pairs: Which candidates are positive, negative or ignored, all relations taken together.
        l2: λ ≥ 0, the weight of the squared length.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; needed unless they are the anchors. May require a
            gradient; their length costs nothing.
        total: For anchors that are a part of a larger batch: from counts of them to those of the whole batch.

    Returns:
        The loss; counts of anchors without a positive and without a negative.

    Raises:
        UsageError: When the shapes don't fit the pairs.

    References:
        Sohn 2016, *Improved Deep Metric Learning with Multi-class N-pair Loss Objective*.
    """
    with without_autocast(z.device):
        queries, keys, pairs = operands(z, pairs, candidates)
        without = torch.zeros(2, dtype=torch.int64, device=z.device)

        def parts(queries: Tensor, keys: Tensor) -> Iterator[Tensor]:
            for i in strips(len(queries), len(keys)):
                tile = pairs.collapsed(i, slice(0, len(keys)))
                s = queries[i] @ keys.T
                negatives = s.masked_fill(~tile.negative, _LOWEST).logsumexp(dim=1)
                each = F.softplus(negatives[:, None] - s, threshold=40)
                weight = tile.weight
                sums = weight.sum(1, keepdim=True)
                share = (weight / torch.where(sums > 0, sums, 1)).to(s.dtype)
                without.add_(torch.stack([(sums == 0).sum(), (~tile.has_negative).sum()]))
                yield (share * each).sum()[None]

        sums = part_sums(parts, [queries, keys])
        anchors = global_total(torch.stack([len(queries) - without[0], without.new_tensor(len(queries))]), total)
        loss = sums[0] / anchors[0] + l2 * queries.square().sum() / anchors[1]
        names = ("anchors_without_positive", "anchors_without_negative")
        return LossOutput.collapsed(loss, pairs, dict(zip(names, without.unbind(), strict=True)))
