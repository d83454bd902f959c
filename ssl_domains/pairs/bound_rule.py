"""Rules tied to a table: a Kleene expression over NumPy columns, one value a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["And", "BoundRule", "EmittedSame", "EmittedWithin", "Node", "Not", "Or", "Same", "Within", "joint_codes"]

Positions: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Same:
    """Equal codes.

    Attributes:
        codes: int64 ``[size]``, −1 where the key is missing.
    """

    codes: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Within:
    """``abs(x_i − x_j) <= width``.

    Attributes:
        values: float64 ``[size]``, NaN where missing.
        width: At least 0, inclusive.
    """

    values: NDArray[np.float64]
    width: float


@dataclass(frozen=True, eq=False)
class EmittedSame:
    """Equal numbers emitted by views, or equal bins of them; unknown until the views are made.

    Attributes:
        name: Name of the emitted number.
        edges: Bin edges, or None for the number itself.
    """

    name: str
    edges: tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class EmittedWithin:
    """`Within` over numbers emitted by views; unknown until the views are made."""

    name: str
    width: float


@dataclass(frozen=True, eq=False)
class And:
    """Yes when every term is; no when any is."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Or:
    """Yes when any term is; no when every term is."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Not:
    """Yes for no, no for yes."""

    term: Node


Node: TypeAlias = Same | Within | EmittedSame | EmittedWithin | And | Or | Not


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

    @property
    def reads_emitted(self) -> bool:
        """Whether it depends on numbers that only views know."""
        return _any_emitted(self.node)

    def weights(self, i: Positions, j: Positions) -> NDArray[np.float64]:
        """Pairwise over samples: 1.0 for yes, 0.0 for no and unknown.

        Args:
            i: Positions ``[n]`` in the table.
            j: Positions ``[m]``.

        Returns:
            float64 ``[n, m]``. Numbers emitted by views count as unknown here.
        """
        return self.matches(i, j).astype(np.float64)

    def matches(self, i: Positions, j: Positions) -> NDArray[np.bool_]:
        """As `weights`, as booleans ``[n, m]``."""
        i, j = np.asarray(i, dtype=np.int64)[:, None], np.asarray(j, dtype=np.int64)[None, :]
        return self.matches_pairwise(i, j)

    def matches_pairwise(self, i: Positions, j: Positions) -> NDArray[np.bool_]:
        """Whether position ``i`` matches ``j``, elementwise over broadcast shapes."""
        shape = np.broadcast_shapes(i.shape, j.shape)
        result = np.ones(shape, dtype=np.bool_)
        if self.codes is not None:
            result &= (self.codes[i] == self.codes[j]) & (self.codes[i] >= 0)
        for node in self.rest:
            result &= _answer(node, True, i, j)
        return result


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


def _any_emitted(node: Node) -> bool:
    if isinstance(node, (And, Or)):
        return any(_any_emitted(term) for term in node.terms)
    if isinstance(node, Not):
        return _any_emitted(node.term)
    return isinstance(node, (EmittedSame, EmittedWithin))


def _answer(node: Node, asked: bool, i: Positions, j: Positions) -> NDArray[np.bool_]:
    """Where the node definitely says yes (``asked``) or definitely says no.

    Asking for one side only lets ``~`` swap the question, so the third value needs no array of its own.
    """
    if isinstance(node, Same):
        a, b = node.codes[i], node.codes[j]
        equal: NDArray[np.bool_] = (a == b) & (a >= 0) if asked else (a != b) & (a >= 0) & (b >= 0)
        return equal
    if isinstance(node, Within):
        with np.errstate(invalid="ignore"):  # inf − inf is NaN: unknown
            distance = np.abs(node.values[i] - node.values[j])
        near: NDArray[np.bool_] = distance <= node.width if asked else distance > node.width
        return near
    if isinstance(node, Not):
        return _answer(node.term, not asked, i, j)
    if isinstance(node, (And, Or)):
        every = isinstance(node, And) == asked
        result = _answer(node.terms[0], asked, i, j)
        for term in node.terms[1:]:
            more = _answer(term, asked, i, j)
            result = result & more if every else result | more
        return result
    return np.zeros(np.broadcast_shapes(i.shape, j.shape), dtype=np.bool_)
