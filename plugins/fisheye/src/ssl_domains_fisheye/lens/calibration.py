"""From the numbers of a calibration to a camera: the lens models by name, image circle and optical centre."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains_fisheye.lens import ideal, kannala_brandt, mei, radial_poly
from ssl_domains_fisheye.lens.camera import Camera
from ssl_domains_fisheye.lens.model import LensModel
from ssl_domains_fisheye.lens.numbers import half_view, number, require_pair, require_used, shown, size

__all__ = ["MODELS", "Model", "camera_of"]

LensOf = Callable[[Mapping[str, float]], tuple[LensModel, float | None]]


@dataclass(frozen=True)
class Model:
    """A lens model of calibration files.

    Attributes:
        lens: From its numbers to the lens along x, and the aspect ratio where the numbers say it.
        needs: The sets of numbers it can be made from.
        optional: Further numbers; 0 where they are missing.
    """

    lens: LensOf
    needs: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...] = ()


_IDEAL = (ideal.NUMBERS, ideal.ALTERNATIVE)

# A new model is one function that makes a lens of its numbers, and its line here.
MODELS: dict[str, Model] = {
    radial_poly.NAME: Model(radial_poly.lens, (radial_poly.NUMBERS,)),
    kannala_brandt.NAME: Model(kannala_brandt.lens, (kannala_brandt.NUMBERS,)),
    mei.NAME: Model(mei.lens, (mei.NUMBERS,), mei.TANGENTIAL),
    ideal.EQUIDISTANT: Model(ideal.equidistant, _IDEAL),
    ideal.EQUISOLID: Model(ideal.equisolid, _IDEAL),
    ideal.STEREOGRAPHIC: Model(ideal.stereographic, _IDEAL),
}

_PLACE = frozenset(
    {"width", "height", "cx", "cy", "cx_offset", "cy_offset", "aspect_ratio", "fov", "fov_unit", "radius"}
)
_ASPECTS = (0.01, 100.0)


def camera_of(calibration: Mapping[str, Any], source: str = "the calibration") -> Camera:
    """The camera of a calibration: WoodScape's layout, or its ``intrinsic`` part alone.

    ``cx_offset``, ``cy_offset`` are relative to the image centre (WoodScape), ``cx``, ``cy`` are pixels with the first
    pixel's centre at 0 (OpenCV); without either the optical centre is the image centre. ``fov`` (full angle) and
    ``radius`` (px along x) are the image circle of any model: outside the smaller of the two nothing is imaged.

    Raises:
        UsageError: Without ``model``, since k1–k4 mean another thing in each; with an unknown model; when numbers are
            missing, make no lens, or would be left unused.
    """
    inner = calibration.get("intrinsic", calibration)
    numbers: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
    if "model" not in numbers:
        raise UsageError(
            f"{source} names no lens model, and k1–k4 have another meaning in each",
            f'add "model": one of {", ".join(MODELS)}',
        )
    name = numbers["model"].lower() if isinstance(numbers["model"], str) else ""
    if name not in MODELS:
        raise UsageError(
            f"{source} has an unknown lens model {shown(numbers['model'])}", did_you_mean(name[:60], MODELS)
        )
    model = MODELS[name]
    needed = next((c for c in model.needs if all(key in numbers for key in c)), model.needs[0])
    require_pair(numbers, source)
    width, height = size(numbers, source)
    half = half_view(numbers, source)
    values = {key: number(numbers, key, source) for key in needed}
    optional = {key: number(numbers, key, source) if key in numbers else 0.0 for key in model.optional}
    if half is not None:
        values["fov"] = 2 * math.degrees(half)
    if "radius" in numbers and not number(numbers, "radius", source) > 0:
        raise UsageError(f"{source} says the radius is {numbers['radius']:g}", "it is that of the image circle, in px")
    try:
        lens, aspect = model.lens({**values, **optional})
        lens = replace(lens, circle=_circle(numbers, lens, half, source))
        _ = lens.limit
    except (ArithmeticError, ValueError):  # numpy's LinAlgError is a ValueError
        raise UsageError(f"the numbers of {source} make no lens", f"check those of {name}") from None
    _require_nothing_unused(calibration, numbers, name, {*needed, *model.optional}, source)
    aspect = _aspect(numbers, aspect, source)
    cx, cy = (
        number(numbers, axis, source)
        if axis in numbers
        else (side - 1) / 2 + (number(numbers, f"{axis}_offset", source) if f"{axis}_offset" in numbers else 0.0)
        for axis, side in (("cx", width), ("cy", height))
    )
    return Camera(lens, cx, cy, aspect, width, height, (optional.get("p1", 0.0), optional.get("p2", 0.0)))


def _require_nothing_unused(
    calibration: Mapping[str, Any], numbers: Mapping[str, Any], name: str, used: set[str], source: str
) -> None:
    known = frozenset({*used, *_PLACE, "model"})
    require_used(numbers, known, name, source)
    if numbers is not calibration:
        # A coefficient beside "intrinsic" is not read, whatever its name.
        require_used(calibration, frozenset({"intrinsic"}), name, source)
    order = numbers.get("poly_order")
    if name == radial_poly.NAME and order is not None and order != len(radial_poly.NUMBERS):
        raise UsageError(
            f"{source} says poly_order is {shown(order)}, and radial_poly has the four coefficients k1–k4",
            "leave poly_order out if k1–k4 are all there is",
        )


def _circle(numbers: Mapping[str, Any], lens: LensModel, half: float | None, source: str) -> float | None:
    """θ at the edge of the image circle, None where nothing is said of one."""
    if "radius" not in numbers:
        return half
    theta = float(lens.angle(number(numbers, "radius", source)))
    if half is None:
        return theta if math.isfinite(theta) else None
    # Where f was made from both they agree but for rounding, and the angle is the exact one.
    return min(half, theta) if theta < half * (1 - 1e-9) else half


def _aspect(numbers: Mapping[str, Any], of_model: float | None, source: str) -> float:
    said = number(numbers, "aspect_ratio", source) if "aspect_ratio" in numbers else None
    if said is not None and of_model is not None and abs(said - of_model) > 1e-6 * abs(of_model):
        raise UsageError(
            f"{source} has the aspect ratio {said:g}, but fy/fx is {of_model:g}", "leave 'aspect_ratio' out"
        )
    aspect = of_model if of_model is not None else said if said is not None else 1.0
    if not aspect > 0:
        raise UsageError(f"{source} has the aspect ratio {aspect:g}", "it must be positive")
    if not _ASPECTS[0] <= aspect <= _ASPECTS[1]:
        raise UsageError(f"{source} has the aspect ratio {aspect:g}", "a pixel is not so much longer than wide")
    return aspect
