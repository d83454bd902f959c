"""A grid of tiles: it covers a sample, the last tile ends where the sample ends, and neighbours overlap as declared."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.errors import UsageError
from ssl_domains.views import RandomCrop, Tiling
from ssl_domains.views.crops import centre


def starts(length: int, side: int, overlap: float) -> list[int]:
    """Starts of the tiles along one axis, by walking along it."""
    side = min(side, length)
    made, stride = [0], max(1, round(side * (1 - overlap)))
    while made[-1] + side < length:
        made.append(min(made[-1] + stride, length - side))
    return made


@given(
    shape=st.lists(st.integers(1, 30), min_size=2, max_size=3),
    sides=st.lists(st.integers(1, 12), min_size=2, max_size=2),
    overlap=st.sampled_from([0.0, 0.25, 0.5, 0.9]),
)
def test_the_tiles_are_those_of_a_walk_along_each_axis(shape: list[int], sides: list[int], overlap: float) -> None:
    tile, tiling = centre(RandomCrop(sides), shape, {}), Tiling(overlap)
    expected = [starts(length, side, overlap) for length, side in zip(shape, [*sides, 99], strict=False)]
    counts = tiling.counts(shape, tile)
    assert counts == tuple(len(one) for one in expected)
    covered = np.zeros(shape, dtype=int)
    for number, places in enumerate(itertools.product(*expected)):
        slices = tiling.tile(number, shape, tile)
        assert tuple(one.start for one in slices) == places
        assert all(a.stop - a.start == b.stop - b.start for a, b in zip(slices, tile, strict=True))
        covered[slices] += 1
    assert number + 1 == math.prod(counts)
    assert covered.min() >= 1
    assert [one.stop for one in tiling.tile(number, shape, tile)] == shape


@pytest.mark.parametrize("overlap", [-0.1, 1.0, float("nan")])
def test_other_overlaps_are_refused(overlap: float) -> None:
    with pytest.raises(UsageError, match="tiles that overlap"):
        Tiling(overlap)


def test_a_crop_without_a_centre_is_centred_with_the_lengths_that_it_draws() -> None:
    class Bare:
        place = RandomCrop((None, 6)).place

    bare: Any = Bare()
    assert centre(bare, (3, 20, 2), {}) == (slice(0, 3), slice(7, 13), slice(0, 2))
    assert centre(RandomCrop((None, 6)), (3, 20, 2), {}) == (slice(0, 3), slice(7, 13), slice(0, 2))
