"""How many positives of another sample the anchors of planned batches have, relation by relation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.binder import BoundRelation
from ssl_domains.pairs.binding.bound_rule import BoundRule
from ssl_domains.pairs.binding.nodes import And, Linked, Not, Or, Overlap

__all__ = ["cross_positives", "measurable_batches", "searches"]

_PAIRS = 2**26  # pairs that are looked at one by one at most: seconds, not minutes
_SLOW_PAIRS = 2**23  # the same by lists and edges, of which a pair takes about ten times as long
_STRIP = 1024


def measurable_batches(relation: BoundRelation, plan: NDArray[np.int64]) -> int:
    """How many batches of a plan are worth counting: all by codes, a bounded number of pairs by a predicate."""
    steps, size = int(plan.shape[0]), int(plan.shape[1])
    if relation.codes is not None:
        return steps
    pairs = _SLOW_PAIRS if searches(relation.rule) else _PAIRS
    return min(steps, max(1, pairs // (size * size)))


def searches(rule: BoundRule) -> bool:
    """Whether a rule searches lists or edges for each pair, rather than comparing two numbers."""
    nodes = [rule.node]
    while nodes:
        node = nodes.pop()
        if isinstance(node, (Overlap, Linked)):
            return True
        nodes += node.terms if isinstance(node, (And, Or)) else [node.term] if isinstance(node, Not) else []
    return False


def cross_positives(relation: BoundRelation, plan: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distinct other samples of the same batch that match each slot, whatever a match weighs.

    Args:
        relation: Numbers that views emit count as unknown.
        plan: Positions ``[steps, slots]``. The partners of a partnered plan are slots like its seeds: their views are
            rows of the same batch, so a partner counts as its seed's positive, and the seed as its partner's.

    Returns:
        int64 ``[steps, slots]``.
    """
    if relation.codes is not None:
        return _by_codes(relation.codes, plan)
    counts = np.zeros_like(plan)
    for step, batch in enumerate(plan):
        samples, place = np.unique(batch, return_inverse=True)
        found = np.empty(len(samples), dtype=np.int64)
        for start in range(0, len(samples), _STRIP):
            anchors = samples[start : start + _STRIP]
            matches = relation.rule.matches(anchors, samples)
            matches[np.arange(len(anchors)), np.arange(start, start + len(anchors))] = False
            found[start : start + _STRIP] = matches.sum(1)
        counts[step] = found[place]
    return counts


def _by_codes(codes: NDArray[np.int64], plan: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same by sorting: a sample drawn twice counts once."""
    steps = np.repeat(np.arange(len(plan)), plan.shape[1])
    slots, place = np.unique(steps * len(codes) + plan.ravel(), return_inverse=True)
    step, code = slots // max(len(codes), 1), codes[slots % max(len(codes), 1)]
    key = step * (codes.max(initial=0) + 2) + code + 1  # a missing code has a number of its own in each batch
    _, group, sizes = np.unique(key, return_inverse=True, return_counts=True)
    others = np.where(code < 0, 0, sizes[group.reshape(-1)] - 1).astype(np.int64)
    found: NDArray[np.int64] = others[place.reshape(-1)].reshape(plan.shape)
    return found
