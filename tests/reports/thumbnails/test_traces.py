"""A signal as lines: every peak is drawn, in its lane, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from ssl_domains.reports.thumbnails.traces import trace_picture


def dark(picture: np.ndarray) -> np.ndarray:
    return picture[:, :, 0] < 128


@pytest.mark.parametrize("length", [1, 7, 96, 5000])
def test_a_constant_is_one_straight_line(length: int) -> None:
    drawn = dark(trace_picture(np.full(length, 3.0), 96, 48))
    assert drawn.sum(axis=0).tolist() == [1] * 96
    assert len(np.flatnonzero(drawn.any(axis=1))) == 1


def test_one_place_among_thousands_is_seen_where_it_is() -> None:
    signal = np.zeros(10_000)
    signal[7_500] = 1.0
    drawn = dark(trace_picture(signal, 100, 50))
    [peak] = np.flatnonzero(drawn[:5].any(axis=0))
    assert peak == 75
    assert drawn[:, peak].sum() > 20


def test_channels_have_lanes_below_each_other_and_one_scale() -> None:
    time = np.linspace(0, 40, 2000)
    drawn = dark(trace_picture(np.stack([np.sin(time), 0.1 * np.sin(time)], axis=1), 200, 100))
    first, second = (np.flatnonzero(part.any(axis=1)) for part in (drawn[:50], drawn[50:]))
    assert len(first) > 40
    assert 1 < len(second) < 10


def test_many_channels_are_thinned_and_missing_places_stay_white() -> None:
    signal = np.zeros((300, 64))
    lanes = np.flatnonzero(np.diff(dark(trace_picture(signal, 60, 96)).any(axis=1).astype(int)) == 1)
    assert len(lanes) == 4
    holes = np.sin(np.arange(100.0))
    holes[40:60] = np.nan
    assert not dark(trace_picture(holes, 100, 40))[:, 42:59].any()
    assert (trace_picture(np.full((9, 2), np.nan), 30, 20) == 255).all()
    shape = trace_picture(np.arange(12, dtype=np.int16), 30, 20)
    assert shape.shape == (20, 30, 1)
    assert shape.dtype == np.uint8
