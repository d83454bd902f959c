"""The voxels that positives share, against sets of voxels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ssl_domains.pairs import BatchSampler, Composition, PairsReport, inspect_pairs, parse
from ssl_domains.pairs.inspection.shared_voxels import SharedVoxels, pair_shares
from ssl_domains.samples import SampleTable, regions_of


def patches(n: int = 40, seed: int = 0) -> SampleTable:
    """Boxes of two arrays of 9 × 9 × 9, with a group each; one region can't be read."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 6, (n, 3))
    stops = starts + rng.integers(1, 4, (n, 3))
    regions = np.stack([starts, stops], axis=2).reshape(n, 6).tolist()
    regions[5] = [4, 2, 0, 1, 0, 1]
    return SampleTable.of({"array": [f"a{k % 2}" for k in range(n)], "region": regions, "g": [k % 5 for k in range(n)]})


def voxels(table: SampleTable, row: int) -> set[tuple[object, ...]]:
    ends = table.frame["region"][row].to_list()
    places = itertools.product(*(range(*ends[axis : axis + 2]) for axis in (0, 2, 4)))
    return {(table.frame["array"][row], *place) for place in places}


def brute(table: SampleTable, i: int, j: int) -> float:
    one, other = voxels(table, i), voxels(table, j)
    return len(one & other) / min(len(one), len(other)) if one and other else float("nan")


def test_shares_are_those_of_brute_force() -> None:
    table = patches()
    (regions,) = regions_of([table]) or []
    i, j = (np.array(rows) for rows in zip(*itertools.product(range(40), repeat=2), strict=True))
    right = [brute(table, int(a), int(b)) for a, b in zip(i, j, strict=True)]
    assert pair_shares(regions, i, j) == pytest.approx(np.array(right), nan_ok=True)
    assert 0 < np.nanmean(right) < 1
    positive = (i % 3 == j % 3).reshape(40, 40)
    counted = SharedVoxels(regions)
    counted.add(np.arange(40), np.arange(40), positive)
    assert counted.mean == pytest.approx(np.nanmean(np.array(right)[positive.reshape(-1)]))


def report(table: SampleTable, rule: str) -> PairsReport:
    objective = parse(rule)
    bound = objective.bind(table)
    return inspect_pairs(table, objective, bound, BatchSampler(bound, Composition("random"), len(table), table=table))


def test_the_report_has_the_mean_over_positive_pairs() -> None:
    table = patches()
    made = report(table, "same('g')")
    right = [brute(table, i, j) for i in range(40) for j in range(40) if i != j and i % 5 == j % 5]
    assert made.relations[0].shared_voxels == pytest.approx(np.nanmean(right))
    name, text = next(row for row in made.rows() if "voxels" in row[0])
    assert name == "  voxels that positives share"
    assert text == f"{100 * np.nanmean(right):.1f} % of the smaller sample, on average"
    assert not any("augmentation" in warning for warning in made.warnings)


@pytest.mark.parametrize(("shift", "warned"), [(3, True), (4, False), (5, False)])
def test_more_than_half_is_augmentation_in_disguise(shift: int, warned: bool) -> None:
    """Pairs of patches of 8 that are shifted by 3, 4 and 5: they share 5, 4 and 3 of their 8 columns."""
    regions = [[0, 8, 100 * pair + shift * k, 100 * pair + shift * k + 8] for pair in range(8) for k in (0, 1)]
    table = SampleTable.of({"array": ["a"] * 16, "region": regions, "place": [k // 2 for k in range(16)]})
    made = report(table, "same('place')")
    assert made.relations[0].shared_voxels == pytest.approx((8 - shift) / 8)
    assert any("augmentation in disguise" in warning for warning in made.warnings) == warned


def test_samples_without_regions_have_no_such_number() -> None:
    made = report(SampleTable.of({"g": [k % 4 for k in range(16)]}), "same('g')")
    assert made.relations[0].shared_voxels is None
    assert not any("voxels" in name for name, _ in made.rows())
