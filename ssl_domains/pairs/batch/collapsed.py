"""The pairs of a tile for losses that see one relation: each pair is positive, negative or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs.batch.pair_batch import Tile

__all__ = ["CollapsedTile", "collapse"]


@dataclass(frozen=True, eq=False)
class CollapsedTile:
    """The pairs of I anchors with J candidates, all relations taken together.

    An anchor with itself, and a pair that is ignored, is neither positive nor negative.

    Attributes:
        positive: bool ``[I, J]``: the candidate is a positive in any relation.
        negative: bool ``[I, J]``: the candidate is allowed and positive in no relation.
        weight: float64 ``[I, J]``: Σ α_r w_r,ij over the relations; 0 where not positive.
    """

    positive: Tensor
    negative: Tensor
    weight: Tensor


def collapse(tile: Tile, alphas: Sequence[float]) -> CollapsedTile:
    """Take the relations of a tile together.

    Args:
        tile: A tile of all relations.
        alphas: α_r of each relation.
    """
    positive = tile.matches.any(dim=0)
    factors = torch.tensor(tuple(alphas), dtype=torch.float64, device=positive.device)
    return CollapsedTile(positive, tile.allowed & ~positive, torch.einsum("r,rij->ij", factors, tile.weights))
