"""The canvas: any shape, any channel count, with a mask where there is no data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.errors import UsageError
from ssl_domains.views import Canvas, FittedScaling, ImagePreprocess, Scaling

RNG = np.random.default_rng(0)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 7), st.sampled_from(["stretch", "fit"]), st.booleans())
@settings(max_examples=80, deadline=None)
def test_any_shape_lands_on_the_square(height: int, width: int, channels: int, mode: str, whole: bool) -> None:
    array = RNG.random((height, width, channels), dtype=np.float32)
    if whole:
        array = (array * 255).astype(np.uint8)
    canvas, mask = Canvas(16, mode).apply(array)  # type: ignore[arg-type]
    assert canvas.shape == (16, 16, channels)
    assert canvas.dtype == array.dtype
    assert (mask is None) == (mode == "stretch")
    if mask is not None:
        assert mask.any()
        assert np.isin(canvas[~mask], canvas[mask]).all(), "padding holds values of the picture"


@pytest.mark.parametrize("channels", [1, 3, 4, 5, 9])
def test_channels_do_not_mix(channels: int) -> None:
    array = RNG.random((20, 33, channels), dtype=np.float32)
    together, _ = Canvas(16).apply(array)
    for channel in range(channels):
        alone, _ = Canvas(16).apply(array[:, :, channel : channel + 1])
        assert np.allclose(together[:, :, channel], alone[:, :, 0], atol=1e-6)


def test_shrinking_averages_and_growing_interpolates() -> None:
    checks = np.indices((32, 32)).sum(0)[:, :, None] % 2
    assert np.allclose(Canvas(16).apply(checks.astype(np.float32))[0], 0.5)
    ramp = np.linspace(0, 1, 8, dtype=np.float32)[None, :, None].repeat(8, 0)
    grown, _ = Canvas(32).apply(ramp)
    assert (np.diff(grown[0, :, 0]) >= -1e-6).all()
    assert len(np.unique(grown[0, :, 0].round(5))) > 20


def test_one_axis_may_shrink_while_the_other_grows() -> None:
    stripes = (np.arange(64) % 2).astype(np.float32)[:, None, None].repeat(4, 1)
    canvas, _ = Canvas(16).apply(stripes)
    assert np.allclose(canvas, 0.5, atol=1e-5), "the long axis has to be averaged"


def test_the_same_size_is_left_alone() -> None:
    array = RNG.random((16, 16, 3), dtype=np.float32)
    assert np.array_equal(Canvas(16).apply(array)[0], array)


def test_fit_keeps_the_aspect_ratio_in_the_middle() -> None:
    picture = RNG.random((16, 32, 1), dtype=np.float32)
    canvas, mask = Canvas(32, "fit").apply(picture)
    assert mask is not None
    assert mask.sum() == 16 * 32
    assert mask[8:24].all()
    assert np.array_equal(canvas[8:24], picture)
    tall, tall_mask = Canvas(32, "fit").apply(np.ones((1000, 2, 1), np.uint8))
    assert tall_mask is not None
    assert tall_mask.sum() == 32
    assert (tall == 1).all(), "a picture of one column is repeated"


@given(st.integers(1, 24), st.integers(1, 24), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_fit_pads_by_reflection_as_often_as_it_takes(height: int, width: int, channels: int) -> None:
    """Against NumPy's own symmetric padding of the picture on the canvas."""
    canvas = Canvas(24, "fit")
    padded, mask = canvas.apply(RNG.random((height, width, channels), dtype=np.float32))
    assert mask is not None
    top, left, inner_height, inner_width = canvas.box(height, width)
    picture = padded[top : top + inner_height, left : left + inner_width]
    around = ((top, 24 - top - inner_height), (left, 24 - left - inner_width), (0, 0))
    assert np.array_equal(padded, np.pad(picture, around, mode="symmetric"))
    assert np.array_equal(mask, np.pad(np.ones(picture.shape[:2], bool), around[:2]))


@pytest.mark.parametrize("mode", ["stretch", "fit"])
def test_pixels_without_data_do_not_darken_their_neighbours(mode: str) -> None:
    array = np.full((40, 40, 2), 0.8, np.float32)
    valid = np.ones((40, 40), bool)
    valid[:, :13] = False
    array[~valid] = 0
    canvas, mask = Canvas(16, mode).apply(array, valid)  # type: ignore[arg-type]
    assert mask is not None
    assert 0.6 < mask.mean() < 0.75
    assert np.allclose(canvas[mask], 0.8, atol=1e-5)
    assert (canvas[~mask] == 0).all(), "missing data inside the picture is 0"


@pytest.mark.parametrize("arguments", [(0, "fit"), (16, "crop")])
def test_other_canvases_are_refused(arguments: tuple[int, str]) -> None:
    with pytest.raises(UsageError):
        Canvas(*arguments)  # type: ignore[arg-type]


def test_a_record_without_a_word_on_padding_keeps_its_zeros() -> None:
    """Runs recorded before padding was reflected give the encoder what it was trained on."""
    scaling = FittedScaling(Scaling(lo=0, hi=1), {"": (0.0, 1.0)})
    made = ImagePreprocess(scaling, Canvas(8, "fit"), 1)
    picture = np.full((4, 8, 1), 0.5, np.float32)
    assert made(picture).values.min() == 0.5
    record = made.to_dict()
    assert record["canvas"]["fill"] == "reflect"
    assert ImagePreprocess.from_dict(record)(picture).values.min() == 0.5
    del record["canvas"]["fill"]
    old = ImagePreprocess.from_dict(record)
    expected = np.zeros((8, 8), np.float32)
    expected[2:6] = 0.5
    np.testing.assert_array_equal(old(picture).values[0, 0].numpy(), expected)
    assert ImagePreprocess.from_dict(old.to_dict()) == old
