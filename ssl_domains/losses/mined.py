"""Sums over the triplets that a miner chooses, strip by strip, with counts of what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from ssl_domains.losses.distances import DistancesTo, distances, row_distances
from ssl_domains.losses.part_sums import strips

if TYPE_CHECKING:
    from ssl_domains.pairs import CollapsedTile, PairBatch, Triplets

__all__ = ["Miner", "TripletCosts", "TripletSums"]

Miner = Callable[[Tensor, "CollapsedTile", Tensor], "Triplets"]
"""From the distances ``[I, N]`` of a strip, its pairs, and the row ids int64 ``[I]`` of its anchors to triplets."""

_GATHERED = 2**20
"""Numbers ``T·d`` of the rows of triplets that are compared at a time."""


class TripletCosts(Protocol):
    """What triplets cost; ``learned`` are the further tensors of `TripletSums.parts`.

    ``of`` gets the distances ``[T]`` of positives and of negatives, and the weights of the positives. It returns the
    sum of the costs and the number of costs above 0. ``of_all`` gets the distances ``[I, N]`` of a strip, its pairs and
    the chosen positives, for all triplets with these positives. It returns the sum, the number of triplets, and the
    number of costs above 0.
    """

    def of(  # noqa: D102
        self, positive: Tensor, negative: Tensor, weight: Tensor, *learned: Tensor
    ) -> tuple[Tensor, Tensor]: ...
    def of_all(  # noqa: D102
        self, distance: Tensor, tile: CollapsedTile, chosen: Triplets, *learned: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]: ...


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

    def parts(self, queries: Tensor, keys: Tensor, *learned: Tensor) -> Iterator[Tensor]:
        """Sums ``[1]`` of the costs, in parts; see `ssl_domains.losses.part_sums.part_sums`.

        Args:
            queries: ``[M, d]`` anchors.
            keys: ``[N, d]`` candidates.
            learned: Further tensors for the costs.
        """
        waiting: list[tuple[Tensor, Tensor]] = []
        measured = DistancesTo(keys, self.squared)
        most = max(1, _GATHERED // max(1, queries.shape[1]))
        for i in strips(len(queries), len(keys)):
            tile = self.pairs.collapsed(i, slice(0, len(keys)))
            tile = tile if self.graded else tile.ungraded()
            with torch.no_grad():
                self.counts[2:] += torch.stack([(~tile.has_positive).sum(), (~tile.has_negative).sum()])
                chosen = self.miner(measured(queries[i]), tile, self.pairs.anchors.row[i])
            if chosen.negative is None:
                between = distances(queries[i], keys, self.squared)
                value, triplets, above = self.costs.of_all(between, tile, chosen, *learned)
                self.counts[:2] += torch.stack([triplets, above])
                yield value[None]
                continue
            rows = torch.stack([chosen.anchor + i.start, chosen.positive, chosen.negative])
            waiting.append((rows, tile.weight_of(chosen.anchor, chosen.positive)))
            if sum(len(weight) for _, weight in waiting) >= most:
                yield from self._compared(waiting, most, queries, keys, *learned)
                waiting = []
        yield from self._compared(waiting, most, queries, keys, *learned)

    def _compared(
        self, waiting: list[tuple[Tensor, Tensor]], most: int, queries: Tensor, keys: Tensor, *learned: Tensor
    ) -> Iterator[Tensor]:
        if not waiting:
            return
        triplets, weights = torch.cat([rows for rows, _ in waiting], dim=1), torch.cat([w for _, w in waiting])
        for (anchor, positive, negative), weight in zip(triplets.split(most, 1), weights.split(most), strict=True):
            rows = queries.index_select(0, anchor)
            to_positive = row_distances(rows, keys.index_select(0, positive), self.squared)
            to_negative = row_distances(rows, keys.index_select(0, negative), self.squared)
            value, above = self.costs.of(to_positive, to_negative, weight, *learned)
            self.counts[:2] += torch.stack([above.new_tensor(len(anchor)), above])
            yield value[None]

    def named(self) -> dict[str, Tensor]:
        """The counts by their names in the log."""
        names = ("triplets", "active", "anchors_without_positive", "anchors_without_negative")
        return dict(zip(names, self.counts.unbind(), strict=True))
