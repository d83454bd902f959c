"""A rule compiled over a table, and a relation of an objective that has such a rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.leaf import BoundLeaf
from ssl_domains.pairs.binding.nodes import And, Node

__all__ = ["BoundRelation", "BoundRule", "joint_codes"]

Positions: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BoundRule:
    """A compiled rule; picklable.

    ``codes`` and ``rest`` are ``node`` written as a conjunction: the rule matches where ``codes`` are equal and known
    (when there are any) *and* every node of ``rest`` says yes.

    Attributes:
        node: The whole expression.
        codes: int64 ``[size]``, −1 missing: the terms of the outermost conjunction that are equality of codes, as one
            code; None without any.
        rest: The other terms of the outermost conjunction.
        text: The rule's text.
    """

    node: Node
    codes: NDArray[np.int64] | None
    rest: tuple[Node, ...]
    text: str

    @classmethod
    def of(cls, node: Node, text: str) -> BoundRule:
        """Split the outermost conjunction of ``node`` into its code and the rest."""
        codes: list[NDArray[np.int64]] = []
        rest: list[Node] = []
        for term in _conjuncts(node):
            equal = term.equal_codes if isinstance(term, BoundLeaf) else None
            if equal is None:
                rest.append(term)
            else:
                codes.append(equal)
        return cls(node, joint_codes(codes) if codes else None, tuple(rest), text)

    @property
    def pure(self) -> bool:
        """Whether equal ``codes`` are the whole rule."""
        return self.codes is not None and not self.rest

    @cached_property
    def reads_emitted(self) -> bool:
        """Whether it depends on numbers that views emit."""
        return self.node.reads_emitted

    @cached_property
    def graded(self) -> bool:
        """Whether a match can have another weight than 1."""
        return self.node.graded

    @property
    def searches(self) -> bool:
        """See `BoundLeaf.searches`."""
        return self.node.searches

    def weights(self, i: Positions, j: Positions) -> NDArray[np.float64]:
        """The weight of every pair of samples: 0.0 for no and unknown, 1.0 for yes where nothing is graded.

        Args:
            i: Positions ``[n]`` in the table.
            j: Positions ``[m]``.

        Returns:
            float64 ``[n, m]``. Numbers emitted by views count as unknown here.
        """
        return self.weights_pairwise(_column(i), _row(j))

    def matches(self, i: Positions, j: Positions) -> NDArray[np.bool_]:
        """Where `weights` are above 0: bool ``[n, m]``."""
        return self.matches_pairwise(_column(i), _row(j))

    def weights_pairwise(self, i: Positions, j: Positions) -> NDArray[np.float64]:
        """The weight of the pair of position ``i`` with ``j``, elementwise over broadcast shapes."""
        result = self._equal(i, j).astype(np.float64)
        for node in self.rest:
            result *= node.weights(i, j)
        return result

    def matches_pairwise(self, i: Positions, j: Positions) -> NDArray[np.bool_]:
        """Whether position ``i`` matches ``j``, elementwise over broadcast shapes."""
        if self.graded:
            return self.weights_pairwise(i, j) > 0
        result = self._equal(i, j)
        for node in self.rest:
            result &= node.answer(True, i, j)
        return result

    def _equal(self, i: Positions, j: Positions) -> NDArray[np.bool_]:
        if self.codes is None:
            return np.ones(np.broadcast_shapes(i.shape, j.shape), dtype=np.bool_)
        codes = self.codes[i]
        equal: NDArray[np.bool_] = codes == self.codes[j]
        equal &= codes >= 0
        return equal


@dataclass(frozen=True, eq=False)
class BoundRelation:
    """One relation of an objective over the rows of a table.

    Attributes:
        weight: α_r.
        text: The rule's text.
        across_parts: Whether it matches rows of different parts.
        rule: The compiled rule.
    """

    weight: float
    text: str
    across_parts: bool
    rule: BoundRule

    @property
    def codes(self) -> NDArray[np.int64] | None:
        """int64 ``[size]``, −1 missing, when two rows match exactly where their codes are equal; None otherwise."""
        return self.rule.codes if self.rule.pure else None


def joint_codes(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """One dense code for several codes of each row: equal where all of them are equal, −1 where any is missing."""
    joint = columns[0]
    for column in columns[1:]:
        missing = (joint < 0) | (column < 0)
        # Dense codes stay below the number of rows, so the product can't overflow int64.
        combined = np.where(missing, -1, joint * (column.max(initial=0) + 1) + column)
        ranks = np.unique(combined, return_inverse=True)[1].reshape(-1).astype(np.int64)
        joint = np.where(missing, -1, ranks - int(missing.any()))
    return joint


def _conjuncts(node: Node) -> list[Node]:
    if isinstance(node, And):
        return [leaf for term in node.terms for leaf in _conjuncts(term)]
    return [node]


def _column(positions: Positions) -> Positions:
    return np.asarray(positions, dtype=np.int64)[:, None]


def _row(positions: Positions) -> Positions:
    return np.asarray(positions, dtype=np.int64)[None, :]
