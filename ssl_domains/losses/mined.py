"""Sums over the triplets that a miner chooses, with counts of what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ssl_domains.losses.distances import distances
from ssl_domains.losses.mined_strips import ListedTriplets, MinedStrip, Miner, mined_strips
from ssl_domains.losses.part_sums import part_sums
from ssl_domains.losses.triplet_costs import TripletCosts
from ssl_domains.losses.triplet_distances import triplet_distances

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
        counts: int64 ``[4]``: triplets, costs above 0, anchors without a positive, anchors without a negative.
    """

    pairs: PairBatch
    miner: Miner
    costs: TripletCosts
    squared: bool = False
    graded: bool = True
    counts: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.counts = torch.zeros(4, dtype=torch.int64, device=self.pairs.codes.device)

    def sum(self, queries: Tensor, keys: Tensor, *learned: Tensor) -> Tensor:
        """The sum ``[]`` of the costs, differentiable by all arguments; sets `counts`.

        Few triplets, such as the hardest one of each anchor, are mined first and then compared in one part.

        Args:
            queries: ``[M, d]`` anchors.
            keys: ``[N, d]`` candidates.
            learned: Further tensors for the costs.
        """
        most, waiting, listed = _most(queries), 0, []
        for strip in self._mined(queries, keys):
            if strip.chosen.negative is None or (waiting := waiting + len(strip.chosen)) > most:
                self.counts.zero_()
                return part_sums(self._parts, [queries, keys, *learned])[0]
            listed.append(strip.listed())
        values = list(self._compared(listed, queries, keys, *learned))
        # Attached to the graph also where there is no triplet.
        return values[0][0] if values else 0 * (queries.sum() + keys.sum() + sum(x.sum() for x in learned))

    def _mined(self, queries: Tensor, keys: Tensor) -> Iterator[MinedStrip]:
        for strip in mined_strips(queries, keys, self.pairs, self.miner, self.squared, self.graded):
            without = [(~has).sum() for has in (strip.tile.has_positive, strip.tile.has_negative)]
            self.counts[2:] += torch.stack(without)
            yield strip

    def _parts(self, queries: Tensor, keys: Tensor, *learned: Tensor) -> Iterator[Tensor]:
        most, listed = _most(queries), []
        for strip in self._mined(queries, keys):
            if strip.chosen.negative is None:
                between = distances(queries[strip.anchors], keys, self.squared)
                value, triplets, above = self.costs.of_all(between, strip.tile, strip.chosen, *learned)
                self.counts[:2] += torch.stack([triplets, above])
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
        most = _most(queries)
        weights = torch.cat([each.weight for each in listed]).split(most)
        rows = torch.cat([each.rows for each in listed], dim=1).split(most, dim=1)
        for triplets, weight in zip(rows, weights, strict=True):
            to_positive, to_negative = triplet_distances(queries, keys, triplets, self.squared)
            value, above = self.costs.of(to_positive, to_negative, weight, *learned)
            self.counts[:2] += torch.stack([above.new_tensor(len(weight)), above])
            yield value[None]

    def named(self) -> dict[str, Tensor]:
        """The counts by their names in the log."""
        names = ("triplets", "active", "anchors_without_positive", "anchors_without_negative")
        return dict(zip(names, self.counts.unbind(), strict=True))


def _most(queries: Tensor) -> int:
    """Triplets that are compared at a time."""
    return max(1, _COMPARED // max(1, queries.shape[1]))
