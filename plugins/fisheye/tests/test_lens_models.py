"""Equisolid, stereographic and unified lenses against formulas of their own, and the image circle of every lens."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.lens import Camera, LensModel, Unified, camera_of

Floats = np.ndarray[Any, np.dtype[np.float64]]
SIZE = {"width": 1000, "height": 800}
ANGLES = np.radians([0.0, 1e-3, 10, 45, 89.9, 90, 90.1, 110, 135, 170])


def rays(theta: Any, phi: Any) -> Floats:
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)


def naive_mei(numbers: dict[str, Any], directions: Floats) -> Floats:
    """Mei & Rives step by step: on the sphere, from ξ behind it onto the plane, distort, scale."""
    pixels = np.empty((*directions.shape[:-1], 2))
    for place in np.ndindex(directions.shape[:-1]):
        x, y, z = directions[place] / np.linalg.norm(directions[place])
        mx, my = x / (z + numbers["xi"]), y / (z + numbers["xi"])
        r2 = mx**2 + my**2
        radial = 1 + numbers["k1"] * r2 + numbers["k2"] * r2**2
        p1, p2 = numbers.get("p1", 0.0), numbers.get("p2", 0.0)
        dx = mx * radial + 2 * p1 * mx * my + p2 * (r2 + 2 * mx**2)
        dy = my * radial + p1 * (r2 + 2 * my**2) + 2 * p2 * mx * my
        pixels[place] = numbers["fx"] * dx + numbers["cx"], numbers["fy"] * dy + numbers["cy"]
    return pixels


def test_equisolid_in_closed_form() -> None:
    lens = camera_of({"model": "equisolid", "f": 210, **SIZE}).lens
    assert lens.radius(ANGLES) == pytest.approx(2 * 210 * np.sin(ANGLES / 2), rel=1e-14)
    assert lens.slope(ANGLES) == pytest.approx(210 * np.cos(ANGLES / 2), rel=1e-14)
    assert lens.angle(2 * 210 * np.sin(ANGLES / 2)) == pytest.approx(ANGLES, rel=1e-13)
    assert lens.limit == pytest.approx(np.pi)
    assert np.isnan(lens.angle(420.001))
    assert lens.distortion(ANGLES[1:]) == pytest.approx(1 / np.cos(ANGLES[1:] / 2) ** 2, rel=1e-12)


def test_stereographic_in_closed_form() -> None:
    lens = camera_of({"model": "stereographic", "f": 210, **SIZE}).lens
    assert lens.radius(ANGLES) == pytest.approx(2 * 210 * np.tan(ANGLES / 2), rel=1e-13)
    assert lens.slope(ANGLES) == pytest.approx(210 / np.cos(ANGLES / 2) ** 2, rel=1e-13)
    assert lens.angle(2 * 210 * np.tan(ANGLES / 2)) == pytest.approx(ANGLES, rel=1e-13)
    assert lens.limit > np.radians(179.9)
    assert lens.distortion(ANGLES) == pytest.approx(1.0, rel=1e-10)  # small circles stay circles


@pytest.mark.parametrize("model", ["equisolid", "stereographic", "equidistant"])
def test_an_image_circle_gives_the_focal_length(model: str) -> None:
    camera = camera_of({"model": model, "radius": 400, "fov": 190, **SIZE})
    theta = np.radians(60)
    f = {
        "equidistant": 400 / np.radians(95),
        "equisolid": 400 / (2 * np.sin(np.radians(47.5))),
        "stereographic": 400 / (2 * np.tan(np.radians(47.5))),
    }[model]
    shape = {"equidistant": theta, "equisolid": 2 * np.sin(theta / 2), "stereographic": 2 * np.tan(theta / 2)}[model]
    assert camera.lens.radius(theta) == pytest.approx(f * shape, rel=1e-12)
    assert camera.lens.angle(400.0) == pytest.approx(np.radians(95), rel=1e-12)
    assert np.isnan(camera.lens.angle(400.01))


@pytest.mark.parametrize(("p1", "p2"), [(0.0, 0.0), (4.2e-4, -3e-4), (0.02, 0.03)])
def test_mei_agrees_with_its_definition(p1: float, p2: float, calibrations: dict[str, Any]) -> None:
    numbers = {**calibrations["mei"], "p1": p1, "p2": p2}
    camera = camera_of(numbers)
    theta, phi = np.meshgrid(np.radians([0.0, 0.5, 20, 60, 90, 105, 115]), np.linspace(-3, 3, 7))
    directions = rays(theta, phi)
    pixels = naive_mei(numbers, directions)
    assert camera.project(directions) == pytest.approx(pixels, abs=1e-9)
    assert camera.rays(pixels) == pytest.approx(directions, abs=1e-9)


def test_mei_ends_where_it_turns_back() -> None:
    numbers = {"model": "mei", "xi": 2.0, "fx": 500, "fy": 500, "k1": 0.0, "k2": 0.0, **SIZE}
    lens = camera_of(numbers).lens
    assert lens.limit == pytest.approx(2 * np.pi / 3)  # cos θ = −1/ξ
    assert np.isnan(lens.radius(lens.limit + 1e-6))
    assert np.isnan(lens.angle(500 / np.sqrt(3) + 1e-6))
    early = camera_of({**numbers, "k1": -2.0}).lens  # u − 2u³ grows up to u = √(1/6), before the sphere's end
    assert np.sin(early.limit) / (np.cos(early.limit) + 2) == pytest.approx(np.sqrt(1 / 6))


def test_without_xi_it_is_opencvs_perspective_camera() -> None:
    numbers = {"fx": 400.0, "fy": 420.0, "cx": 511.0, "cy": 390.0, "k1": -0.05, "k2": 0.01, "p1": 1e-3, "p2": -2e-3}
    camera = camera_of({"model": "mei", "xi": 0, **numbers, **SIZE})
    matrix = np.array([[400.0, 0, 511.0], [0, 420.0, 390.0], [0, 0, 1]])
    terms = np.array([numbers[name] for name in ("k1", "k2", "p1", "p2")])
    rng = np.random.default_rng(0)
    directions = rays(rng.uniform(0.01, 1.1, 100), rng.uniform(-np.pi, np.pi, 100))
    theirs, _ = cv2.projectPoints(directions[:, None], np.zeros(3), np.zeros(3), matrix, terms)
    assert camera.project(directions) == pytest.approx(theirs[:, 0], abs=1e-8)
    assert camera.rays(theirs[:, 0]) == pytest.approx(directions, abs=1e-8)
    assert np.isnan(camera.project([1.0, 0.0, -0.1])).all()


@given(
    st.floats(0, 4), st.floats(50, 2000), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(0, 1, allow_nan=False)
)
def test_unified_angles_come_back_at_every_radius(xi: float, f: float, k1: float, k2: float, share: float) -> None:
    lens = LensModel("mei", (f, 0.0, f * k1, 0.0, f * k2), Unified(xi))
    theta = share * min(lens.limit, np.radians(175))
    assert (lens.slope(np.linspace(0, lens.limit * (1 - 1e-6), 300)) > -1e-6 * f).all()
    radius = lens.radius(theta)
    # Near the fold dρ/dθ goes to 0, so that it is the radius that must come back exactly.
    assert lens.radius(min(float(lens.angle(radius)), lens.limit)) == pytest.approx(radius, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("xi", [0.0, 0.3, 1.0, 2.0])
@pytest.mark.parametrize("k2", [0.0, 1.0])
def test_the_radius_of_the_limit_has_an_angle(xi: float, k2: float) -> None:
    lens = LensModel("mei", (50.0, 0.0, 0.0, 0.0, 50.0 * k2), Unified(xi))
    edge = lens.radius(lens.limit)
    assert lens.angle(edge) == pytest.approx(lens.limit, abs=1e-9)
    assert np.isnan(lens.angle(edge * (1 + 1e-6)))


# image circle --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [{"fov": 150}, {"fov": 150, "fov_unit": "degrees"},
                                  {"fov": np.radians(150), "fov_unit": "radians"}, {"fov": 170, "radius": None},
                                  {"radius": None}])  # fmt: skip
def test_nothing_lies_outside_the_image_circle(calibration: dict[str, Any], said: dict[str, Any]) -> None:
    bare = {key: value for key, value in calibration.items() if key != "fov"}
    edge = np.radians(75)
    if "radius" in said:
        said = {**said, "radius": float(camera_of(bare).lens.radius(edge))}
    camera = camera_of({**bare, **said})
    whole = camera_of(bare)
    assert camera.lens.limit == pytest.approx(edge, rel=1e-12)
    inside, outside = edge - 1e-6, edge + 1e-6
    for measure in ("radius", "slope", "distortion"):
        assert getattr(camera.lens, measure)(inside) == getattr(whole.lens, measure)(inside)
        assert np.isnan(getattr(camera.lens, measure)(outside))
    assert camera.lens.angle(whole.lens.radius(inside)) == pytest.approx(inside, rel=1e-12)
    assert np.isnan(camera.lens.angle(whole.lens.radius(outside)))
    assert np.isnan(camera.project(rays(outside, 0.4))).all()
    assert np.isfinite(camera.project(rays(inside, 0.4))).all()
    assert np.isnan(camera.unproject(whole.project(rays(outside, 0.4)))[0])
    half = camera.scaled(camera.width // 2, camera.height // 2)
    assert half.lens.limit == pytest.approx(edge, rel=1e-12)


def test_the_smaller_of_fov_and_radius_counts(calibrations: dict[str, Any]) -> None:
    numbers = calibrations["kannala_brandt"]
    radius = float(camera_of(numbers).lens.radius(np.radians(60)))
    assert np.degrees(camera_of({**numbers, "radius": radius, "fov": 150}).lens.limit) == pytest.approx(60)
    assert np.degrees(camera_of({**numbers, "radius": radius, "fov": 100}).lens.limit) == pytest.approx(50)
    # A circle larger than what the model images changes nothing.
    assert camera_of({**numbers, "radius": 1e6}).lens.limit == camera_of(numbers).lens.limit


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        ({"fov": 400}, "fov is 400", "in degrees: above 0, at most 360"),
        ({"fov": 0}, "fov is 0", "above 0"),
        ({"fov": -90}, "fov is -90", "above 0"),
        ({"fov": 3.14}, "fov is 3.14 degrees, which is probably 3.14 radians", '"fov": 179.909'),
        ({"fov": 6.28}, "probably 6.28 radians", '"fov_unit": "radians"'),
        ({"fov": 7, "fov_unit": "radians"}, "fov is 7 rad", "at most 360"),
        ({"fov": 180, "fov_unit": "turns"}, "'turns' for 'fov_unit'", '"degrees" or "radians"'),
        ({"fov_unit": "degrees"}, "'fov_unit' without 'fov'", "add 'fov'"),
        ({"fov": "180"}, "'180' for 'fov'", "as a number"),
        ({"radius": 0}, "radius is 0", "image circle"),
    ],
)
def test_what_is_no_image_circle(said: dict[str, Any], message: str, hint: str, calibration: dict[str, Any]) -> None:
    bare = {key: value for key, value in calibration.items() if key != "fov"}
    with pytest.raises(UsageError, match=message) as refused:
        camera_of({**bare, **said})
    assert hint in refused.value.hint
    assert refused.value.exit_code == 2


def test_a_small_view_is_taken_when_its_unit_is_said(calibrations: dict[str, Any]) -> None:
    camera: Camera = camera_of({**calibrations["equidistant"], "fov": 5, "fov_unit": "degrees"})
    assert np.degrees(camera.lens.limit) == pytest.approx(2.5)
    whole = camera_of({**calibrations["equidistant"], "fov": 2 * np.pi, "fov_unit": "radians"})
    assert whole.lens.limit == pytest.approx(np.pi)


def test_a_stereographic_circle_of_a_whole_turn_is_refused() -> None:
    with pytest.raises(UsageError, match="less than 360"):
        camera_of({"model": "stereographic", "radius": 400, "fov": 360, **SIZE})
    with pytest.raises(UsageError, match=r"xi = -0\.5"):
        camera_of({"model": "mei", "xi": -0.5, "fx": 1, "fy": 1, "k1": 0, "k2": 0, **SIZE})
