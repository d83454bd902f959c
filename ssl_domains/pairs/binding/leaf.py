"""The bound form of a leaf: one object that answers, weighs, explains and indexes rows of a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.protocols import MatchIndex, RowRule
from ssl_domains.pairs.binding.reason import Reason, ShownValues

__all__ = ["BatchValues", "BoundLeaf"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class BatchValues(Protocol):
    """The rows of one batch, from which a leaf makes its `RowRule`.

    Values come one for each row: the anchors first, then the candidates unless these are the anchors.
    """

    @property
    def anchors(self) -> Ints:
        """Samples of the anchors, int64 ``[M]``."""

    @property
    def candidates(self) -> Ints | None:
        """Samples of the candidates, int64 ``[N]``, −1 for an unfilled slot; None when they are the anchors."""

    def codes(self, codes: Ints) -> Ints:
        """Codes of the table ``[size]`` as one code for each row; −1 where missing or unfilled."""

    def numbers(self, values: Floats) -> Floats:
        """Numbers of the table ``[size]`` as one for each row; NaN where missing or unfilled."""

    def emitted(self, name: str) -> Floats:
        """A number that views emitted, one for each row; NaN where missing or unfilled.

        Raises:
            UsageError: When the rows don't carry it.
        """

    def split(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Values of all rows as those of the anchors and those of the candidates."""

    def equal(self, codes: Ints) -> RowRule:
        """The rule that two rows have equal codes, given one code for each row, −1 missing."""

    def by_position(self, leaf: BoundLeaf) -> RowRule:
        """The rule that calls ``leaf.answer`` and ``leaf.weights`` for every pair of a tile; slow but always right."""


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
