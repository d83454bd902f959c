"""The pairs of a tile for losses that see one relation: each pair is positive, negative or neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs.batch.pair_batch import Tile

__all__ = ["CollapsedTile", "collapse"]


@dataclass(eq=False)
class CollapsedTile:
    """The pairs of I anchors with J candidates, all relations taken together.

    An anchor with itself, and a pair that is ignored, is neither positive nor negative.

    Attributes:
        positive: bool ``[I, J]``: the candidate is a positive in any relation.
        negative: bool ``[I, J]``: the candidate is allowed and positive in no relation.
        even: The weight of every positive, if all have the same; None where weights differ, or can.
        ordered: Whether weights order the positives by relevance, for losses that compare positives with each other.
        make_weight: Computes ``weight``.
    """

    positive: Tensor
    negative: Tensor
    even: float | None
    ordered: bool
    make_weight: Callable[[], Tensor] = field(repr=False)

    @cached_property
    def weight(self) -> Tensor:
        """float64 ``[I, J]``: Σ α_r w_r,ij over the relations; 0 where not positive. Computed on first use."""
        return self.make_weight()

    @cached_property
    def has_positive(self) -> Tensor:
        """bool ``[I]``: whether the anchor has a positive in the tile."""
        return _any(self.positive)

    @cached_property
    def has_negative(self) -> Tensor:
        """bool ``[I]``: whether the anchor has a negative in the tile."""
        return _any(self.negative)

    def ungraded(self) -> CollapsedTile:
        """The tile with positives that are all equally relevant; their weights stay."""
        return CollapsedTile(self.positive, self.negative, self.even, False, lambda: self.weight)

    def weight_of(self, anchor: Tensor, positive: Tensor) -> Tensor:
        """Weights of positives: float64 ``[T]``, from int64 ``[T]`` rows and columns of the tile."""
        if self.even is None:
            return self.weight[anchor, positive]
        return torch.full(anchor.shape, self.even, dtype=torch.float64, device=anchor.device)

    def less_relevant(self, anchor: Tensor, positive: Tensor) -> Tensor:
        """Candidates that are less relevant to an anchor than one of its positives: bool ``[T, J]``.

        They are the negatives, and if `ordered` the positives of a smaller weight. Weights that differ by less than a
        millionth count as equal, as those of equally distant slices differ by rounding.

        Args:
            anchor: int64 ``[T]``, rows of the tile.
            positive: int64 ``[T]``, a positive of each.
        """
        less = self.negative[anchor]
        if not self.ordered:
            return less
        limit = self.weight[anchor, positive] * (1 - 1e-6)
        return less.logical_or_(self.positive[anchor].logical_and_(self.weight[anchor] < limit[:, None]))


def collapse(tile: Tile, alphas: Sequence[float]) -> CollapsedTile:
    """Take the relations of a tile together.

    Args:
        tile: A tile of all relations.
        alphas: α_r of each relation.
    """
    positive = tile.matches[0] if len(tile.matches) == 1 else tile.matches.any(dim=0)
    even = alphas[0] if len(tile.grades) == 1 and tile.grades[0] is None else None
    negative = tile.allowed.logical_and(~positive)
    return CollapsedTile(positive, negative, even, even is None, lambda: _weight(tile, alphas))


def _any(mask: Tensor) -> Tensor:
    # Of bytes, torch takes the maximum of a row twenty times faster than the disjunction of truth values on a CPU.
    return mask.view(torch.uint8).amax(dim=1).bool() if mask.shape[1] else mask.any(dim=1)


def _weight(tile: Tile, alphas: Sequence[float]) -> Tensor:
    total = torch.zeros(tile.matches.shape[1:], dtype=torch.float64, device=tile.matches.device)
    for alpha, matches, grades in zip(alphas, tile.matches, tile.grades, strict=True):
        total.add_(matches if grades is None else grades, alpha=alpha)
    return total
