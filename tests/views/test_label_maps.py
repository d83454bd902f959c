"""Label maps beside pictures go through the same geometric steps, by the nearest pixel."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View
from ssl_domains.views import (
    HorizontalFlip,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    VerticalFlip,
    ViewRecipe,
    ViewStep,
)

WHY = "for the test"
SIZE, SAMPLES, PAD = 32, 12, -7
CROP = RandomResizedCrop((0.1, 0.6), reason=WHY)
FLIP, UPSIDE = HorizontalFlip(reason=WHY), VerticalFlip(reason=WHY)
ROTATE = Rotate((-45.0, 45.0), reason=WHY)


def _labels(size: int = SIZE) -> Tensor:
    """int64 ``[SAMPLES, 1, size, size]``; neighbours differ nearly everywhere."""
    draws = torch.Generator().manual_seed(3)
    return torch.randint(0, 200, (SAMPLES, 1, size, size), generator=draws)


def _ramps(size: int = SIZE) -> Tensor:
    """Pictures that say where a pixel comes from: column and row, in [0, 1]; interpolation gives them exactly."""
    place = torch.arange(size, dtype=torch.float32) / (size - 1)
    ramps = torch.stack([place.expand(size, size), place[:, None].expand(size, size)])
    return ramps.expand(SAMPLES, 2, size, size).contiguous()


def _views(steps: tuple[ViewStep, ...], x: Input, *beside: Input, size: int = SIZE) -> list[View]:
    slots = torch.arange(SAMPLES) + 5
    return ViewRecipe(steps, size, 3).views_of(x, *beside, seed=1, step=2, slots=slots)


def _expected(labels: Tensor, view: View) -> tuple[Tensor, Tensor]:
    """Labels of the nearest pixel by what the view of `_ramps` says, and where that is no tie."""
    at = view.input.values.double() * (labels.shape[-1] - 1)
    column, row = at.round().long().unbind(dim=1)
    apart = ((at - at.floor() - 0.5).abs() > 1e-3).all(dim=1, keepdim=True)
    found = torch.stack([labels[i, 0][row[i], column[i]] for i in range(SAMPLES)])
    return found[:, None], apart


@pytest.mark.parametrize("masked", [False, True], ids=["all data", "with validity"])
@pytest.mark.parametrize(
    "steps",
    [(), (CROP,), (FLIP,), (CROP, FLIP, UPSIDE), (ROTATE,), (ROTATE, CROP, FLIP), (CROP, ROTATE, UPSIDE)],
    ids=["nothing", "crop", "flip", "crop and flips", "rotate", "rotate, crop, flip", "crop, rotate, flip"],
)
def test_a_label_map_is_the_nearest_pixel_of_where_the_picture_comes_from(
    steps: tuple[ViewStep, ...], masked: bool
) -> None:
    labels = _labels()
    everywhere = torch.ones(SAMPLES, 1, SIZE, SIZE, dtype=torch.bool) if masked else None
    views = _views(steps, Input(_ramps(), everywhere), Input(labels, kind="labels", pad=PAD))
    assert len(views) == 3
    for view in views:
        (moved,) = view.beside
        assert (moved.values.dtype, moved.values.shape) == (torch.int64, (SAMPLES, 1, SIZE, SIZE))
        assert (moved.kind, moved.pad) == ("labels", PAD)
        expected, apart = _expected(labels, view)
        both = moved.with_valid() & view.input.with_valid() & apart
        # At the border of what a turned view shows, the picture mixes with what lies outside.
        inner = both if ROTATE not in steps else both & (_eroded(view.input.with_valid()) > 0)
        assert inner.float().mean() > 0.3
        assert torch.equal(moved.values[inner], expected[inner])
        assert (moved.with_valid() != view.input.with_valid()).float().mean() < 0.02
        assert (moved.values[~moved.with_valid()] == PAD).all()


def _eroded(valid: Tensor) -> Tensor:
    framed = torch.nn.functional.pad(valid.float(), (3, 3, 3, 3))
    return -torch.nn.functional.max_pool2d(-framed, 7, 1)


def test_views_move_differently_and_only_with_geometry() -> None:
    labels = Input(_labels(), pad=PAD)
    plain = _views((CROP, ROTATE), Input(_ramps()), labels)
    changed = _views((CROP, ROTATE, Intensity(reason=WHY), Noise(reason=WHY)), Input(_ramps()), labels)
    for one, other in zip(plain, changed, strict=True):
        assert torch.equal(one.beside[0].values, other.beside[0].values)
        assert not torch.equal(one.input.values, other.input.values)
    assert not torch.equal(plain[0].beside[0].values, plain[1].beside[0].values)
    untouched = _views((Noise(reason=WHY),), Input(_ramps()), labels)
    assert torch.equal(untouched[0].beside[0].values, labels.values)


@pytest.mark.parametrize("steps", [(FLIP,), (FLIP, UPSIDE)])
def test_a_picture_of_its_labels_stays_one_bit_for_bit(steps: tuple[ViewStep, ...]) -> None:
    # Flips put pixels on pixels, so the picture isn't interpolated either.
    labels = _labels().to(torch.uint8)
    for view in _views(steps, Input(labels), Input(labels.long())):
        assert torch.equal((view.input.values * 255).round().long(), view.beside[0].values)


def test_what_shows_no_pixel_holds_the_pad_and_is_not_valid() -> None:
    turned = Rotate((45.0, 45.0), reason=WHY)
    labels = Input(torch.ones(SAMPLES, 1, SIZE, SIZE, dtype=torch.int64), pad=PAD)
    for view in _views((RandomResizedCrop((0.1, 0.2), reason=WHY), turned), Input(_ramps()), labels):
        (moved,) = view.beside
        # The canvas goes on beyond the crop; the view still shows nothing of it.
        assert (moved.values[:, 0, [0, 0, -1, -1], [0, -1, 0, -1]] == PAD).all()
        assert torch.equal(moved.with_valid(), moved.values == 1)
        # A square turned by 45° covers 2(√2 − 1) of itself.
        assert moved.with_valid().float().mean() == pytest.approx(2 * (2**0.5 - 1), abs=0.03)


def test_validity_of_a_label_map_moves_with_it() -> None:
    labels = _labels()
    known = labels % 3 > 0
    (view, *_) = _views((CROP, FLIP), Input(_ramps()), Input(labels, known, pad=PAD))
    (moved,) = view.beside
    expected, apart = _expected(labels, view)
    assert torch.equal(moved.with_valid()[apart], (expected % 3 > 0)[apart])
    assert torch.equal(moved.values[apart], expected[apart])


def test_several_inputs_move_alike_and_a_larger_canvas_ends_at_the_size_of_the_views() -> None:
    labels = _labels(48)
    weights = labels.double() * 0.25
    views = _views((CROP, FLIP), Input(_ramps(48)), Input(labels), Input(weights), size=20)
    for view in views:
        one, other = view.beside
        assert one.values.shape == (SAMPLES, 1, 20, 20)
        assert torch.equal(other.values, one.values.double() * 0.25)


def test_what_is_no_square_picture_is_refused() -> None:
    recipe = ViewRecipe((Noise(reason=WHY),), 8)
    for values in (torch.zeros(2, 1, 8), torch.zeros(2, 1, 8, 9)):
        with pytest.raises(UsageError, match="changes square pictures"):
            recipe.views_of(Input(values), seed=0, step=0, slots=torch.arange(2))
