"""And, Or and Not over bound leaves, in Kleene's three-valued logic."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.leaf import BoundLeaf
from ssl_domains.pairs.binding.reason import Answer

__all__ = ["And", "Node", "Not", "Or", "answer_for"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Joined:
    terms: tuple[Node, ...]

    @property
    def graded(self) -> bool:
        """Whether a match can have another weight than 1."""
        return any(term.graded for term in self.terms)

    @property
    def reads_emitted(self) -> bool:
        """Whether it depends on numbers that views emit."""
        return any(term.reads_emitted for term in self.terms)

    @property
    def searches(self) -> bool:
        """See `BoundLeaf.searches`."""
        return any(term.searches for term in self.terms)


class And(_Joined):
    """Yes when every term says yes; no when any term says no. Weights multiply."""

    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """See `BoundLeaf.answer`."""
        return _combined(self.terms, yes, yes, i, j)

    def weights(self, i: Ints, j: Ints) -> Floats:
        """See `BoundLeaf.weights`."""
        return reduce(np.multiply, (term.weights(i, j) for term in self.terms))


class Or(_Joined):
    """Yes when any term says yes; no when every term says no. The largest weight counts."""

    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """See `BoundLeaf.answer`."""
        return _combined(self.terms, yes, not yes, i, j)

    def weights(self, i: Ints, j: Ints) -> Floats:
        """See `BoundLeaf.weights`."""
        return reduce(np.maximum, (term.weights(i, j) for term in self.terms))


@dataclass(frozen=True, eq=False)
class Not:
    """Yes where its term says no, no where it says yes; the term is never graded."""

    term: Node

    graded = False

    @property
    def reads_emitted(self) -> bool:
        """Whether it depends on numbers that views emit."""
        return self.term.reads_emitted

    @property
    def searches(self) -> bool:
        """See `BoundLeaf.searches`."""
        return self.term.searches

    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """See `BoundLeaf.answer`."""
        return self.term.answer(not yes, i, j)

    def weights(self, i: Ints, j: Ints) -> Floats:
        """See `BoundLeaf.weights`."""
        return self.answer(True, i, j).astype(np.float64)


Node: TypeAlias = BoundLeaf | And | Or | Not


def answer_for(node: Node, i: int, j: int) -> Answer:
    """What a node answers for one pair of positions."""
    a, b = np.array([i]), np.array([j])
    if node.answer(True, a, b)[0]:
        return "yes"
    return "no" if node.answer(False, a, b)[0] else "unknown"


def _combined(terms: tuple[Node, ...], yes: bool, every: bool, i: Ints, j: Ints) -> Bools:
    """Where every term, or any of them, gives the answer."""
    join = np.logical_and if every else np.logical_or
    return reduce(join, (term.answer(yes, i, j) for term in terms))
