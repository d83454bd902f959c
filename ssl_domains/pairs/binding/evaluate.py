"""What a bound rule says of samples: yes or no, and with what weight, elementwise over positions of the table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.csr import runs
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

__all__ = ["is_graded", "node_answer", "node_weights", "reads_emitted"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def node_answer(node: Node, asked: bool, i: Ints, j: Ints) -> Bools:
    """Where the node definitely says yes (``asked``) or definitely says no, over the broadcast shape of ``i, j``.

    Asking for one side only lets ``~`` swap the question, so the third value needs no array of its own. Numbers that
    views emit are unknown.
    """
    match node:
        case Same(codes=codes):
            a, b = codes[i], codes[j]
            equal: Bools = (a == b) & (a >= 0) if asked else (a != b) & (a >= 0) & (b >= 0)
            return equal
        case Within(width=width):
            distance = _distance(node, i, j)
            if node.decay:
                return _decayed(distance, width) > 0
            near: Bools = distance <= width if asked else distance > width
            return near
        case Overlap(at_least=at_least, known=known):
            shared = _shared(node, i, j)
            enough: Bools = shared >= at_least if asked else (shared < at_least) & known[i] & known[j]
            return enough
        case Linked(known=known):
            linked = _grades(node, i, j) > 0
            return linked if asked else ~linked & known[i] & known[j]
        case Not(term=term):
            return node_answer(term, not asked, i, j)
        case And(terms=terms) | Or(terms=terms):
            every = isinstance(node, And) == asked
            result = node_answer(terms[0], asked, i, j)
            for term in terms[1:]:
                more = node_answer(term, asked, i, j)
                result = result & more if every else result | more
            return result
    return np.zeros(np.broadcast_shapes(i.shape, j.shape), dtype=np.bool_)


def node_weights(node: Node, i: Ints, j: Ints) -> Floats:
    """The weight of each pair in float64, 0 where it is no match: a product for ``&``, the largest for ``|``."""
    match node:
        case Within(decay=True, width=width):
            return _decayed(_distance(node, i, j), width)
        case Overlap(jaccard=True, at_least=at_least, starts=starts):
            shared = _shared(node, i, j)
            sizes = np.diff(starts)
            union = sizes[i] + sizes[j] - shared
            return np.where(shared >= at_least, shared / np.maximum(union, 1), 0.0)
        case Linked():
            return _grades(node, i, j)
        case And(terms=terms) | Or(terms=terms):
            result = node_weights(terms[0], i, j)
            for term in terms[1:]:
                more = node_weights(term, i, j)
                result = result * more if isinstance(node, And) else np.maximum(result, more)
            return result
    return node_answer(node, True, i, j).astype(np.float64)


def is_graded(node: Node) -> bool:
    """Whether a match may weigh anything but 1."""
    match node:
        case Within(decay=graded) | EmittedWithin(decay=graded) | Overlap(jaccard=graded) | Linked(graded=graded):
            return graded
        case And(terms=terms) | Or(terms=terms):
            return any(is_graded(term) for term in terms)
    return False


def reads_emitted(node: Node) -> bool:
    """Whether the node depends on numbers that only views know."""
    match node:
        case And(terms=terms) | Or(terms=terms):
            return any(reads_emitted(term) for term in terms)
        case Not(term=term):
            return reads_emitted(term)
    return isinstance(node, (EmittedSame, EmittedWithin))


def _distance(node: Within, i: Ints, j: Ints) -> Floats:
    with np.errstate(invalid="ignore", over="ignore"):  # inf − inf is NaN: unknown
        return np.abs(node.values[i] - node.values[j])


def _decayed(distance: Floats, width: float) -> Floats:
    return np.nan_to_num(np.maximum(1 - distance / width, 0.0), nan=0.0)


def _shared(node: Overlap, i: Ints, j: Ints) -> Ints:
    """How many members two positions share."""
    if _is_outer(i, j):
        counts = (_lists(node, i[:, 0]) @ _lists(node, j[0]).T).toarray()
        return np.asarray(counts, dtype=np.int64)
    i, j = np.broadcast_arrays(i, j)
    both = _lists(node, i.reshape(-1)).multiply(_lists(node, j.reshape(-1)))
    return np.asarray(both.sum(axis=1), dtype=np.int64).reshape(i.shape)


def _lists(node: Overlap, positions: Ints) -> Any:
    """The lists of some positions as a sparse 0/1 matrix ``[n, members]``."""
    from scipy.sparse import csr_array  # most rules never need it

    first, sizes = node.starts[positions], node.starts[positions + 1] - node.starts[positions]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    members = node.members[runs(first, sizes)]
    width = int(node.members.max(initial=0)) + 1
    return csr_array((np.ones(len(members), dtype=np.int64), members, starts), shape=(len(positions), width))


def _grades(node: Linked, i: Ints, j: Ints) -> Floats:
    """The grade of the edge between two positions, 0 without one."""
    if _is_outer(i, j):
        columns, column = np.unique(j[0], return_inverse=True)
        sizes = node.starts[i[:, 0] + 1] - node.starts[i[:, 0]]
        edge = runs(node.starts[i[:, 0]], sizes)
        place = np.searchsorted(columns, node.neighbours[edge])
        met = np.append(columns, -1)[place] == node.neighbours[edge]
        found = np.zeros((len(i), len(columns)))
        found[np.repeat(np.arange(len(i)), sizes)[met], place[met]] = node.grades[edge[met]]
        return found[:, column.reshape(-1)]
    # One binary search in the first position's row of neighbours, for all pairs at once.
    i, j = np.broadcast_arrays(i, j)
    low, high = node.starts[i], node.starts[i + 1]
    end = high
    while (open_ := low < high).any():
        middle = (low + high) // 2
        below = open_ & (node.neighbours[np.where(open_, middle, 0)] < j)
        low, high = np.where(below, middle + 1, low), np.where(open_ & ~below, middle, high)
    if not len(node.neighbours):
        return np.zeros(i.shape)
    place = np.minimum(low, len(node.neighbours) - 1)
    return np.where((low < end) & (node.neighbours[place] == j), node.grades[place], 0.0)


def _is_outer(i: Ints, j: Ints) -> bool:
    """Whether every row of ``i [n, 1]`` meets every column of ``j [1, m]``."""
    return i.ndim == j.ndim == 2 and i.shape[1] == j.shape[0] == 1
