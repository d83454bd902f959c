"""Rules tied to a table: a Kleene expression over NumPy columns, one value a sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.evaluate import is_graded, node_answer, node_weights, reads_emitted
from ssl_domains.pairs.binding.nodes import (
    And,
    EmittedSame,
    EmittedWithin,
    Linked,
    Node,
    Not,
    Or,
    Overlap,
    Same,
    Within,
)

__all__ = [
    "And",
    "BoundRule",
    "EmittedSame",
    "EmittedWithin",
    "Linked",
    "Node",
    "Not",
    "Or",
    "Overlap",
    "Same",
    "Within",
    "joint_codes",
]

Positions: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BoundRule:
    """A compiled rule; picklable.

    ``node`` says all. ``codes`` and ``rest`` say the same as a conjunction, for whoever can use an index:
    the rule matches where ``codes`` are equal and known (when there are any) *and* every node of ``rest`` says yes.

    Attributes:
        node: The whole expression.
        codes: int64 ``[size]``, the outermost conjunction's `Same` terms as one code, −1 missing; None without any.
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
        terms = _conjuncts(node)
        same = [term.codes for term in terms if isinstance(term, Same)]
        rest = tuple(term for term in terms if not isinstance(term, Same))
        return cls(node, joint_codes(same) if same else None, rest, text)

    @property
    def pure(self) -> bool:
        """Whether equal ``codes`` are the whole rule."""
        return self.codes is not None and not self.rest

    @cached_property
    def reads_emitted(self) -> bool:
        """Whether it depends on numbers that only views know."""
        return reads_emitted(self.node)

    @cached_property
    def graded(self) -> bool:
        """Whether a match may weigh anything but 1."""
        return is_graded(self.node)

    def weights(self, i: Positions, j: Positions) -> NDArray[np.float64]:
        """Pairwise over samples: the weight of a match, 0.0 for no and unknown; 1.0 for yes where nothing is graded.

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
            result *= node_weights(node, i, j)
        return result

    def matches_pairwise(self, i: Positions, j: Positions) -> NDArray[np.bool_]:
        """Whether position ``i`` matches ``j``, elementwise over broadcast shapes."""
        if self.graded:
            return self.weights_pairwise(i, j) > 0
        result = self._equal(i, j)
        for node in self.rest:
            result &= node_answer(node, True, i, j)
        return result

    def _equal(self, i: Positions, j: Positions) -> NDArray[np.bool_]:
        if self.codes is None:
            return np.ones(np.broadcast_shapes(i.shape, j.shape), dtype=np.bool_)
        equal: NDArray[np.bool_] = (self.codes[i] == self.codes[j]) & (self.codes[i] >= 0)
        return equal


def joint_codes(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """One dense code for a tuple of codes: equal where all are equal, −1 where any is missing."""
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
