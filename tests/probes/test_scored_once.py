"""Each labelled voxel of overlapping samples is scored once, in the sample whose centre is nearest: by brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ssl_domains.probes import DenseTargets, NativeMasks
from ssl_domains.probes.overlap import add_confusion
from ssl_domains.probes.scored_once import MapPlaces, repeated_pixels, scored_once
from ssl_domains.views import Canvas

AXES = ((2, 1), (2, 0), (0, 1), (1, 0))


def random_maps(rng: np.random.Generator, samples: int) -> tuple[MapPlaces, list[NDArray[np.uint8]]]:
    """Patches of any direction, side and place, of one and three sections, in two arrays; the masks differ."""
    arrays = rng.integers(0, 2, samples)
    axes = np.array(AXES)[rng.integers(0, len(AXES), samples)]
    sides = rng.integers(1, 7, (samples, 3))
    thin = np.ones_like(sides) + 2 * rng.integers(0, 2, (samples, 1))
    along = np.zeros(sides.shape, bool)
    np.put_along_axis(along, axes, True, axis=1)
    sides = np.where(along, sides, thin)
    starts = rng.integers(0, 6, (samples, 3))
    places = MapPlaces.of_regions(arrays, starts, starts + sides, axes)
    shapes = np.take_along_axis(sides, axes, axis=1).tolist()
    return places, [rng.choice([0, 1, 2, 255], size=shape).astype(np.uint8) for shape in shapes]


def voxel(places: MapPlaces, row: int, down: int, right: int) -> tuple[int, ...]:
    """The voxel that a pixel shows, with the code of its array."""
    place = places.low[row].tolist()
    first, second = places.axes[row].tolist()
    place[first] += down
    place[second] += right
    return (int(places.arrays[row]), *place)


def owners(places: MapPlaces, masks: list[NDArray[np.uint8]]) -> dict[tuple[int, ...], int]:
    """Voxel → the row that it is scored in, from every labelled pixel."""
    best: dict[tuple[int, ...], tuple[float, int]] = {}
    for row, mask in enumerate(masks):
        middle = (places.low[row] + places.high[row] - 1) / 2
        for down, right in np.argwhere(mask != 255).tolist():
            at = voxel(places, row, down, right)
            distance = float(((np.array(at[1:]) - middle) ** 2).sum())
            best[at] = min(best.get(at, (np.inf, -1)), (distance, row))
    return {at: row for at, (_, row) in best.items()}


@pytest.mark.parametrize("seed", range(8))
def test_each_labelled_voxel_is_scored_in_the_sample_with_the_nearest_centre(seed: int) -> None:
    places, masks = random_maps(np.random.default_rng(seed), 40)
    owner = owners(places, masks)
    left_out = repeated_pixels(places, masks)
    assert left_out
    scored: list[tuple[int, ...]] = []
    for row, mask in enumerate(masks):
        out = left_out.get(row, np.zeros(mask.shape, bool))
        assert out.shape == mask.shape
        assert not (out & (mask == 255)).any()
        for down, right in np.argwhere(mask != 255).tolist():
            at = voxel(places, row, down, right)
            assert out[down, right] == (owner[at] != row)
            if not out[down, right]:
                scored.append(at)
    assert sorted(scored) == sorted(owner)  # every voxel, and each once


def test_rows_that_share_voxels_are_found_and_no_others() -> None:
    places, masks = random_maps(np.random.default_rng(3), 60)
    shown = [{voxel(places, row, *at) for at in np.ndindex(mask.shape)} for row, mask in enumerate(masks)]
    found = places.overlapping()
    for row, mine in enumerate(shown):
        expected = [other for other, theirs in enumerate(shown) if other != row and mine & theirs]
        assert found.get(row, np.array([])).tolist() == expected


def row_of_patches(starts: list[int]) -> MapPlaces:
    """Patches of 4 × 4 pixels along one row of a picture, each a region of it."""
    low = np.array([[0, start, 0] for start in starts])
    high = low + np.array([4, 4, 1])
    return MapPlaces.of_regions(np.zeros(len(starts), int), low, high, np.tile([0, 1], (len(starts), 1)))


def test_equal_distance_goes_to_the_first_row() -> None:
    masks = [np.ones((4, 4), np.uint8)] * 2
    left_out = repeated_pixels(row_of_patches([0, 3]), masks)  # column 3 is 1.5 from both centres
    assert list(left_out) == [1]
    assert left_out[1].any(axis=0).tolist() == [True, False, False, False]


def test_a_voxel_that_the_nearer_sample_does_not_label_is_scored_in_the_other() -> None:
    near, far = np.ones((4, 4), np.uint8), np.ones((4, 4), np.uint8)
    near[:, 0] = 255  # column 2 of the picture lies nearer to the second patch, which doesn't know it
    left_out = repeated_pixels(row_of_patches([0, 2]), [far, near])
    assert left_out[0].any(axis=0).tolist() == [False, False, False, True]
    assert 1 not in left_out


def test_samples_of_other_arrays_or_of_no_known_array_share_nothing() -> None:
    places = row_of_patches([0, 1, 1])
    for arrays in ([0, 1, 2], [-1, -1, -1]):
        apart = MapPlaces(np.array(arrays), places.low, places.high, places.axes)
        assert repeated_pixels(apart, [np.ones((4, 4), np.uint8)] * 3) == {}


def targets_of(masks: list[Any]) -> DenseTargets:
    index = np.arange(256, dtype=np.uint8)
    native = NativeMasks(masks, np.arange(len(masks)), index)
    return DenseTargets(np.zeros((len(masks), 4, 4), np.uint8), native, Canvas(4), ("one",))


def test_only_test_samples_lose_pixels_and_the_share_is_said() -> None:
    masks = [np.ones((4, 4), np.uint8)] * 4
    targets = targets_of(masks)
    test = np.array([True, False, True, True])
    once, note = scored_once(targets, row_of_patches([0, 1, 2, 40]), test)
    counts = np.zeros((2, 2), np.int64)
    for row in np.flatnonzero(test):
        add_confusion(counts, once.native[int(row)], np.ones((4, 4), int))
    assert counts[1, 1] == 6 * 4 + 16  # columns 0 to 5 of the first pair, and the patch that stands alone
    assert "16.7 % of their labelled pixels" in note
    np.testing.assert_array_equal(once.native[1], masks[1])
    assert once.placed is targets.placed
    taken = once.take(np.array([2, 0]))
    np.testing.assert_array_equal(taken.native[0], once.native[2])
    np.testing.assert_array_equal(taken.native[1], once.native[0])
    assert targets.native[2].min() == 1  # the given targets stay as they were


def test_without_overlap_nothing_changes() -> None:
    targets = targets_of([np.ones((4, 4), np.uint8)] * 2)
    assert scored_once(targets, None, np.ones(2, bool)) == (targets, "")
    assert scored_once(targets, row_of_patches([0, 4]), np.ones(2, bool)) == (targets, "")
