"""Calibration files: JSON that names its model, one for all images or a folder of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains_fisheye.lens import equidistant, kannala_brandt, radial_poly
from ssl_domains_fisheye.lens.camera import Camera
from ssl_domains_fisheye.lens.model import LensModel

__all__ = ["MODELS", "Calibrations", "camera_of", "read_calibration"]

LensOf = Callable[[Mapping[str, float]], tuple[LensModel, float | None]]

# A new model is one file with NAME, NUMBERS and lens(), and its line here: the sets of numbers it can be made from.
MODELS: dict[str, tuple[LensOf, tuple[tuple[str, ...], ...]]] = {
    radial_poly.NAME: (radial_poly.lens, (radial_poly.NUMBERS,)),
    kannala_brandt.NAME: (kannala_brandt.lens, (kannala_brandt.NUMBERS,)),
    equidistant.NAME: (equidistant.lens, (equidistant.NUMBERS, equidistant.ALTERNATIVE)),
}


def camera_of(calibration: Mapping[str, Any], source: str = "the calibration") -> Camera:
    """The camera of a calibration: WoodScape's layout, or its ``intrinsic`` part alone.

    ``cx_offset``, ``cy_offset`` are relative to the image centre (WoodScape), ``cx``, ``cy`` are pixels with the first
    pixel's centre at 0 (OpenCV); without either the optical centre is the image centre.

    Raises:
        UsageError: Without ``model``, since k1–k4 mean another thing in each; with an unknown model; when numbers are
            missing or make no lens.
    """
    inner = calibration.get("intrinsic", calibration)
    numbers: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
    if "model" not in numbers:
        raise UsageError(
            f"{source} names no lens model, and k1–k4 have another meaning in each",
            f'add "model": one of {", ".join(MODELS)}',
        )
    name = str(numbers["model"])
    if name not in MODELS:
        raise UsageError(f"{source} has an unknown lens model {name!r}", did_you_mean(name, MODELS))
    make, choices = MODELS[name]
    needed = next((c for c in choices if all(key in numbers for key in c)), choices[0])
    width, height = (_number(numbers, key, source) for key in ("width", "height"))
    if width < 1 or height < 1:
        raise UsageError(f"{source} says the picture is {width:g}×{height:g}", "width and height are pixels")
    values = {key: _number(numbers, key, source) for key in needed}
    if values.get("fov") == 0:
        raise UsageError(f"{source} says fov is 0", "fov is the full angle the image circle shows, in degrees")
    lens, aspect = make(values)
    if aspect is None:
        aspect = _number(numbers, "aspect_ratio", source) if "aspect_ratio" in numbers else 1.0
    if aspect <= 0:
        raise UsageError(f"{source} has the aspect ratio {aspect:g}", "it must be positive")
    centre = [
        _number(numbers, axis, source)
        if axis in numbers
        else (side - 1) / 2 + (_number(numbers, f"{axis}_offset", source) if f"{axis}_offset" in numbers else 0.0)
        for axis, side in (("cx", width), ("cy", height))
    ]
    return Camera(lens, centre[0], centre[1], aspect, int(width), int(height))


def _number(numbers: Mapping[str, Any], key: str, source: str) -> float:
    value = numbers.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        found = "has no" if value is None else f"has {value!r} for"
        raise UsageError(f"{source} {found} {key!r}", f"the model needs {key!r} as a number")
    return float(value)


def read_calibration(path: str | Path) -> Camera:
    """The camera of one JSON file.

    Raises:
        UsageError: As `camera_of`, and when the file is missing or not JSON.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the calibration {path.name}: {error.strerror}", "check --calibration") from error
    except ValueError as error:
        raise UsageError(f"the calibration {path.name} is not JSON: {error}", "check --calibration") from error
    if not isinstance(content, Mapping):
        raise UsageError(f"the calibration {path.name} holds no object", "WoodScape's layout has 'intrinsic' in it")
    return camera_of(content, f"the calibration {path.name}")


class Calibrations:
    """Finds the camera of an image: one file for all, or a folder matched by name.

    In a folder, ``00000_FV.json`` is the calibration of image ``00000_FV.png`` alone and ``FV.json`` that of every
    image whose name ends in ``_FV``; the first found counts.

    Raises:
        UsageError: When the path is missing, a folder holds no JSON, or any file makes no camera.
    """

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            files = sorted(path.glob("*.json"))
            if not files:
                raise UsageError(f"the calibration folder {path.name} holds no .json", "check --calibration")
            self._only: Camera | None = None
            self._by_name = {file.stem: read_calibration(file) for file in files}
        else:
            self._only = read_calibration(path)
            self._by_name = {}

    @property
    def names(self) -> frozenset[str]:
        """Names in the folder: cameras, or images; empty for a single file."""
        return frozenset(self._by_name)

    def of(self, stem: str, camera: str | None) -> Camera | None:
        """The camera of the image with this file name (no suffix) and camera name, or None."""
        if self._only is not None:
            return self._only
        return self._by_name.get(stem) or self._by_name.get(camera or "")
