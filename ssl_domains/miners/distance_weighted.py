"""Distance-weighted sampling: negatives of all distances are drawn equally often, instead of the most common ones."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.pairs import CollapsedTile, Triplets
from ssl_domains.views.draws import Draws

__all__ = ["distance_weighted"]


def distance_weighted(
    distance: Tensor,
    tile: CollapsedTile,
    rows: Tensor,
    *,
    dimensions: int,
    seed: int,
    step: int,
    cutoff: float = 0.5,
    farthest: float = 1.4,
) -> Triplets:
    """For every pair of an anchor and a positive, one negative drawn with a probability that depends on its distance.

    Distances of points spread evenly over the sphere in n dimensions have the density
    q(d) ∝ d^(n−2) (1 − d²/4)^((n−3)/2), by far largest near √2. So a negative is drawn with a probability in proportion
    to 1/q(max(d, cutoff)), and none from ``farthest`` on, where the loss is 0. An anchor whose negatives are all that
    far takes the nearest one. Positives are never drawn as negatives, whatever their weight.

    The numbers drawn for an anchor depend on seed, step and its row id alone, not on how the batch is divided into
    strips or among processes.

    Args:
        distance: ``[I, N]`` Euclidean distances of the anchors of a strip to all candidates, from 0 to 2.
        tile: Their pairs.
        rows: int64 ``[I]``, row ids of the anchors.
        dimensions: n, the dimensions of the embedding.
        seed: Seed of the draws.
        step: Number of the step; another one gives other draws.
        cutoff: Smaller distances are treated as this one, so that a few very near negatives aren't drawn all the time.
        farthest: Distance from which on no negative is drawn.

    References:
        Wu et al. 2017, *Sampling Matters in Deep Embedding Learning*; both limits are those of the authors' code.
    """
    anchor, positive = tile.positive.nonzero(as_tuple=True)
    if not len(anchor):
        return Triplets(anchor, positive, positive)
    wide = distance.to(torch.float32 if distance.device.type == "mps" else torch.float64)
    d = wide.clamp(min=cutoff, max=2 - 1e-6)
    log_weight = (2 - dimensions) * d.log() - (dimensions - 3) / 2 * (1 - d.square() / 4).log()
    log_weight = torch.where(tile.negative & (wide < farthest), log_weight, -torch.inf)
    largest = log_weight.max(dim=1, keepdim=True).values
    weight = torch.where(largest.isfinite(), (log_weight - largest).exp(), 0)
    near, nearest = torch.where(tile.negative, wide, torch.inf).min(dim=1)
    weight[torch.arange(len(weight), device=weight.device), nearest] += (~largest[:, 0].isfinite()).to(weight.dtype)

    number = tile.positive.cumsum(1)[anchor, positive] - 1  # of the positive among those of its anchor
    drawn = Draws(seed, step, rows, 0, "distance_weighted").uniform(int(number.max()) + 1).to(weight)
    upto = weight.cumsum(dim=1)
    # One that lies in (0, total], so that the candidate found has a weight.
    place = torch.searchsorted(upto, (1 - drawn) * upto[:, -1:])
    negative = place.clamp(max=distance.shape[1] - 1)[anchor, number]
    chosen = near.isfinite()[anchor]
    return Triplets(anchor[chosen], positive[chosen], negative[chosen])
