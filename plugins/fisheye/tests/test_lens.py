"""ρ(θ) and back, against closed forms, OpenCV and a real calibration."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.lens import LensModel, camera_of, read_calibration


def test_radial_poly_is_its_polynomial_in_pixels(calibrations: dict[str, Any]) -> None:
    lens = camera_of(calibrations["radial_poly"]).lens
    theta = 0.9
    wanted = 340.0 * theta - 32.0 * theta**2 + 48.0 * theta**3 - 7.2 * theta**4
    assert lens.radius(theta) == pytest.approx(wanted, abs=1e-10)
    assert lens.slope(theta) == pytest.approx(340.0 - 64.0 * theta + 144.0 * theta**2 - 28.8 * theta**3, abs=1e-10)


def test_the_same_k1_to_k4_mean_another_lens_in_another_model(calibrations: dict[str, Any]) -> None:
    kannala = calibrations["kannala_brandt"]
    theta = 0.9
    series = 1 - 0.008 * theta**2 + 0.045 * theta**4 - 0.041 * theta**6 + 0.0075 * theta**8
    assert camera_of(kannala).lens.radius(theta) == pytest.approx(285.0 * theta * series, abs=1e-10)
    with pytest.raises(UsageError, match="no image at its centre"):
        camera_of({**kannala, "model": "radial_poly"})


def test_equidistant_by_focal_length_or_image_circle() -> None:
    circle = camera_of({"model": "equidistant", "radius": 463, "fov": 180, "width": 926, "height": 926})
    assert np.degrees(circle.lens.angle([0.0, 231.5, 463.0])) == pytest.approx([0, 45, 90], abs=1e-9)
    assert (circle.cx, circle.cy) == (462.5, 462.5)


def test_kannala_brandt_agrees_with_opencv(calibrations: dict[str, Any]) -> None:
    numbers = calibrations["kannala_brandt"]
    camera = camera_of(numbers)
    matrix = np.array([[numbers["fx"], 0, numbers["cx"]], [0, numbers["fy"], numbers["cy"]], [0, 0, 1.0]])
    k = np.array([numbers[f"k{i}"] for i in range(1, 5)])
    rng = np.random.default_rng(0)
    theta, phi = rng.uniform(0.01, 1.35, 200), rng.uniform(-np.pi, np.pi, 200)
    rays = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    theirs, _ = cv2.fisheye.projectPoints(rays[:, None], np.zeros(3), np.zeros(3), matrix, k)
    assert camera.project(rays) == pytest.approx(theirs[:, 0], abs=1e-7)
    flat = cv2.fisheye.undistortPoints(theirs, matrix, k)[:, 0]
    mine = camera.rays(theirs[:, 0])
    assert mine[:, :2] / mine[:, 2:] == pytest.approx(flat, abs=1e-5)


def test_pixels_come_back_from_their_rays(calibration: dict[str, Any]) -> None:
    camera = camera_of(calibration)
    x, y = np.meshgrid(np.linspace(0, camera.width - 1, 41), np.linspace(0, camera.height - 1, 37))
    pixels = np.stack([x, y], axis=-1)
    rays = camera.rays(pixels)
    seen = np.isfinite(rays).all(axis=-1)
    assert seen.mean() > 0.6
    assert np.linalg.norm(rays[seen], axis=-1) == pytest.approx(1.0)
    assert camera.project(rays[seen]) == pytest.approx(pixels[seen], abs=1e-8)


@given(st.floats(50, 800), st.floats(-80, 80), st.floats(-80, 80), st.floats(-20, 20), st.floats(0, 1, allow_nan=False))
def test_angles_come_back_up_to_where_the_lens_folds(k1: float, k2: float, k3: float, k4: float, share: float) -> None:
    lens = LensModel("radial_poly", (k1, k2, k3, k4))
    theta = share * lens.limit
    grid = np.linspace(0, lens.limit * (1 - 1e-9), 500)
    assert (lens.slope(grid) > -1e-6).all()
    # Near the fold dρ/dθ goes to 0, so that it is the radius that must come back exactly.
    assert lens.radius(lens.angle(lens.radius(theta))) == pytest.approx(lens.radius(theta), abs=1e-7, nan_ok=False)


def test_beyond_the_fold_nothing_is_known() -> None:
    lens = LensModel("radial_poly", (300.0, 0.0, -50.0, 0.0))
    assert lens.limit == pytest.approx(np.sqrt(2.0))  # 300 = 150 θ²
    assert np.isnan(lens.radius(lens.limit + 0.01))
    assert np.isnan(lens.slope(lens.limit + 0.01))
    assert np.isnan(lens.angle(lens.radius(lens.limit) + 0.01))
    assert np.isnan(lens.angle(-1.0))
    # Just inside, both angles of a radius exist, and it is the one the lens forms that comes back.
    assert lens.angle(lens.radius(1.3)) == pytest.approx(1.3)


def test_angles_beyond_90_degrees(calibrations: dict[str, Any]) -> None:
    camera = camera_of(calibrations["radial_poly"])
    behind = np.array([np.sin(1.9), 0.0, np.cos(1.9)])
    assert behind[2] < 0
    theta, phi = camera.unproject(camera.project(behind))
    assert (theta, phi) == (pytest.approx(1.9), pytest.approx(0.0))


def test_the_optical_centre_itself() -> None:
    camera = camera_of({"model": "equidistant", "f": 100, "width": 200, "height": 100, "cx_offset": 7, "cy_offset": -2})
    assert camera.project([0, 0, 1.0]) == pytest.approx([106.5, 47.5])
    assert np.isnan(camera.project([0, 0, -1.0])).all()
    assert camera.unproject([106.5, 47.5])[0] == 0
    assert camera.lens.distortion(0.0) == 1.0


def test_distortion_is_the_ratio_of_measured_magnifications(calibration: dict[str, Any]) -> None:
    straight = {"aspect_ratio": 1.0, "fy": calibration.get("fx"), "p1": 0, "p2": 0}
    camera = camera_of({**calibration, **straight})
    theta, tiny = 1.1, 1e-5

    def pixel(t: float, p: float) -> np.ndarray[Any, Any]:
        return camera.project([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)])

    radial = np.linalg.norm(pixel(theta + tiny, 0.0) - pixel(theta - tiny, 0.0)) / (2 * tiny)
    tangential = np.linalg.norm(pixel(theta, tiny) - pixel(theta, -tiny)) / (2 * tiny * np.sin(theta))
    assert camera.lens.distortion(theta) == pytest.approx(tangential / radial, rel=1e-6)


def test_equidistant_distortion_in_closed_form() -> None:
    lens = LensModel("equidistant", (123.0,))
    theta = np.array([1e-6, 0.5, 1.0, np.pi / 2])
    assert lens.distortion(theta) == pytest.approx(theta / np.sin(theta))


@pytest.mark.parametrize(("width", "height"), [(640, 483), (1280, 966), (320, 966)])
def test_a_resized_picture_scales_its_calibration(width: int, height: int, calibrations: dict[str, Any]) -> None:
    camera = camera_of(calibrations["radial_poly"])
    small = camera.scaled(width, height)
    rays = np.array([[0.3, -0.5, 0.8], [0.9, 0.1, -0.2], [0.0, 0.0, 1.0]])
    # The picture's edges, half a pixel outside the first pixel's centre, stay where they are.
    wanted = (camera.project(rays) + 0.5) * [width / 1280, height / 966] - 0.5
    assert small.project(rays) == pytest.approx(wanted)


def test_a_calibration_without_model_is_refused(calibrations: dict[str, Any]) -> None:
    numbers = calibrations["radial_poly"]
    del numbers["model"]
    for content in (numbers, {"intrinsic": numbers}, {}):
        with pytest.raises(UsageError, match="names no lens model") as refused:
            camera_of(content)
        assert refused.value.exit_code == 2
        assert "radial_poly" in refused.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "radial_pol"}, "unknown lens model"),
        ({"k3": None}, "no 'k3'"),
        ({"k3": "48"}, "'48' for 'k3'"),
        ({"k3": float("nan")}, "nan for 'k3'"),
        ({"k1": 0.0}, "no image at its centre"),
        ({"width": 0}, "picture is 0×966"),
        ({"aspect_ratio": 0.0}, "aspect ratio 0"),
    ],
)
def test_numbers_that_make_no_lens(change: dict[str, Any], message: str, calibrations: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=message):
        camera_of({**calibrations["radial_poly"], **change})


@pytest.mark.shared_data
def test_the_woodscape_front_camera_sees_112_degrees_in_its_corner(shared_data: Any) -> None:
    camera = read_calibration(shared_data / "fisheye" / "woodscape_front.json")
    assert (camera.cx, camera.cy) == (pytest.approx(639.5 + 3.942), pytest.approx(482.5 - 3.093))
    theta, _ = camera.unproject([[0, 0], [1279, 0], [0, 965], [1279, 965]])
    assert np.degrees(theta) == pytest.approx(112.5, abs=0.7)
    assert np.degrees(camera.lens.limit) == 180
