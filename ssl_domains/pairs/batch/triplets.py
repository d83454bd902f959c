"""Triplets of rows: an anchor, a positive, and a negative that should be farther than the positive."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Triplets"]


@dataclass(frozen=True, eq=False)
class Triplets:
    """T triplets among the anchors of a strip and all candidates.

    Attributes:
        anchor: int64 ``[T]``, row of the strip.
        positive: int64 ``[T]``, candidate.
        negative: int64 ``[T]``, candidate; None for every candidate that is less relevant than the positive.
    """

    anchor: Tensor
    positive: Tensor
    negative: Tensor | None

    def __len__(self) -> int:
        return len(self.anchor)
