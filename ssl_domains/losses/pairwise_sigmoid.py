"""The pairwise sigmoid loss: each pair is classified as positive or negative by itself, without a softmax."""

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

__all__ = ["pairwise_sigmoid"]


def pairwise_sigmoid(
    z: Tensor,
    pairs: PairBatch,
    *,
    scale: float | Tensor = 10.0,
    bias: float | Tensor = -10.0,
    candidates: Tensor | None = None,
    total: Total = None,
) -> LossOutput:
    """Sum over the pairs of each anchor of the negative log-likelihood of their kind, averaged over anchors.

    With the logit x_ij = t·z_i·c_j + b, the scale t, the bias b and the weight w_ij of a positive pair::

        L = 1/M Σ_i [ Σ_{p∈P(i)} w_ip log(1 + exp(−x_ip)) + Σ_{n∈N(i)} log(1 + exp(x_in)) ]

    M is the number of anchors that have a positive or a negative. With t = 1/τ it uses no other candidate to judge a
    pair, so that it needs no large batch. A start at b = −10 keeps the many negatives from ruling the first steps. It
    runs in float32 (float64 for float64 input) even inside autocast, strip by strip.

    Args:
        z: ``[M, d]`` embeddings of the anchors, of length 1.
        pairs: Which candidates are positive, negative or ignored, all relations taken together.
        scale: t > 0. A tensor that requires a gradient gets it.
        bias: b. A tensor that requires a gradient gets it.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; needed unless they are the anchors. May require a
            gradient.
        total: For anchors that are a part of a larger batch: from counts of them to those of the whole batch.

    Returns:
        The loss; counts of positive and negative pairs.

    Raises:
        UsageError: When the shapes don't fit the pairs.

    References:
        Zhai et al. 2023, *Sigmoid Loss for Language Image Pre-Training*.
    """
    with without_autocast(z.device):
        queries, keys, pairs = operands(z, pairs, candidates)
        t, b = (torch.as_tensor(x, dtype=queries.dtype, device=z.device).reshape(()) for x in (scale, bias))
        counts = torch.zeros(3, dtype=torch.int64, device=z.device)

        def parts(queries: Tensor, keys: Tensor, t: Tensor, b: Tensor) -> Iterator[Tensor]:
            for i in strips(len(queries), len(keys)):
                tile = pairs.collapsed(i, slice(0, len(keys)))
                x = t * (queries[i] @ keys.T) + b
                positive = tile.weight.to(x.dtype) * F.softplus(-x, threshold=40)
                negative = torch.where(tile.negative, F.softplus(x, threshold=40), 0)
                used = tile.has_positive | tile.has_negative
                counts.add_(torch.stack([used.sum(), tile.positive.sum(), tile.negative.sum()]))
                yield (positive + negative).sum()[None]

        sums = part_sums(parts, [queries, keys, t, b])
        names = ("positive_pairs", "negative_pairs")
        loss = sums[0] / global_total(counts[0], total)
        return LossOutput.collapsed(loss, pairs, dict(zip(names, counts[1:].unbind(), strict=True)))
