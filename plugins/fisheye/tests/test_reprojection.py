"""The re-projection view: exact geometry, and the same on the device and on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.samples import SampleTable
from ssl_domains.views import Draws
from ssl_domains_fisheye.annotations.box import Box
from ssl_domains_fisheye.lens import Camera, camera_of
from ssl_domains_fisheye.regions import lens_columns, place
from ssl_domains_fisheye.reprojection import Reprojection
from ssl_domains_fisheye.views import recipe

Row = Callable[..., dict[str, float]]
SIZE = 48


@pytest.fixture
def row() -> Row:
    def make(camera: Camera, theta: float, phi: float, width: int = 48, height: int = 48) -> dict[str, float]:
        """Columns of a crop of this size, its centre as near to θ, φ (degrees) as whole pixels allow."""
        t, p = np.radians([theta, phi])
        x, y = camera.project([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)])
        left, top = round(x + 0.5 - width / 2), round(y + 0.5 - height / 2)
        lens = {name: float(value or 0.0) for name, value in lens_columns(camera).items()}
        return {"crop_left": left, "crop_top": top, "crop_right": left + width, "crop_bottom": top + height, **lens}

    return make


def tensors(numbers: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([float(value)], dtype=torch.float64) for name, value in numbers.items()}


def texture(size: int = SIZE) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Smooth, so that two interpolations of it differ little."""
    x, y = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size))
    waves = [np.sin(7 * x + 3 * y), np.cos(5 * y - 2 * x), np.sin(9 * x * y)]
    return (0.5 + 0.45 * np.stack(waves, axis=-1)).astype(np.float32)


def test_no_turn_is_the_identity(calibration: dict[str, Any], row: Row) -> None:
    columns = row(camera_of(calibration), 50, 30)
    still = {"across": 0.0, "around": 0.0}
    step, image = Reprojection(9), texture()
    images, mask = step.device(torch.from_numpy(image).permute(2, 0, 1)[None], None, tensors(still), tensors(columns))
    assert mask is not None
    assert mask.all()
    assert images[0].permute(1, 2, 0).numpy() == pytest.approx(image, abs=2e-4)
    assert step.cpu(image, still, columns) == pytest.approx(image, abs=2e-4)


@pytest.mark.parametrize("across", [-0.9, -0.2, 0.5, 1.0])
@pytest.mark.parametrize("around", [-1.0, 0.0, 0.7])
def test_device_and_cpu_agree(calibration: dict[str, Any], row: Row, across: float, around: float) -> None:
    columns = row(camera_of(calibration), 40, 130, 60, 36)
    drawn = {"across": across, "around": around}
    step, image = Reprojection(9), texture()
    images, mask = step.device(torch.from_numpy(image).permute(2, 0, 1)[None], None, tensors(drawn), tensors(columns))
    mine, other = images[0].permute(1, 2, 0).numpy(), step.cpu(image, drawn, columns)
    assert mask is not None
    assert 0.2 < mask.float().mean() <= 1
    apart = np.abs(mine - other).max(axis=-1)
    # On the border of the data a rounding decides which side a pixel is on.
    assert (apart > 2e-3).mean() < 0.02
    assert np.median(apart) < 1e-4


@pytest.mark.parametrize(("across", "around"), [(1.0, 0.0), (-0.8, 0.5), (0.4, -1.0)])
def test_a_circle_on_the_sphere_lands_where_the_lens_says(
    calibration: dict[str, Any], row: Row, across: float, around: float
) -> None:
    """What is drawn at one angle and re-projected is what would be drawn at the other one."""
    camera = camera_of(calibration)
    size, step = 96, Reprojection(9)
    columns = row(camera, 40, -35, 96, 96)
    emitted = step.emits(tensors({"across": across, "around": around}), tensors(columns))
    t, p = (float(torch.deg2rad(emitted[name])) for name in ("view_theta", "view_phi"))
    new = np.array([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)])
    old_pixel = np.array([columns["crop_left"] + 48, columns["crop_top"] + 48]) - 0.5
    old = camera.rays(old_pixel)

    def disc(direction: Any, centre: Any) -> np.ndarray[Any, Any]:
        line = np.arange(size) + 0.5 - size / 2
        rays = camera.rays(np.stack(np.meshgrid(line, line), axis=-1) + centre)
        angle = np.arccos(np.clip(rays @ direction, -1, 1))
        return np.nan_to_num(1 / (1 + np.exp((angle - 0.07) / 0.005))).astype(np.float32)

    before, wanted = disc(old, old_pixel), disc(new, camera.project(new))
    image = torch.from_numpy(before)[None, None]
    moved, mask = step.device(image, None, tensors({"across": across, "around": around}), tensors(columns))
    assert mask is not None
    seen = mask[0, 0].numpy()
    assert wanted[~seen].max(initial=0.0) < 0.01  # the disc is in the crop, and stays in what is seen
    assert np.abs(moved[0, 0].numpy() - wanted)[seen].max() < 0.03
    assert wanted.sum() > 50


