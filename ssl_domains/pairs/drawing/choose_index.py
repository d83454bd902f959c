"""Choosing the index that a rule is drawn by: the most selective one that its outermost conjunction offers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bound_rule import BoundRule, joint_codes
from ssl_domains.pairs.binding.leaf import BoundLeaf
from ssl_domains.pairs.binding.nodes import And, Node, Not, Or
from ssl_domains.pairs.binding.protocols import MatchIndex
from ssl_domains.pairs.drawing.indices.runs import CodeRuns, EmptyRun, WholeTableRun
from ssl_domains.pairs.drawing.indices.union import Union

__all__ = ["index_of"]

Ints = NDArray[np.int64]

Term = tuple[Node, bool]
"""A node, and whether its yes (True) or its no (False) is required."""

_COMPARED = 4096  # anchors by whose entries indices are compared


def index_of(rule: BoundRule, size: int) -> MatchIndex:
    """The index by which a rule over ``size`` rows is drawn."""
    return _index([(rule.node, True)], size, rule.codes) or WholeTableRun.of(size)


def _index(conjunction: list[Term], size: int, codes: Ints | None = None) -> MatchIndex | None:
    """The best index of a conjunction; None when no term of it has one.

    Args:
        conjunction: The terms.
        size: Rows.
        codes: The terms that are equality of codes as one code, where the caller has it; None to join them here.
    """
    terms = [leaf for term in conjunction for leaf in _conjuncts(*term)]
    if any(isinstance(node, BoundLeaf) and node.reads_emitted for node, _ in terms):
        return EmptyRun.of()
    equal: list[Ints] = []
    rest: list[Term] = []
    for node, yes in terms:
        own_codes = node.equal_codes if yes and isinstance(node, BoundLeaf) else None
        if own_codes is None:
            rest.append((node, yes))
        else:
            equal.append(own_codes)
    if equal and codes is None:
        codes = joint_codes(equal)
    indices: list[MatchIndex] = []
    codes_are_joined = False
    for node, yes in rest:
        index: MatchIndex | None = None
        if isinstance(node, (And, Or)):
            # A product of tiny weights may round to 0, which is no match, so a graded rule must check every entry.
            index = _union(node, yes, size, len(terms) == 1 and not node.graded)
        elif yes and isinstance(node, BoundLeaf):
            index = node.index(codes, len(rest) == 1)
            codes_are_joined |= index is not None and node.joins_codes
        if index is not None:
            indices.append(index)
    if codes is not None and not codes_are_joined:
        indices.append(CodeRuns.of(codes, not rest))
    if len(indices) < 2:
        return indices[0] if indices else None
    anchors = np.random.default_rng(0).integers(0, size, _COMPARED) if size else np.empty(0, dtype=np.int64)
    return min(indices, key=lambda index: int(index.counts(anchors).sum()))


def _union(node: And | Or, yes: bool, size: int, sure: bool) -> MatchIndex | None:
    """The index of a disjunction; None when one of its branches has none."""
    branches: list[MatchIndex] = []
    terms: list[Term] = []
    for term in node.terms:
        index = _index([(term, yes)], size)
        if index is None:
            return None
        if not isinstance(index, EmptyRun):
            branches.append(index)
            terms.append((term, yes))
    return Union(tuple(branches), tuple(terms), sure) if branches else EmptyRun.of()


def _conjuncts(node: Node, yes: bool) -> list[Term]:
    """The leaves and disjunctions that must all give their answer; ``~(a | b)`` has those of ``~a & ~b``."""
    if isinstance(node, Not):
        return _conjuncts(node.term, not yes)
    if (isinstance(node, And) and yes) or (isinstance(node, Or) and not yes):
        return [leaf for term in node.terms for leaf in _conjuncts(term, yes)]
    return [(node, yes)]
