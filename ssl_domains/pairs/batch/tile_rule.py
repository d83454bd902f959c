"""Rules over the rows of a batch, evaluated tile by tile: equal codes, And, Or, Not, and any leaf by position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.pairs.binding.leaf import BoundLeaf
from ssl_domains.pairs.binding.protocols import RowRule

__all__ = ["AllOf", "AnyOf", "ByPosition", "Equal", "Inverse", "Ungraded", "equal_codes", "unequal_codes"]

Ints = NDArray[np.int64]


class Ungraded:
    """Base of rules whose every match weighs 1."""

    graded = False

    def weights(self: RowRule, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        return self.answer(True, i, j).to(torch.float64)


@dataclass(frozen=True, eq=False)
class Equal(Ungraded):
    """Equal codes below 2^31.

    Attributes:
        anchors: int64 ``[M]``, −1 where missing.
        candidates: int64 ``[N]``, −2 where missing, so that two missing codes are not equal.
    """

    @classmethod
    def of(cls, anchors: Ints, candidates: Ints) -> Equal:
        """The rule for codes in which every negative number is missing; anchors have no other one than −1."""
        missing = candidates.min(initial=0) < 0
        known = np.where(candidates < 0, -2, candidates) if missing else candidates
        first = torch.from_numpy(anchors)
        return cls(first, first if known is anchors else torch.from_numpy(known))

    anchors: Tensor
    candidates: Tensor

    def answer(self, yes: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        a, b = self.anchors[i], self.candidates[j]
        equal = equal_codes(a, b)
        return equal if yes else equal.logical_not_().logical_and_(a[:, None] >= 0).logical_and_(b[None, :] >= 0)

    def to(self, device: torch.device | str) -> Equal:
        """See `RowRule.to`."""
        return Equal(self.anchors.to(device), self.candidates.to(device))


@dataclass(frozen=True, eq=False)
class AllOf:
    """Yes when every term says yes; no when any term says no. Weights multiply."""

    terms: tuple[RowRule, ...]

    @property
    def graded(self) -> bool:
        """See `RowRule.graded`."""
        return any(term.graded for term in self.terms)

    def answer(self, yes: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        return self.weights(i, j).to(torch.bool) if self.graded else _combined(self.terms, yes, yes, i, j)

    def weights(self, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        result = self.terms[0].weights(i, j)
        for term in self.terms[1:]:
            result.mul_(term.weights(i, j) if term.graded else term.answer(True, i, j))
        return result

    def to(self, device: torch.device | str) -> AllOf:
        """See `RowRule.to`."""
        return AllOf(tuple(term.to(device) for term in self.terms))


@dataclass(frozen=True, eq=False)
class AnyOf:
    """Yes when any term says yes; no when every term says no. The largest weight counts."""

    terms: tuple[RowRule, ...]

    @property
    def graded(self) -> bool:
        """See `RowRule.graded`."""
        return any(term.graded for term in self.terms)

    def answer(self, yes: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        return _combined(self.terms, yes, not yes, i, j)

    def weights(self, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        result = self.terms[0].weights(i, j)
        for term in self.terms[1:]:
            torch.maximum(result, term.weights(i, j), out=result)
        return result

    def to(self, device: torch.device | str) -> AnyOf:
        """See `RowRule.to`."""
        return AnyOf(tuple(term.to(device) for term in self.terms))


@dataclass(frozen=True, eq=False)
class Inverse(Ungraded):
    """Yes where its term says no, no where it says yes; the term is never graded."""

    term: RowRule

    def answer(self, yes: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        return self.term.answer(not yes, i, j)

    def to(self, device: torch.device | str) -> Inverse:
        """See `RowRule.to`."""
        return Inverse(self.term.to(device))


@dataclass(frozen=True, eq=False)
class ByPosition:
    """A leaf without a form of its own for batches: NumPy compares every pair of a tile by position in the table.

    Attributes:
        leaf: The bound leaf.
        anchors: Positions ``[M]``.
        candidates: Positions ``[N]``, −1 for an unfilled slot, for which every answer is unknown.
        device: Where the tiles go.
    """

    leaf: BoundLeaf
    anchors: Ints
    candidates: Ints
    device: torch.device

    @property
    def graded(self) -> bool:
        """See `RowRule.graded`."""
        return self.leaf.graded

    def answer(self, yes: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        return self._tile(lambda a, c: self.leaf.answer(yes, a, c), np.bool_, i, j)

    def weights(self, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        return self._tile(self.leaf.weights, np.float64, i, j)

    def to(self, device: torch.device | str) -> ByPosition:
        """See `RowRule.to`."""
        return ByPosition(self.leaf, self.anchors, self.candidates, torch.device(device))

    def _tile(
        self, compare: Callable[[Ints, Ints], NDArray[Any]], dtype: type[np.generic], i: slice, j: slice
    ) -> Tensor:
        anchors, candidates = self.anchors[i], self.candidates[j]
        filled = np.flatnonzero(candidates >= 0)
        tile = np.zeros((len(anchors), len(candidates)), dtype=dtype)
        if len(anchors) and len(filled):
            tile[:, filled] = compare(anchors[:, None], candidates[None, filled])
        return torch.from_numpy(tile).to(self.device)


def equal_codes(a: Tensor, b: Tensor) -> Tensor:
    """Where codes ``[..., I]`` and ``[..., J]`` between −2^31 and 2^31 are equal: a new bool ``[..., I, J]``."""
    return unequal_codes(a, b).logical_not_()


def unequal_codes(a: Tensor, b: Tensor) -> Tensor:
    """Where codes ``[..., I]`` and ``[..., J]`` between −2^31 and 2^31 differ: a new bool ``[..., I, J]``."""
    # On a CPU, torch subtracts 32-bit numbers several times faster than it compares them.
    return (a.to(torch.int32)[..., :, None] - b.to(torch.int32)[..., None, :]).to(torch.bool)


def _combined(terms: tuple[RowRule, ...], yes: bool, every: bool, i: slice, j: slice) -> Tensor:
    """Where every term, or any of them, gives the answer."""
    result = terms[0].answer(yes, i, j)
    for term in terms[1:]:
        more = term.answer(yes, i, j)
        result = result.logical_and_(more) if every else result.logical_or_(more)
    return result