def test_size_and_squeeze_are_those_of_the_lens(row: Row) -> None:
    """The demonstration's lens squeezes the edge to half: an object sent there is half as long along the radius."""
    camera = camera_of(
        {"model": "radial_poly", "k1": 158.0, "k2": -3.5, "k3": -13.5, "k4": 0.5, "width": 400, "height": 400}
    )
    columns, size = row(camera, 30, 0, 80, 80), 80
    line = np.abs(np.arange(size) + 0.5 - size / 2)
    inside = (np.maximum(*np.meshgrid(line, line)) < 15).astype(np.float32)
    drawn = {"across": 1.0, "around": 0.0}
    step = Reprojection(9, reach=45)
    moved, mask = step.device(torch.from_numpy(inside)[None, None], None, tensors(drawn), tensors(columns))
    assert mask is not None
    shown = (moved * mask)[0, 0].numpy()  # the object may stand in the reflection beyond the crop once more
    old = np.array([columns["crop_left"] + 40 - 0.5, columns["crop_top"] + 40 - 0.5])
    start = float(camera.unproject(old)[0])
    end = start + np.radians(45)
    lens = camera.lens
    radial = shown[size // 2].sum() / 30
    tangential = shown[:, size // 2].sum() / 30
    assert radial == pytest.approx(lens.slope(end) / lens.slope(start), rel=0.05)
    assert radial < 0.65
    grows = (lens.radius(end) / np.sin(end)) / (lens.radius(start) / np.sin(start))
    assert tangential == pytest.approx(grows, rel=0.05)


def test_new_places_stay_in_reach_and_where_the_lens_sees(row: Row) -> None:
    camera = camera_of({"model": "radial_poly", "k1": 300, "k2": 0, "k3": -50, "k4": 0, "width": 800, "height": 800})
    step, n = Reprojection(9, reach=35, turn=20), 4000
    for theta in (2.0, 40.0, 76.0):
        columns = {name: value.expand(n) for name, value in tensors(row(camera, theta, 170, 20, 20)).items()}
        drawn = step.parameters(Draws(0, 0, torch.arange(n), 0, "reprojection"), SIZE)
        emitted = step.emits(drawn, columns)
        new = emitted["view_theta"].numpy()
        start = float(
            step.emits(tensors({"across": 0.0, "around": 0.0}), tensors(row(camera, theta, 170, 20, 20)))["view_theta"]
        )
        assert new.min() >= 0
        assert new.max() <= max(np.degrees(camera.lens.limit), start)
        assert np.abs(new - start).max() <= 35 + 1e-6
        assert np.ptp(new) > 30
        turned = (emitted["view_phi"].numpy() - 170 + 180) % 360 - 180
        assert np.abs(turned).max() <= 20 + 5  # the crop's centre is a whole pixel away from 170°


def test_a_sample_without_a_lens_keeps_its_place(row: Row) -> None:
    camera = camera_of({"model": "equidistant", "f": 200, "width": 700, "height": 700})
    columns = {name: torch.cat([value, value]) for name, value in tensors(row(camera, 40, 10)).items()}
    for name in ("lens_1", "theta_limit"):
        columns[name][1] = float("nan")
    drawn = {name: torch.full((2,), 0.8, dtype=torch.float64) for name in ("across", "around")}
    image = torch.from_numpy(texture()).permute(2, 0, 1)
    step = Reprojection(9)
    images, mask = step.device(torch.stack([image, image]), None, drawn, columns)
    assert mask is not None
    assert mask[1].all()
    assert images[1].numpy() == pytest.approx(image.numpy(), abs=1e-5)
    assert not mask[0].all()
    assert torch.isnan(step.emits(drawn, columns)["view_theta"]).tolist() == [False, True]
    one = {name: float(value[1]) for name, value in columns.items()}
    assert step.cpu(texture(), {"across": 0.8, "around": 0.8}, one) == pytest.approx(texture())


def test_the_recipe_takes_it_first_and_emits_the_new_angle(calibration: dict[str, Any]) -> None:
    camera = camera_of(calibration)
    box = Box("1", None, 300.0, 300.0, 340.0, 330.0, __file__, "line 1")  # type: ignore[arg-type]
    numbers = {**place(box, camera, camera.width, camera.height), **lens_columns(camera)}
    crop = {"crop_left": 300, "crop_top": 300, "crop_right": 340, "crop_bottom": 330}
    table = SampleTable.of({name: [value] * 6 for name, value in {**numbers, **crop}.items()})
    made = recipe(RecipeRequest(table, SIZE, extra=("reprojection",)))
    assert made.steps[0].name == "reprojection"
    assert all(step.reason for step in made.steps)
    views = made.device_views(
        torch.rand(6, 3, SIZE, SIZE), None, seed=0, step=0, slots=torch.arange(6),
        columns={name: torch.from_numpy(table.numbers(name)) for name in made.columns},
    )  # fmt: skip
    first, second = (view.emitted["view_theta"] for view in views)
    assert first.isfinite().all()
    assert (first != second).all()
    described = {key: value for key, value in made.steps[0].to_dict().items() if key != "name"}
    assert Reprojection(**described) == made.steps[0]


def test_the_recipe_refuses_what_it_cannot_do() -> None:
    plain = SampleTable(pl.DataFrame({"sample": ["a"], "radius": [1.0]}))
    with pytest.raises(UsageError, match="needs a calibrated lens"):
        recipe(RecipeRequest(plain, SIZE, extra=("reprojection",)))
    with pytest.raises(UsageError, match="no view 'reprojektion'"):
        recipe(RecipeRequest(plain, SIZE, extra=("reprojektion",)))
    names = [step.name for step in recipe(RecipeRequest(plain, SIZE, in_chans=1)).steps]
    assert "colour" not in names
    assert "horizontal-flip" not in names
    assert "horizontal-flip" in [step.name for step in recipe(RecipeRequest(plain, SIZE, extra=("flip",))).steps]
