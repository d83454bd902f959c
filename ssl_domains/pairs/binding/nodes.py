"""The nodes of a bound rule: leaves over NumPy columns, one value a sample, joined in Kleene's logic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["And", "EmittedSame", "EmittedWithin", "Linked", "Node", "Not", "Or", "Overlap", "Same", "Within"]


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
        decay: Whether a match weighs ``1 − abs(x_i − x_j) / width``, in float64, and only weights above 0 match.
    """

    values: NDArray[np.float64]
    width: float
    decay: bool = False


@dataclass(frozen=True, eq=False)
class Overlap:
    """Lists that share at least so many members; member ``m`` of position ``p`` is in one CSR row.

    Attributes:
        starts: int64 ``[size + 1]``.
        members: int64 ``[starts[-1]]``, dense codes, ascending and distinct within a row.
        known: bool ``[size]``, False where the list is missing; an empty list is known.
        at_least: How many, at least 1.
        jaccard: Whether a match weighs its shared members over the union of members, instead of 1.
    """

    starts: NDArray[np.int64]
    members: NDArray[np.int64]
    known: NDArray[np.bool_]
    at_least: int
    jaccard: bool


@dataclass(frozen=True, eq=False)
class Linked:
    """Edges between positions of the table: a symmetric adjacency without self edges, as CSR.

    Attributes:
        starts: int64 ``[size + 1]``.
        neighbours: int64 ``[starts[-1]]``, positions, ascending and distinct within a row.
        grades: float64 ``[starts[-1]]``, above 0 and finite; 1 without grades.
        known: bool ``[size]``, False where the key is missing; a known key without edges is linked to nobody.
        graded: Whether the grades were read from the edges.
    """

    starts: NDArray[np.int64]
    neighbours: NDArray[np.int64]
    grades: NDArray[np.float64]
    known: NDArray[np.bool_]
    graded: bool = False


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
    decay: bool = False


@dataclass(frozen=True, eq=False)
class And:
    """Yes when every term is; no when any is. Weights multiply."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Or:
    """Yes when any term is; no when every term is. The largest weight counts."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Not:
    """Yes for no, no for yes; its term is never graded."""

    term: Node


Node: TypeAlias = Same | Within | Overlap | Linked | EmittedSame | EmittedWithin | And | Or | Not
