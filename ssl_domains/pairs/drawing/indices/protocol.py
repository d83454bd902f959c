"""What drawing asks of an index of the table."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["MatchIndex"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class MatchIndex(Protocol):
    """Proposes matches: every match of an anchor is exactly one valid entry, drawable rows only."""

    @property
    def sure(self) -> bool:
        """Whether a valid entry is always a match, the anchor itself aside."""

    @property
    def nbytes(self) -> int:
        """Bytes it keeps beside the rule's own arrays."""

    def counts(self, anchors: Ints) -> Ints:
        """Entries of each anchor ``[n]``, the anchor itself perhaps among them."""

    def entries(self, anchors: Ints, which: Ints) -> tuple[Ints, Bools]:
        """The ``which``-th entry of each anchor ``[n]``, and whether it is valid."""

    def narrowed(self, drawable: Bools) -> MatchIndex:
        """The index of those who may be drawn, bool ``[size]``, made from this one without sorting."""
