"""Sums over the triplets that a miner chooses, with counts of what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ssl_domains.losses.parts.distances import distances
from ssl_domains.losses.parts.part_sums import part_sums
from ssl_domains.losses.triplets.mined_strips import ListedTriplets, MinedStrip, Miner, mined_strips
from ssl_domains.losses.triplets.triplet_costs import TripletCosts
from ssl_domains.losses.triplets.triplet_distances import triplet_distances

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["TripletSums"]

_COMPARED = 2**20
"""Numbers ``T·d`` of the rows of triplets that are compared at a time."""


@dataclass
class TripletSums:
    """Mines a batch strip by strip and adds up what the triplets cost.

    Attributes:
        pairs: The pairs.
        miner: Chooses triplets.
        costs: What they cost.
        squared: Whether distances are squared.
        graded: Whether weights order the positives.
        triplets: Number of triplets.
        above: Number of costs above 0.
        without_positive: Number of anchors without a positive.
        without_negative: Number of anchors without a negative.
    """

    pairs: PairBatch
    miner: Miner
    costs: TripletCosts
    squared: bool = False
    graded: bool = True
    triplets: int = 0
    above: int = 0
    without_positive: int = 0
    without_negative: int = 0

    def sum(self, queries: Tensor, keys: Tensor, *learned: Tensor) -> Tensor:
        """The sum ``[]`` of the costs, differentiable by all arguments; sets the counts.

        Few triplets, such as the hardest one of each anchor, are mined first and then compared in one part.

        Args:
            queries: ``[M, d]`` anchors.
            keys: ``[N, d]`` candidates.
            learned: Further tensors for the costs.
        """
        most, waiting, listed = _most(queries), 0, []
        for strip in self._mined(queries, keys):
            if strip.chosen.negative is None or (waiting := waiting + len(strip.chosen)) > most:
                self.without_positive = self.without_negative = 0
                return part_sums(self._parts, [queries, keys, *learned])[0]
            listed.append(strip.listed())
        values = list(self._compared(listed, queries, keys, *learned))
        # Attached to the graph also where there is no triplet.
        return values[0][0] if values else 0 * (queries.sum() + keys.sum() + sum(x.sum() for x in learned))

    def _mined(self, queries: Tensor, keys: Tensor) -> Iterator[MinedStrip]:
        for strip in mined_strips(queries, keys, self.pairs, self.miner, self.squared, self.graded):
            # A miner reads how many triplets there are, so whole numbers wait for the device no more than it does.
            has_positive, has_negative = strip.tile.has_positive, strip.tile.has_negative
            self.without_positive += len(has_positive) - int(has_positive.count_nonzero())
            self.without_negative += len(has_negative) - int(has_negative.count_nonzero())
            yield strip

    def _parts(self, queries: Tensor, keys: Tensor, *learned: Tensor) -> Iterator[Tensor]:
        most, listed = _most(queries), []
        for strip in self._mined(queries, keys):
            if strip.chosen.negative is None:
                between = distances(queries[strip.anchors], keys, self.squared)
                value, triplets, above = self.costs.of_all(between, strip.tile, strip.chosen, *learned)
                self.triplets += int(triplets)
                self.above += int(above)
                yield value[None]
                continue
            listed.append(strip.listed())
            if sum(map(len, listed)) >= most:
                yield from self._compared(listed, queries, keys, *learned)
                listed = []
        yield from self._compared(listed, queries, keys, *learned)

    def _compared(
        self, listed: Sequence[ListedTriplets], queries: Tensor, keys: Tensor, *learned: Tensor
    ) -> Iterator[Tensor]:
        if not sum(map(len, listed)):
            return
        one = listed[0] if len(listed) == 1 else ListedTriplets.joined(listed)
        for triplets, weight in one.split(_most(queries)):
            to_positive, to_negative = triplet_distances(queries, keys, triplets, self.squared)
            value, above = self.costs.of(to_positive, to_negative, weight, *learned)
            self.triplets += len(weight)
            self.above += int(above)
            yield value[None]

    def counts(self, device: torch.device) -> dict[str, Tensor]:
        """The counts by their names in the log, int64."""
        names = ("triplets", "active", "anchors_without_positive", "anchors_without_negative")
        numbers = torch.tensor([self.triplets, self.above, self.without_positive, self.without_negative], device=device)
        return dict(zip(names, numbers.unbind(), strict=True))


def _most(queries: Tensor) -> int:
    """Triplets that are compared at a time."""
    return max(1, _COMPARED // max(1, queries.shape[1]))
