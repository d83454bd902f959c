"""Counting the pairs of planned batches: positives, pairs of equal values, and negatives of equal values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.inspection.shared_voxels import SharedVoxels
from ssl_domains.samples import Regions

__all__ = ["PairCounts", "count_pairs", "matches_everything"]

Ints = NDArray[np.int64]

_PAIRS = 2**24  # pairs that are counted at most, which takes about a second
_SLOW_PAIRS = 2**21  # the same for rules that search lists or edges
_STRIP = 1024  # anchors at a time
_ALL = 4096  # rows up to which every pair is checked
_SAMPLE = 2**20  # pairs that are checked otherwise


@dataclass
class PairCounts:
    """Ordered pairs of an anchor and another sample of its batch; columns by name.

    Attributes:
        batches: Batches that were counted.
        anchors: Different anchors of each batch, summed over the batches.
        total: Pairs in them.
        positive: For each relation, its positives.
        equal: Pairs of equal values.
        positive_known: For each relation and column, positives whose two values are known.
        positive_equal: For each relation and column, positives of equal values.
        negative_known: Pairs that are neither positive in any relation nor ignored, and whose two values are known.
        negative_equal: Those of them with equal values.
        groups: Group of each row, int64 ``[n]``, negative where missing.
        known_anchors: For each relation and column, the anchors of positives whose two values are known, bool ``[n]``.
        shared_voxels: For each relation, the voxels that its positives share; empty where samples are no regions.
    """

    batches: int
    anchors: int
    total: int
    positive: list[int]
    equal: dict[str, int]
    positive_known: list[dict[str, int]]
    positive_equal: list[dict[str, int]]
    negative_known: dict[str, int]
    negative_equal: dict[str, int]
    groups: Ints
    known_anchors: list[dict[str, NDArray[np.bool_]]] = field(default_factory=list)
    shared_voxels: list[SharedVoxels] = field(default_factory=list)

    def positive_groups(self, relation: int, column: str) -> int:
        """Number of groups with an anchor that has a positive in the relation, the values of both in the column known.

        Rows whose group is missing do not count.
        """
        groups = self.groups[self.known_anchors[relation][column]]
        return len(np.unique(groups[groups >= 0]))

    def positive_units(self, relation: int, column: str, codes: Ints) -> int:
        """Number of different pairs of group and value among these anchors.

        A scanner that is the same for all rows of a patient has one pair a patient; a depth, which varies within each
        block of a survey, has several a block.

        Args:
            relation: Number of the relation.
            column: Name of the column.
            codes: Its codes ``[n]``.
        """
        rows = self.known_anchors[relation][column] & (self.groups >= 0)
        return int(np.unique(np.stack([self.groups[rows], codes[rows]]), axis=1).shape[1])


def count_pairs(
    bound: BoundObjective,
    plan: Ints,
    columns: Mapping[str, Ints],
    anchors: int | None = None,
    groups: Ints | None = None,
    regions: Regions | None = None,
) -> PairCounts:
    """Count the pairs of the first batches of a plan, as many batches as a limit on the pairs allows.

    Args:
        bound: The objective; numbers that views emit count as unknown.
        plan: Positions ``[steps, places]``; partners and drawn negatives have places as their seeds have.
        columns: Codes ``[n]`` by name, −1 missing.
        anchors: Leading places of a batch whose samples are anchors; None for all. The samples of the other places,
            drawn negatives, are only compared with them.
        groups: Group of each row, such as its patient, int64 ``[n]``, negative where missing; None makes each row a
            group of its own.
        regions: Region of each row; None where samples are no regions of arrays.
    """
    rules = [relation.rule for relation in bound.relations] + ([] if bound.ignored is None else [bound.ignored])
    pairs = _SLOW_PAIRS if any(rule.searches for rule in rules) else _PAIRS
    batches = min(len(plan), max(1, pairs // (plan.shape[1] * plan.shape[1])))
    relations = range(len(bound.relations))
    zeros = dict.fromkeys(columns, 0)
    counts = PairCounts(
        batches, 0, 0, [0] * len(relations), dict(zeros), [dict(zeros) for _ in relations],
        [dict(zeros) for _ in relations], dict(zeros), dict(zeros),
        np.arange(bound.size) if groups is None else groups,
        [{name: np.zeros(bound.size, np.bool_) for name in columns} for _ in relations],
        [] if regions is None else [SharedVoxels(regions) for _ in relations],
    )  # fmt: skip
    for batch in plan[:batches]:
        samples, compared = np.unique(batch), np.unique(batch[:anchors])
        counts.anchors += len(compared)
        for start in range(0, len(compared), _STRIP):
            _count_strip(bound, compared[start : start + _STRIP], samples, columns, counts)
    return counts


def _count_strip(
    bound: BoundObjective, anchors: Ints, samples: Ints, columns: Mapping[str, Ints], counts: PairCounts
) -> None:
    two = anchors[:, None] != samples[None, :]
    counts.total += int(two.sum())
    positives = [relation.rule.matches(anchors, samples) & two for relation in bound.relations]
    for positive, shared in zip(positives, counts.shared_voxels, strict=False):
        shared.add(anchors, samples, positive)
    negative = two & ~np.logical_or.reduce(positives)
    if bound.ignored is not None:
        negative &= ~bound.ignored.matches(anchors, samples)
    for r, positive in enumerate(positives):
        counts.positive[r] += int(positive.sum())
    for name, codes in columns.items():
        a, b = codes[anchors, None], codes[None, samples]
        known = (a >= 0) & (b >= 0)
        equal = known & (a == b)
        counts.equal[name] += int((equal & two).sum())
        counts.negative_known[name] += int((known & negative).sum())
        counts.negative_equal[name] += int((equal & negative).sum())
        for r, positive in enumerate(positives):
            counts.positive_known[r][name] += int((known & positive).sum())
            counts.positive_equal[r][name] += int((equal & positive).sum())
            counts.known_anchors[r][name][anchors[(known & positive).any(axis=1)]] = True


def matches_everything(bound: BoundObjective, relation: int) -> bool:
    """Whether a relation matches every pair of rows.

    Exact for codes and for up to 4,096 rows; else judged by 2^20 random pairs.
    """
    rule, n = bound.relations[relation].rule, bound.size
    if n < 2 or rule.reads_emitted:
        return False
    if rule.pure and rule.codes is not None:
        return bool(rule.codes[0] >= 0 and (rule.codes == rule.codes[0]).all())
    rng = np.random.default_rng(0)
    i = rng.integers(0, n, _SAMPLE if n > _ALL else n)
    j = (i + rng.integers(1, n, len(i))) % n
    if not rule.matches_pairwise(i, j).all():
        return False
    if n > _ALL:
        return True
    for start in range(0, n, _STRIP):
        anchors = np.arange(start, min(start + _STRIP, n))
        matches = rule.matches(anchors, np.arange(n))
        matches[np.arange(len(anchors)), anchors] = True  # a row and itself are no pair
        if not matches.all():
            return False
    return True
