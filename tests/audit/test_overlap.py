"""Voxels that boxes share, against sets of voxels."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.audit.overlap import overlap_of, smallest_gap, voxels_of
from ssl_domains.samples import Regions

Voxel = tuple[int, ...]


@st.composite
def boxes(draw: st.DrawFn, rank: int, most: int = 8) -> Regions:
    """Up to 6 boxes in two arrays."""
    count = draw(st.integers(0, 6))
    ends = [
        sorted(draw(st.lists(st.integers(0, most), min_size=2, max_size=2, unique=True))) for _ in range(count * rank)
    ]
    read = np.array(ends, dtype=np.int64).reshape(count, rank, 2)
    codes = np.array(draw(st.lists(st.integers(-1, 1), min_size=count, max_size=count)), dtype=np.int64)
    return Regions(codes, read[..., 0], read[..., 1])


def voxels(regions: Regions, row: int) -> set[Voxel]:
    """Array and place of each voxel of a region."""
    code = int(regions.arrays[row])
    if code < 0:
        return set()
    sides = [range(low, high) for low, high in zip(regions.starts[row], regions.stops[row], strict=True)]
    return {(code, *place) for place in itertools.product(*sides)}


def union(regions: Regions) -> set[Voxel]:
    return set().union(*(voxels(regions, row) for row in range(len(regions))))


pairs = st.integers(1, 4).flatmap(
    lambda rank: st.tuples(boxes(rank, 8 if rank < 4 else 4), boxes(rank, 8 if rank < 4 else 4))
)


@settings(deadline=None, max_examples=250)
@given(pairs)
def test_shared_voxels_are_those_of_brute_force(both: tuple[Regions, Regions]) -> None:
    a, b = both
    of_a, of_b = union(a), union(b)
    assert (voxels_of(a), voxels_of(b)) == (len(of_a), len(of_b))
    found = overlap_of(a, b)
    assert found.shared == len(of_a & of_b)
    assert found.inside_a.tolist() == [len(voxels(a, row) & of_b) for row in range(len(a))]
    assert found.inside_b.tolist() == [len(voxels(b, row) & of_a) for row in range(len(b))]


@settings(deadline=None, max_examples=120)
@given(pairs, st.integers(0, 9))
def test_the_smallest_gap_is_that_of_brute_force(both: tuple[Regions, Regions], most: int) -> None:
    a, b = both
    gaps = [
        max(-1, *(np.maximum(b.starts[j] - a.stops[i], a.starts[i] - b.stops[j])).tolist())
        for i in range(len(a))
        for j in range(len(b))
        if a.arrays[i] == b.arrays[j] >= 0
    ]
    nearest = min(gaps, default=most)
    assert smallest_gap(a, b, most) == (None if nearest >= most else nearest)


def test_sections_of_two_directions_share_their_crossings() -> None:
    along = [[i, i + 1, 0, 12, 0, 24] for i in range(0, 12, 3)]
    across = [[0, 12, j, j + 1, 0, 24] for j in (2, 7)]
    a, b = (
        Regions(np.zeros(len(rows), np.int64), np.array(rows)[:, 0::2], np.array(rows)[:, 1::2])
        for rows in (along, across)
    )
    found = overlap_of(a, b)
    assert (found.shared, voxels_of(a), voxels_of(b)) == (4 * 2 * 24, 4 * 12 * 24, 2 * 12 * 24)
    assert found.inside_b.tolist() == [4 * 24, 4 * 24]
