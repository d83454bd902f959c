"""Lenses and small data sets for the tests of this plugin."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ssl_domains_fisheye.demo_data import write_demo_data

WOODSCAPE_LIKE = {
    "model": "radial_poly", "k1": 340.0, "k2": -32.0, "k3": 48.0, "k4": -7.2,
    "width": 1280, "height": 966, "cx_offset": 3.9, "cy_offset": -3.1, "aspect_ratio": 1.0,
}  # fmt: skip
KANNALA = {
    "model": "kannala_brandt", "fx": 285.0, "fy": 287.0, "cx": 424.5, "cy": 401.25,
    "k1": -0.008, "k2": 0.045, "k3": -0.041, "k4": 0.0075, "width": 848, "height": 800,
}  # fmt: skip
EQUIDISTANT = {"model": "equidistant", "f": 200.0, "width": 700, "height": 640, "aspect_ratio": 1.1}
EQUISOLID = {"model": "equisolid", "f": 230.0, "width": 700, "height": 640, "fov": 200, "cx": 340.5, "cy": 322.0}
STEREOGRAPHIC = {"model": "stereographic", "f": 150.0, "width": 700, "height": 640, "aspect_ratio": 0.9}
KITTI_LIKE = {
    "model": "mei", "xi": 2.21, "fx": 668.0, "fy": 667.5, "cx": 358.0, "cy": 352.5,
    "k1": 0.0168, "k2": 1.65, "p1": 0.0042, "p2": -0.0031, "width": 700, "height": 700,
}  # fmt: skip
LENSES = {
    "radial_poly": WOODSCAPE_LIKE,
    "kannala_brandt": KANNALA,
    "equidistant": EQUIDISTANT,
    "equisolid": EQUISOLID,
    "stereographic": STEREOGRAPHIC,
    "mei": KITTI_LIKE,
}


@pytest.fixture(params=sorted(LENSES))
def calibration(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A calibration of each model."""
    return dict(LENSES[request.param])


@pytest.fixture
def calibrations() -> dict[str, dict[str, Any]]:
    """All of them by model."""
    return {name: dict(content) for name, content in LENSES.items()}


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Writes a picture under the test's folder."""

    def write(name: str, width: int = 80, height: int = 60, mode: str = "RGB") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (height, width, 3) if mode == "RGB" else (height, width)
        pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Writes a text, or anything else as JSON, under the test's folder."""

    def write(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration data, written once; not to be changed."""
    out = tmp_path_factory.mktemp("demo") / "fisheye"
    write_demo_data(out, seed=0)
    return out
