"""Mining of a batch, one strip of anchors at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ssl_domains.losses.parts.distances import StripDistances
from ssl_domains.losses.parts.part_sums import strips

if TYPE_CHECKING:
    from ssl_domains.pairs import CollapsedTile, PairBatch, Triplets

__all__ = ["ListedTriplets", "MinedStrip", "Miner", "mined_strips"]

Miner = Callable[[Tensor, "CollapsedTile", Tensor], "Triplets"]
"""From the distances ``[I, N]`` of a strip, its pairs, and the row ids int64 ``[I]`` of its anchors to triplets."""


@dataclass(frozen=True, eq=False)
class ListedTriplets:
    """Triplets of a batch by their rows.

    Attributes:
        rows: int64 ``[3, T]``: anchors, positives and negatives.
        weight: float64 ``[T]``, weights of the positives.
    """

    rows: Tensor
    weight: Tensor

    @classmethod
    def joined(cls, parts: Sequence[ListedTriplets]) -> ListedTriplets:
        """The triplets of all parts."""
        return cls(torch.cat([part.rows for part in parts], dim=1), torch.cat([part.weight for part in parts]))

    def split(self, most: int) -> Iterable[tuple[Tensor, Tensor]]:
        """Rows and weights of at most so many triplets at a time."""
        if len(self) <= most:
            return [(self.rows, self.weight)]
        return zip(torch.split(self.rows, most, dim=1), torch.split(self.weight, most), strict=True)

    def __len__(self) -> int:
        return len(self.weight)


@dataclass(frozen=True, eq=False)
class MinedStrip:
    """A strip of anchors, its pairs, and the triplets that were chosen."""

    anchors: slice
    tile: CollapsedTile
    chosen: Triplets

    def listed(self) -> ListedTriplets:
        """The triplets by their rows in the batch."""
        chosen = self.chosen
        assert chosen.negative is not None
        rows = torch.stack([chosen.anchor + self.anchors.start, chosen.positive, chosen.negative])
        return ListedTriplets(rows, self.tile.weight_of(chosen.anchor, chosen.positive))


def mined_strips(
    queries: Tensor, keys: Tensor, pairs: PairBatch, miner: Miner, squared: bool, graded: bool
) -> Iterator[MinedStrip]:
    """Mine a batch strip by strip.

    Args:
        queries: ``[M, d]`` anchors.
        keys: ``[N, d]`` candidates.
        pairs: The pairs.
        miner: Chooses triplets.
        squared: Whether distances are squared.
        graded: Whether weights order the positives.
    """
    measured = StripDistances(queries, keys, squared)
    for i in strips(len(queries), len(keys)):
        tile = pairs.collapsed(i, slice(0, len(keys)))
        tile = tile if graded else tile.ungraded()
        with torch.no_grad():
            chosen = miner(measured(i), tile, pairs.anchors.row[i])
        yield MinedStrip(i, tile, chosen)
