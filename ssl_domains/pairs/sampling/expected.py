"""Counting the positives of another sample that anchors have in planned batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bound_rule import BoundRelation

__all__ = ["cross_positives", "measurable_batches"]

_PAIRS = 2**26  # pairs that a rule compares at most: seconds, not minutes
_SLOW_PAIRS = 2**23  # the same for rules that search lists or edges, where a pair takes about ten times as long
_STRIP = 1024  # anchors at a time


def measurable_batches(relation: BoundRelation, plan: NDArray[np.int64]) -> int:
    """How many batches of a plan are counted: all for codes; for other rules as many as a limit on the pairs allows."""
    steps, size = int(plan.shape[0]), int(plan.shape[1])
    if relation.codes is not None:
        return steps
    pairs = _SLOW_PAIRS if relation.rule.searches else _PAIRS
    return min(steps, max(1, pairs // (size * size)))


def cross_positives(relation: BoundRelation, plan: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many different other samples of its batch match each place; weights do not matter.

    Args:
        relation: The relation; numbers that views emit count as unknown.
        plan: Positions ``[steps, places]``. Partners and drawn negatives have places as seeds have, as their views are
            rows of the same batch: a partner counts as a positive of its seed, and the seed as one of its partner.

    Returns:
        int64 ``[steps, places]``.
    """
    if relation.codes is not None:
        return _by_codes(relation.codes, plan)
    counts = np.zeros_like(plan)
    for step, batch in enumerate(plan):
        samples, place = np.unique(batch, return_inverse=True)
        matched = np.empty(len(samples), dtype=np.int64)
        for start in range(0, len(samples), _STRIP):
            anchors = samples[start : start + _STRIP]
            matches = relation.rule.matches(anchors, samples)
            matches[np.arange(len(anchors)), np.arange(start, start + len(anchors))] = False
            matched[start : start + _STRIP] = matches.sum(1)
        counts[step] = matched[place]
    return counts


def _by_codes(codes: NDArray[np.int64], plan: NDArray[np.int64]) -> NDArray[np.int64]:
    """`cross_positives` for codes, by sorting; a sample that is in a batch twice counts once."""
    steps = np.repeat(np.arange(len(plan)), plan.shape[1])
    slots, place = np.unique(steps * len(codes) + plan.ravel(), return_inverse=True)
    step, code = slots // max(len(codes), 1), codes[slots % max(len(codes), 1)]
    key = step * (codes.max(initial=0) + 2) + code + 1  # 0 in each batch is for missing codes
    _, group, sizes = np.unique(key, return_inverse=True, return_counts=True)
    others = np.where(code < 0, 0, sizes[group.reshape(-1)] - 1).astype(np.int64)
    counts: NDArray[np.int64] = others[place.reshape(-1)].reshape(plan.shape)
    return counts
