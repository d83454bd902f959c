"""The class of a pixel from its place alone: right where classes are layers, at chance where they are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.probes import DenseTargets, NativeMasks, position_floor
from ssl_domains.probes.scored_once import MapPlaces
from ssl_domains.views import Canvas

SECTIONS, WIDE, DEEP = 12, 20, 30


def sections(volume: NDArray[np.uint8]) -> tuple[DenseTargets, MapPlaces]:
    """Every inline of a volume ``[inline, crossline, sample]`` as a map, samples downwards."""
    starts = np.array([[k, 0, 0] for k in range(SECTIONS)])
    axes = np.tile([2, 1], (SECTIONS, 1))
    places = MapPlaces.of_regions(np.zeros(SECTIONS, dtype=np.int64), starts, starts + np.array([1, WIDE, DEEP]), axes)
    index = np.full(256, 255, dtype=np.uint8)
    index[:3] = range(3)
    native = NativeMasks([section.T for section in volume], np.arange(SECTIONS), index)
    return DenseTargets(np.zeros((SECTIONS, 8, 8), np.uint8), native, Canvas(8), ("a", "b")), places


def sides() -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    groups = np.arange(SECTIONS)
    return groups, groups < 8, groups >= 9


def test_layers_are_known_from_their_depth() -> None:
    depth = np.repeat([0, 1, 2], DEEP // 3)
    volume = np.broadcast_to(depth, (SECTIONS, WIDE, DEEP)).astype(np.uint8)
    result = position_floor(*sections(volume), *sides())
    assert result.values()["pooled mean IoU"] == pytest.approx(1)
    assert result.counts.shape == (3, 3, 3)
    assert result.counts.sum() == 3 * WIDE * DEEP
    assert (result.labels, result.tested) == (8, 3)


def test_a_class_of_one_side_of_the_line_is_known_from_the_trace() -> None:
    volume = np.zeros((SECTIONS, WIDE, DEEP), dtype=np.uint8)
    volume[:, : WIDE // 2] = 1
    result = position_floor(*sections(volume), *sides())
    np.testing.assert_array_equal(result.counts[:, :2, :2], np.full((3, 2, 2), DEEP * WIDE // 2) * np.eye(2, dtype=int))


def test_classes_without_a_place_are_at_chance_and_ignored_pixels_are_not_counted() -> None:
    volume = np.random.default_rng(0).integers(0, 3, (SECTIONS, WIDE, DEEP)).astype(np.uint8)
    volume[:, :5] = 255
    result = position_floor(*sections(volume), *sides())
    assert result.counts.sum() == 3 * 15 * DEEP
    accuracy = result.values()["pixel accuracy"]
    assert accuracy is not None
    assert abs(accuracy - 1 / 3) < 0.06


def test_nothing_to_fit_is_an_error() -> None:
    volume = np.full((SECTIONS, WIDE, DEEP), 255, dtype=np.uint8)
    with pytest.raises(DataError):
        position_floor(*sections(volume), *sides())
