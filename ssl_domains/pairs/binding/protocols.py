"""What the rooms above make of a bound leaf: a rule over the rows of one batch, and an index to draw by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ssl_domains.pairs.binding.leaf import BoundLeaf

__all__ = ["BatchValues", "MatchIndex", "RowRule"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


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


class BatchValues(Protocol):
    """The rows of one batch, from which a leaf makes its `RowRule`.

    Values come one for each row: the anchors first, then the candidates unless these are the anchors.

    Attributes:
        anchors: Samples of the anchors, int64 ``[M]``.
        candidates: Samples of the candidates, int64 ``[N]``, −1 for an unfilled slot; None when they are the anchors.
    """

    @property
    def anchors(self) -> Ints: ...

    @property
    def candidates(self) -> Ints | None: ...

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
