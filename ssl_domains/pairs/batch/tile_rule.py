"""Rules over rows: a Kleene expression in torch, evaluated a tile at a time where the batch lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["All", "Any", "Equal", "Inverse", "Near", "RowRule", "equal_codes"]


class RowRule(Protocol):
    """A rule over the M anchors and N candidates of one batch."""

    @property
    def graded(self) -> bool:
        """Whether a match may weigh anything but 1."""

    def answer(self, asked: bool, i: slice, j: slice) -> Tensor:
        """Where the rule definitely says yes (``asked``), or definitely says no: bool ``[I, J]``.

        ``~`` swaps the question, so unknown needs no array of its own. The result is fresh: callers may write into it.
        """

    def weights(self, i: slice, j: slice) -> Tensor:
        """The weight of each match, 0 where there is none: a fresh float64 ``[I, J]``."""

    def to(self, device: torch.device | str) -> RowRule:
        """The rule with its tensors on another device."""


class _Ungraded:
    """A rule whose every match weighs 1."""

    graded = False

    def weights(self: RowRule, i: slice, j: slice) -> Tensor:
        return self.answer(True, i, j).to(torch.float64)


@dataclass(frozen=True, eq=False)
class Equal(_Ungraded):
    """Equal codes below 2^31.

    Attributes:
        anchors: int64 ``[M]``, −1 where missing.
        candidates: int64 ``[N]``, −2 where missing, so that two missing codes never meet.
    """

    anchors: Tensor
    candidates: Tensor

    def answer(self, asked: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        a, b = self.anchors[i], self.candidates[j]
        equal = equal_codes(a, b)
        return equal if asked else equal.logical_not_().logical_and_(a[:, None] >= 0).logical_and_(b[None, :] >= 0)

    def to(self, device: torch.device | str) -> Equal:
        """See `RowRule.to`."""
        return Equal(self.anchors.to(device), self.candidates.to(device))


@dataclass(frozen=True, eq=False)
class Near:
    """``abs(x_i − x_j) <= width`` over float64 numbers, NaN where missing.

    With ``decay``, a match weighs ``1 − abs(x_i − x_j) / width``, and only weights above 0 match.
    """

    anchors: Tensor
    candidates: Tensor
    width: float
    decay: bool = False

    @property
    def graded(self) -> bool:
        """See `RowRule.graded`."""
        return self.decay

    def answer(self, asked: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        if self.decay:
            return self.weights(i, j).to(torch.bool)
        return self._distance(i, j) <= self.width if asked else self._distance(i, j) > self.width

    def weights(self, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        if not self.decay:
            return self.answer(True, i, j).to(torch.float64)
        return self._distance(i, j).div_(-self.width).add_(1).nan_to_num_(nan=0.0).clamp_min_(0)

    def to(self, device: torch.device | str) -> Near:
        """See `RowRule.to`."""
        return Near(self.anchors.to(device), self.candidates.to(device), self.width, self.decay)

    def _distance(self, i: slice, j: slice) -> Tensor:
        return (self.anchors[i, None] - self.candidates[None, j]).abs_()


@dataclass(frozen=True, eq=False)
class All:
    """Yes when every term is; no when any is. Weights multiply."""

    terms: tuple[RowRule, ...]

    @property
    def graded(self) -> bool:
        """See `RowRule.graded`."""
        return any(term.graded for term in self.terms)

    def answer(self, asked: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        return self.weights(i, j).to(torch.bool) if self.graded else _joined(self.terms, asked, asked, i, j)

    def weights(self, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        result = self.terms[0].weights(i, j)
        for term in self.terms[1:]:
            result.mul_(term.weights(i, j) if term.graded else term.answer(True, i, j))
        return result

    def to(self, device: torch.device | str) -> All:
        """See `RowRule.to`."""
        return All(tuple(term.to(device) for term in self.terms))


@dataclass(frozen=True, eq=False)
class Any:
    """Yes when any term is; no when every term is. The largest weight counts."""

    terms: tuple[RowRule, ...]

    @property
    def graded(self) -> bool:
        """See `RowRule.graded`."""
        return any(term.graded for term in self.terms)

    def answer(self, asked: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        return _joined(self.terms, asked, not asked, i, j)

    def weights(self, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        result = self.terms[0].weights(i, j)
        for term in self.terms[1:]:
            torch.maximum(result, term.weights(i, j), out=result)
        return result

    def to(self, device: torch.device | str) -> Any:
        """See `RowRule.to`."""
        return Any(tuple(term.to(device) for term in self.terms))


@dataclass(frozen=True, eq=False)
class Inverse(_Ungraded):
    """Yes for no, no for yes; its term is never graded."""

    term: RowRule

    def answer(self, asked: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        return self.term.answer(not asked, i, j)

    def to(self, device: torch.device | str) -> Inverse:
        """See `RowRule.to`."""
        return Inverse(self.term.to(device))


def equal_codes(a: Tensor, b: Tensor) -> Tensor:
    """Where codes ``[I]`` and ``[J]`` between −2^31 and 2^31 are equal: a fresh bool ``[I, J]``."""
    # On a CPU, torch subtracts 32-bit numbers several times as fast as it compares them.
    return (a.to(torch.int32)[:, None] - b.to(torch.int32)[None, :]).to(torch.bool).logical_not_()


def _joined(terms: tuple[RowRule, ...], asked: bool, every: bool, i: slice, j: slice) -> Tensor:
    result = terms[0].answer(asked, i, j)
    for term in terms[1:]:
        more = term.answer(asked, i, j)
        result = result.logical_and_(more) if every else result.logical_or_(more)
    return result
