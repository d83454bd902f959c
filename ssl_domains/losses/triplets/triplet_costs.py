"""What triplets cost: the protocol between a loss over triplets and the sums over what a miner chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs import CollapsedTile, Triplets

__all__ = ["TripletCosts"]


class TripletCosts(Protocol):
    """Costs of triplets; ``learned`` are the further tensors of `ssl_domains.losses.triplets.mined.TripletSums.sum`."""

    def of(self, positive: Tensor, negative: Tensor, weight: Tensor, *learned: Tensor) -> tuple[Tensor, Tensor]:
        """The cost of listed triplets.

        Args:
            positive: ``[T]``, distances of anchor and positive.
            negative: ``[T]``, distances of anchor and negative.
            weight: float64 ``[T]``, weights of the positives.
            learned: Further tensors.

        Returns:
            The sum of the costs, and the number of costs above 0.
        """
        ...

    def of_all(
        self, distance: Tensor, tile: CollapsedTile, chosen: Triplets, *learned: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The cost of all triplets with the chosen positives.

        Args:
            distance: ``[I, N]``, distances of the anchors of a strip to all candidates.
            tile: Their pairs.
            chosen: Anchors and positives.
            learned: Further tensors.

        Returns:
            The sum of the costs, the number of triplets, and the number of costs above 0.
        """
        ...
