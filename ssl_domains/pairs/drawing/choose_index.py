"""Which index a rule is drawn by: the most selective of those that its outermost conjunction offers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bound_rule import BoundRule, joint_codes
from ssl_domains.pairs.binding.evaluate import is_graded
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
from ssl_domains.pairs.drawing.indices.protocol import MatchIndex
from ssl_domains.pairs.drawing.indices.runs import CodeRuns, EdgeRuns, EveryoneRun, NobodyRun
from ssl_domains.pairs.drawing.indices.union import Union
from ssl_domains.pairs.leaves.overlap_index import InvertedLists
from ssl_domains.pairs.leaves.within_index import WindowRuns

__all__ = ["index_of"]

Ints = NDArray[np.int64]

Term = tuple[Node, bool]
"""A node, and whether its yes or its no is asked for."""

_LOOK = 4096  # rows by which indices are compared


def index_of(rule: BoundRule, size: int) -> MatchIndex:
    """The index by which a rule over ``size`` rows is drawn."""
    return _index([(rule.node, True)], size, rule.codes) or EveryoneRun.of(size)


def _index(asked: list[Term], size: int, codes: Ints | None = None) -> MatchIndex | None:
    """The best index of a conjunction; None when nothing in it narrows the table.

    Args:
        asked: The terms.
        size: Rows.
        codes: The terms' `Same` leaves as one code, where somebody has them.
    """
    terms = [leaf for term in asked for leaf in _conjuncts(*term)]
    if any(isinstance(node, (EmittedSame, EmittedWithin)) for node, _ in terms):
        return NobodyRun.of()
    same = [node.codes for node, yes in terms if yes and isinstance(node, Same)]
    if same and codes is None:
        codes = joint_codes(same)
    rest = [term for term in terms if not (term[1] and isinstance(term[0], Same))]
    found: list[MatchIndex] = []
    alone = len(terms) == 1
    for node, yes in rest:
        if yes and isinstance(node, Within):
            found.append(WindowRuns.of(codes, node, len(rest) == 1))
        elif yes and isinstance(node, Overlap):
            found.append(InvertedLists.of(node, alone))
        elif yes and isinstance(node, Linked):
            found.append(EdgeRuns.of(node, alone))
        elif isinstance(node, (And, Or)):
            # A product of tiny weights may round to 0, which is no match: the rule itself must be asked then.
            union = _union(node, yes, size, alone and not is_graded(node))
            found += [] if union is None else [union]
    if codes is not None and not any(isinstance(index, WindowRuns) for index in found):
        found.append(CodeRuns.of(codes, not rest))
    if len(found) < 2:
        return found[0] if found else None
    look = np.random.default_rng(0).integers(0, size, _LOOK) if size else np.empty(0, dtype=np.int64)
    return min(found, key=lambda index: int(index.counts(look).sum()))


def _union(node: And | Or, yes: bool, size: int, sure: bool) -> MatchIndex | None:
    """The index of a disjunction; None when one of its branches narrows nothing."""
    branches: list[MatchIndex] = []
    terms: list[Term] = []
    for term in node.terms:
        index = _index([(term, yes)], size)
        if index is None:
            return None
        if not isinstance(index, NobodyRun):
            branches.append(index)
            terms.append((term, yes))
    return Union(tuple(branches), tuple(terms), sure) if branches else NobodyRun.of()


def _conjuncts(node: Node, yes: bool) -> list[Term]:
    """The leaves and disjunctions all of which must answer as asked; ``~(a | b)`` is ``~a & ~b``."""
    if isinstance(node, Not):
        return _conjuncts(node.term, not yes)
    if (isinstance(node, And) and yes) or (isinstance(node, Or) and not yes):
        return [leaf for term in node.terms for leaf in _conjuncts(term, yes)]
    return [(node, yes)]
