"""The views: conformance, positions that stay aligned, and each step against a loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates

from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable
from ssl_domains.testing import check_recipe
from ssl_domains.views import SequenceRecipe
from ssl_domains.views.draws import Draws
from ssl_domains_text.lines.views import MOST_SHIFT, CropEdges, Perspective, Sharpen, StrokeBlur, Warp, Wave, recipe

WIDTHS = (30, 75, 160, 260)


def batch(widths: tuple[int, ...] = WIDTHS, height: int = 32) -> Input:
    """Lines of random ink, padded to one width."""
    generator = torch.Generator().manual_seed(3)
    parts = [Input(torch.rand(1, 1, height, width, generator=generator), None, "line", (1,), 0.0) for width in widths]
    return Input.cat(parts)


def places_of(x: Input) -> Input:
    """The number of its column at each pixel, as a further input that moves with the lines."""
    columns = torch.arange(x.space[1], dtype=torch.float32).expand(len(x), 1, *x.space)
    return Input(columns.clone(), x.valid, "line", (1,), 0.0)


def of_domain() -> SequenceRecipe:
    table = SampleTable.of(pl.DataFrame({"sample": ["a"], "path": ["b"]}))
    return recipe(RecipeRequest(table, 0))


def test_the_recipe_keeps_its_contract() -> None:
    check_recipe(of_domain(), batch(), places_of(batch()))
    check_recipe(of_domain(), batch((40, 40, 40)))


def test_every_step_has_a_reason_and_the_recipe_is_recorded() -> None:
    steps = of_domain().to_dict()["steps"]
    assert [step["name"] for step in steps] == ["crop edges", "perspective", "wave", "blur", "sharpen", "gain"]
    assert all(len(step["reason"]) > 20 for step in steps)


def test_values_stay_in_0_to_1_and_sizes_stay() -> None:
    x = batch()
    for step in range(5):
        for view in of_domain().views_of(x, seed=0, step=step, slots=torch.arange(4)):
            assert view.input.values.shape == x.values.shape
            assert torch.equal(view.input.with_valid(), x.with_valid())
            assert view.input.values.min() >= 0
            assert view.input.values.max() <= 1
            assert (view.input.values[~x.with_valid().expand_as(x.values)] == 0).all()


def test_positions_stay_aligned_within_2_percent_of_the_width() -> None:
    """Each pixel of a view comes from a column at most 2 % of the line's width away, for all steps together."""
    x = batch()
    moved = []
    for step in range(60):
        for view in of_domain().views_of(x, places_of(x), seed=1, step=step, slots=torch.arange(4)):
            for row, width in enumerate(WIDTHS):
                edge = int(np.ceil(MOST_SHIFT * width)) + 1  # nearer to the ends, pixels mix with paper
                shown = view.beside[0].values[row, 0, 12:20, edge : width - edge]
                moved.append(float((shown - torch.arange(edge, width - edge)).abs().max()) / width)
    assert max(moved) <= MOST_SHIFT
    assert max(moved) > 0.005, "the views do move"


def test_the_steps_declare_how_far_they_move() -> None:
    warps = [step for step in of_domain().steps if isinstance(step, Warp)]
    assert len(warps) == 3
    assert sum(step.most_shift for step in warps) <= MOST_SHIFT + 1e-12


@pytest.mark.parametrize(
    "step",
    [
        CropEdges((0.0, 0.3), (0.0, 0.2), 1.0, reason="test"),
        Perspective(0.2, 0.1, 1.0, reason="test"),
        Wave(0.2, 0.1, (0.5, 3.0), 1.0, reason="test"),
    ],
    ids=lambda step: step.name,
)
def test_a_warp_against_scipy(step: Warp) -> None:
    """Linear interpolation at the places that `moved` gives, with zeros around the line."""
    x = batch()
    parameters = step.parameters(Draws(0, 0, torch.arange(4), 0, "test"), 1)
    (made,), _ = step.apply((x,), parameters, {})
    height = x.space[0]
    for row, width in enumerate(WIDTHS):
        one = {name: value[row : row + 1] for name, value in parameters.items()}
        u = (torch.arange(width) + 0.5).view(1, 1, -1) / width
        v = (torch.arange(height) + 0.5).view(1, -1, 1) / height
        dx, dy = step.moved(u, v, one, torch.tensor(width / height).view(1, 1, 1))
        shape = (1, height, width)
        at_y = np.arange(height)[:, None] + height * dy.expand(shape)[0].double().numpy()
        at_x = np.arange(width)[None] + width * dx.expand(shape)[0].double().numpy()
        source = np.pad(x.values[row, 0, :, :width].double().numpy(), 1)
        expected = map_coordinates(source, [at_y + 1, at_x + 1], order=1, mode="constant")
        np.testing.assert_allclose(made.values[row, 0, :, :width], expected, atol=2e-5)
        assert float(dx.abs().max()) <= step.most_shift + 1e-6


