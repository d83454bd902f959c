"""The bound form of a leaf: one object that answers, weighs, explains and indexes rows of a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.protocols import BatchValues, MatchIndex, RowRule
from ssl_domains.pairs.binding.reason import Reason, ShownValues

__all__ = ["BoundLeaf"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class BoundLeaf(ABC):
    """A leaf such as ``same('patient')`` over the rows of one table. Subclasses are picklable and hold NumPy arrays.

    A subclass must implement `answer` and `explain`. A graded one must also implement `weights` and `graded`. The other
    methods have defaults that are right for every leaf; override them to be fast.

    Attributes:
        reads_emitted: Whether it reads numbers that views emit; its answer is unknown until the views exist.
        searches: Whether answering for a pair searches a list, which takes about ten times as long as comparing two
            numbers; fewer pairs are then counted in reports.
        joins_codes: Whether `index` uses the equal codes that stand beside the leaf in a conjunction.
    """

    reads_emitted: ClassVar[bool] = False
    searches: ClassVar[bool] = False
    joins_codes: ClassVar[bool] = False

    @abstractmethod
    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """Where the leaf says yes, or with ``yes=False`` where it says no. Unknown is in neither.

        Args:
            yes: Which answer.
            i: Positions in the table.
            j: Positions in the table; ``i`` and ``j`` broadcast.

        Returns:
            bool of the broadcast shape.
        """

    @abstractmethod
    def explain(self, i: int, j: int, shown: ShownValues) -> Reason:
        """What it answers for the anchor ``i`` and the sample ``j``, and the values that decide."""

    @property
    def graded(self) -> bool:
        """Whether a match can have another weight than 1."""
        return False

    @property
    def equal_codes(self) -> Ints | None:
        """int64 ``[size]``, −1 missing, when the leaf says yes exactly where these are equal; None otherwise."""
        return None

    def weights(self, i: Ints, j: Ints) -> Floats:
        """The weight of each match in float64, 0 where there is none; shapes as in `answer`."""
        return self.answer(True, i, j).astype(np.float64)

    def on_rows(self, rows: BatchValues) -> RowRule:
        """The leaf over the rows of one batch. By default it calls `answer` for every pair of a tile."""
        return rows.by_position(self)

    def index(self, codes: Ints | None, sure: bool) -> MatchIndex | None:
        """An index that lists an anchor's matches. None, the default, makes drawing look at the whole table.

        Args:
            codes: Equal codes that stand beside the leaf in a conjunction, int64 ``[size]``; None without any. A leaf
                that uses them sets `joins_codes`.
            sure: Whether ``codes`` and this leaf are the whole rule.
        """
        return None
