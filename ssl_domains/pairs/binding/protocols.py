"""What the rooms above make of a bound leaf: a rule over the rows of one batch, and an index to draw by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["MatchIndex", "RowRule"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class RowRule(Protocol):
    """A rule over the M anchors and N candidates of one batch, evaluated tile by tile in torch."""

    @property
    def graded(self) -> bool:
        """Whether a match can have another weight than 1."""

    def answer(self, yes: bool, i: slice, j: slice) -> Tensor:
        """Where the rule says yes, or with ``yes=False`` where it says no: bool ``[I, J]``. Unknown is in neither.

        The tensor is new on every call, so the caller may write into it.
        """

    def weights(self, i: slice, j: slice) -> Tensor:
        """The weight of each match, 0 where there is none: a new float64 ``[I, J]``."""

    def to(self, device: torch.device | str) -> RowRule:
        """The rule with its tensors on another device."""


class MatchIndex(Protocol):
    """Lists candidates for each anchor. Every match of an anchor is exactly one valid entry of its list."""

    @property
    def sure(self) -> bool:
        """Whether every valid entry is a match, except the anchor itself."""

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps beside the rule's own arrays."""

    def counts(self, anchors: Ints) -> Ints:
        """How many entries each anchor has ``[n]``; the anchor itself may be one of them."""

    def entries(self, anchors: Ints, which: Ints) -> tuple[Ints, Bools]:
        """The position of the ``which``-th entry of each anchor ``[n]``, and whether that entry is valid."""

    def narrowed(self, drawable: Bools) -> MatchIndex:
        """The index without the positions that may not be drawn, bool ``[size]``; nothing is sorted again."""
