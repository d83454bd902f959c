"""The warp that knows no lens: its geometry by finite differences, the same on the device and on the CPU."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.samples import SampleTable
from ssl_domains.views import Draws
from ssl_domains_fisheye.views import recipe
from ssl_domains_fisheye.warp import FisheyeWarp

SIZE = 48


def drawn(step: FisheyeWarp, count: int = 400, seed: int = 0) -> dict[str, torch.Tensor]:
    return step.parameters(Draws(seed, 3, torch.arange(count), 1, step.name), SIZE)


def texture() -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 1, SIZE), np.linspace(0, 1, SIZE))
    waves = [np.sin(7 * x + 3 * y), np.cos(5 * y - 2 * x), np.sin(9 * x * y)]
    return (0.5 + 0.45 * np.stack(waves, axis=-1)).astype(np.float32)


def places(step: FisheyeWarp, parameters: dict[str, torch.Tensor], points: np.ndarray) -> np.ndarray:
    """Where each point [N, 2] of the new picture was, for each sample: [B, N, 2]."""
    x, y = (torch.from_numpy(points[:, axis])[None, None] for axis in (0, 1))
    return torch.stack(step.source(x, y, parameters, {}, SIZE), dim=-1)[:, 0].numpy()


def test_the_middle_stays_and_nothing_outside_is_shown() -> None:
    step = FisheyeWarp()
    parameters = drawn(step)
    assert places(step, parameters, np.zeros((1, 2))) == pytest.approx(0, abs=1e-12)
    line = np.linspace(-1, 1, 41)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    reach = np.abs(places(step, parameters, grid)).max(axis=(1, 2))
    assert reach == pytest.approx(1, abs=1e-9)  # fitted: it reaches the edge of the crop, and no farther


def test_the_squeeze_is_along_the_direction_of_the_centre() -> None:
    """By finite differences of the map in float64: radial over tangential magnification."""
    step = FisheyeWarp(squeeze=1.8)
    parameters = drawn(step)
    far = np.hypot(parameters["x"].numpy(), parameters["y"].numpy()) > 1.2
    towards = np.arctan2(parameters["y"].numpy(), parameters["x"].numpy())
    tiny = 1e-5
    squeezes = []
    for sample in np.flatnonzero(far)[:60]:
        one = {name: value[sample : sample + 1] for name, value in parameters.items()}
        along = np.array([[math.cos(towards[sample]), math.sin(towards[sample])]])
        across = np.array([[-along[0, 1], along[0, 0]]])
        radial, tangential = (
            np.linalg.norm(places(step, one, tiny * axis) - places(step, one, -tiny * axis)) for axis in (along, across)
        )
        squeezes.append(radial / tangential)
    assert 1 <= min(squeezes) < 1.2
    assert 1.6 < max(squeezes) <= 1.8 + 1e-6


def test_every_direction_is_as_likely_and_nothing_depends_on_the_batch() -> None:
    step = FisheyeWarp()
    parameters = drawn(step, 4000)
    counts, _ = np.histogram(
        np.arctan2(parameters["y"].numpy(), parameters["x"].numpy()), np.linspace(-np.pi, np.pi, 9)
    )
    assert counts.min() > 400
    part = step.parameters(Draws(0, 3, torch.arange(100, 120), 1, step.name), SIZE)
    for name, value in part.items():
        assert torch.equal(value, parameters[name][100:120])


def test_device_and_cpu_agree() -> None:
    step, image = FisheyeWarp(), texture()
    parameters = drawn(step, 16)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].repeat(16, 1, 1, 1)
    images, mask = step.device(batch, None, parameters, {})
    assert mask is None
    for sample in range(16):
        one = {name: float(value[sample]) for name, value in parameters.items()}
        assert images[sample].permute(1, 2, 0).numpy() == pytest.approx(step.cpu(image, one, {}), abs=3e-3)


def test_never_applied_is_the_identity() -> None:
    step, image = FisheyeWarp(p=0.0), texture()
    images, _ = step.device(torch.from_numpy(image).permute(2, 0, 1)[None], None, drawn(step, 1), {})
    assert images[0].permute(1, 2, 0).numpy() == pytest.approx(image, abs=1e-6)
    assert step.cpu(image, {name: float(value[0]) for name, value in drawn(step, 1).items()}, {}) is image


def test_it_is_a_view_without_a_calibration() -> None:
    table = SampleTable.of(pl.DataFrame({"class": ["a", "b"]}))
    made = recipe(RecipeRequest(table, 32, extra=("fisheye_warp",)))
    assert made.steps[0].name == "fisheye-warp"
    assert made.columns == ()
    views = made.device_views(torch.rand(4, 3, 32, 32), seed=0, step=0, slots=torch.arange(4))
    assert not torch.equal(views[0].images, views[1].images)
    with pytest.raises(UsageError, match="fisheye_wrap") as told:
        recipe(RecipeRequest(table, 32, extra=("fisheye_wrap",)))
    assert "fisheye_warp" in told.value.hint


@pytest.mark.parametrize("settings", [{"squeeze": 3.0}, {"squeeze": 0.5}, {"farthest": 0.0}, {"p": 2.0}])
def test_what_is_no_warp_is_a_usage_error(settings: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="fisheye warp"):
        FisheyeWarp(**settings)
