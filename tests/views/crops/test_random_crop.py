"""A crop at a random place: inside the array, of its size, at every place equally often, with its origin emitted."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.errors import DataError, UsageError
from ssl_domains.testing import check_crop
from ssl_domains.views import Draws, RandomCrop, crop_from_dict, crop_to_dict, register_crop


def draws(slot: int = 0, view: int = 0, step: int = 3, seed: int = 1) -> Draws:
    return Draws(seed, step, torch.tensor([slot]), view, "crop")


@given(
    shape=st.lists(st.integers(1, 40), min_size=3, max_size=4),
    sides=st.lists(st.none() | st.integers(1, 20), min_size=1, max_size=3).filter(any),
    slot=st.integers(0, 1000),
)
def test_each_axis_has_the_length_of_the_crop_or_is_whole(shape: list[int], sides: list[int | None], slot: int) -> None:
    crop = RandomCrop(sides)
    for slices in (crop.place(draws(slot), shape, {}), crop.centre(shape, {})):
        assert len(slices) == len(shape)
        for axis, (one, length) in enumerate(zip(slices, shape, strict=True)):
            side = sides[axis] if axis < len(sides) else None
            assert 0 <= one.start < one.stop <= length
            assert one.step is None
            assert one.stop - one.start == (length if side is None else min(side, length))
    for one, length in zip(crop.centre(shape, {}), shape, strict=True):
        assert 0 <= (length - one.stop) - one.start <= 1  # in the middle, or a place before it


def test_every_place_is_equally_likely() -> None:
    counts = np.bincount([RandomCrop(5).place(draws(slot), (12,), {})[0].start for slot in range(8000)], minlength=8)
    assert len(counts) == 8
    assert abs(counts / 1000 - 1).max() < 0.12  # four standard deviations


def test_the_origin_is_emitted_in_physical_units() -> None:
    crop = RandomCrop((None, 4, 4), emitted=("y_mm", "x_mm"), spacing=("pixel_mm", 0.5), origin=(10, "left_mm"))
    assert crop.columns == ("pixel_mm", "left_mm")
    facts = {"pixel_mm": 0.25, "left_mm": -3.0}
    slices = crop.place(draws(7), (9, 30, 40), facts)
    assert crop.emit(slices, facts) == {"y_mm": 10 + 0.25 * slices[1].start, "x_mm": -3.0 + 0.5 * slices[2].start}
    unknown = crop.emit(slices, {**facts, "left_mm": float("nan")})
    assert np.isnan(unknown["x_mm"])
    assert np.isfinite(unknown["y_mm"])
    assert RandomCrop(4, spacing="pixel_mm").columns == ()  # what isn't emitted isn't read


def test_settings_come_back_from_json() -> None:
    crop = RandomCrop((None, 8), emitted="x", spacing="dx", origin=2, shared=True)
    values = json.loads(json.dumps(crop_to_dict(crop)))
    assert values["name"] == "random"
    assert crop_from_dict(values) == crop
    assert RandomCrop(8) == RandomCrop((8,))
    with pytest.raises(DataError, match="'of another plugin' isn't known here"):
        crop_from_dict({"name": "of another plugin"})
    with pytest.raises(UsageError, match="two crops are named 'random'"):
        register_crop(type("Other", (), {"name": "random"}))


@pytest.mark.parametrize(
    ("sides", "options", "message"),
    [
        ((), {}, "a crop of sides"),
        ((None,), {}, "a crop of sides"),
        (0, {}, "a crop of sides"),
        ((4, 4), {"emitted": ("x",)}, "cuts 2 axes"),
        ((4, 4), {"emitted": ("x", "x")}, "cuts 2 axes"),
        ((4, None), {"spacing": (1.0, 2.0)}, "2 values of spacing"),
        ((4, 4, 4), {"origin": (1.0, 2.0)}, "2 values of origin"),
    ],
)
def test_what_does_not_fit_is_refused(sides: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RandomCrop(sides, **options)  # type: ignore[arg-type]


def test_an_array_of_fewer_axes_is_refused() -> None:
    with pytest.raises(UsageError, match="a crop of 3 axes on an array of 2"):
        RandomCrop((None, 4, 4)).place(draws(), (10, 10), {})


def test_it_keeps_the_contract() -> None:
    check_crop(RandomCrop((None, 8), emitted="x", spacing="dx"), [(5, 40), (3, 4), (2, 9)], {"dx": 0.5})