def test_whole_numbers_take_the_nearest_pixel() -> None:
    x = batch((64,))
    labels = Input(torch.arange(64).expand(1, 1, 32, 64).clone(), None, "line", (1,), 255.0)
    step = CropEdges((0.0, 0.0), (0.11, 0.11), 1.0, reason="test")
    parameters = {
        name: torch.tensor([0.11 if name in ("left", "right") else 0.0]) for name in ("top", "bottom", "left", "right")
    }
    (_, moved), _ = step.apply((x, labels), parameters, {})
    expected = np.rint(np.arange(64) + 64 * (0.11 - 0.22 * (np.arange(64) + 0.5) / 64))
    np.testing.assert_array_equal(moved.values[0, 0, 5], expected)
    assert moved.values.dtype == torch.int64


def test_blur_against_scipy() -> None:
    x = batch((50, 90))
    step = StrokeBlur((0.03, 0.03), 1.0, reason="test")
    (made,), _ = step.apply((x,), {"sigma": torch.tensor([0.03, 0.0])}, {})
    expected = gaussian_filter(x.values[0, 0, :, :50].double().numpy(), 0.03 * 32, mode="constant", radius=4)
    np.testing.assert_allclose(made.values[0, 0, :, :50], expected, atol=1e-5)
    np.testing.assert_allclose(made.values[1], x.values[1], atol=1e-6, err_msg="σ = 0 keeps the line")


def test_sharpen_is_the_reverse_direction_of_a_blur() -> None:
    x = batch((50,))
    step = Sharpen((1.0, 1.0), 0.03, 1.0, reason="test")
    (made,), _ = step.apply((x,), {"amount": torch.tensor([1.0])}, {})
    blurred = gaussian_filter(x.values[0, 0].double().numpy(), 0.03 * 32, mode="constant", radius=4)
    np.testing.assert_allclose(made.values[0, 0], np.clip(2 * x.values[0, 0].numpy() - blurred, 0, 1), atol=2e-5)


def test_what_no_recipe_of_lines_has() -> None:
    table = SampleTable.of(pl.DataFrame({"sample": ["a"], "path": ["b"]}))
    with pytest.raises(UsageError, match="no further view 'flip'"):
        recipe(RecipeRequest(table, 0, extra=("flip",)))
    with pytest.raises(UsageError, match="whole lines"):
        recipe(RecipeRequest(table, 0, crop=32))
    assert recipe(RecipeRequest(table, 0, views=3)).views == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: CropEdges((0.0, 0.6), reason="x"),
        lambda: CropEdges((0.3, 0.2), reason="x"),
        lambda: Perspective(upright=0.9, reason="x"),
        lambda: Wave(length=(0.1, 2.0), reason="x"),
        lambda: StrokeBlur((0.0, 0.1), reason="x"),
        lambda: Sharpen((0.0, 20.0), reason="x"),
        lambda: Wave(p=1.5, reason="x"),
    ],
)
def test_settings_are_checked(make: Any) -> None:
    with pytest.raises(UsageError):
        make()


def test_waveforms_are_refused() -> None:
    wave = Input(torch.zeros(2, 1, 100), None, "wave", (0,), 0.0)
    for step in (Wave(reason="x"), StrokeBlur(reason="x"), Sharpen(reason="x")):
        parameters = step.parameters(Draws(0, 0, torch.arange(2), 0, "test"), 1)
        with pytest.raises(UsageError, match="an input with the sides"):
            step.apply((wave,), parameters, {})
    assert replace(wave, kind="line").kind == "line"
