"""The numbers of a calibration: finite, of a sensible size, and none of them left unused."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from ssl_domains.errors import UsageError

__all__ = ["half_view", "number", "require_pair", "require_used", "shown", "size"]

_LARGEST = 1e9
# "k5", "p_1", "poly12", "inv_poly0"; not "rms1" or "version2", which say something else than the lens.
_TERM = re.compile(
    r"(?:[a-z]{1,2}|(?:alpha|beta|gamma|eta|xi|mu|rho|theta|lens|dist|distortion|coeff?|coefficient|poly|inv_?poly"
    r"|radial|tangential|param|parameter|mirror|intrinsic)s?)_?\d{1,3}",
    re.IGNORECASE,
)
_NAMED = frozenset({
    "f", "fx", "fy", "fu", "fv", "focal", "focal_length", "xi", "alpha", "beta", "gamma", "eta", "skew", "s", "c",
    "d", "e", "k", "fov", "fov_unit", "radius", "coefficients", "coeffs", "distortion", "distortion_coeffs",
    "distortion_coefficients", "dist_coeffs", "distortion_parameters", "intrinsics", "poly", "polynomial",
    "camera_matrix", "projection_parameters", "mirror_parameters", "cx", "cy", "cx_offset", "cy_offset",
    "aspect_ratio",
})  # fmt: skip


def number(numbers: Mapping[str, Any], key: str, source: str) -> float:
    """One finite number, at most 10⁹.

    Raises:
        UsageError: When it is missing or anything else.
    """
    value = numbers.get(key)
    try:
        found = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:
        found = math.inf
    if not abs(found) <= _LARGEST:
        have = "has no" if value is None else f"has {shown(value)} for"
        raise UsageError(f"{source} {have} {key!r}", f"the model needs {key!r} as a number")
    return found


def size(numbers: Mapping[str, Any], source: str) -> tuple[int, int]:
    """Width and height of the calibrated picture in pixels.

    Raises:
        UsageError: When they are no whole numbers from 1 to a million.
    """
    width, height = (number(numbers, key, source) for key in ("width", "height"))
    if not all(1 <= side <= 1_000_000 and side.is_integer() for side in (width, height)):
        raise UsageError(
            f"{source} says the picture is {width:g}×{height:g}", "width and height are whole numbers of pixels"
        )
    return int(width), int(height)


def require_pair(numbers: Mapping[str, Any], source: str) -> None:
    """Require both or neither of ``cx`` and ``cy``, and of ``cx_offset`` and ``cy_offset``, and one of the two forms.

    Raises:
        UsageError: Else; the other one would be guessed.
    """
    for first, second in (("cx", "cy"), ("cx_offset", "cy_offset")):
        if (first in numbers) != (second in numbers):
            there, missing = (first, second) if first in numbers else (second, first)
            raise UsageError(f"{source} has {there!r} without {missing!r}", f"add {missing!r}, or leave out {there!r}")
    if "cx" in numbers and "cx_offset" in numbers:
        raise UsageError(f"{source} has both 'cx' and 'cx_offset'", "leave out one form of the optical centre")


def require_used(content: Mapping[str, Any], used: Collection[str], model: str, source: str) -> None:
    """Refuse numbers that look like coefficients of the lens and are not read: without them it is another lens.

    A coefficient of zero changes nothing and is passed over, and so is a text without a number, such as a remark.

    Args:
        content: Part of the file.
        used: Keys that are read.
        model: The lens model.
        source: The file, for the message.

    Raises:
        UsageError: For the first such key.
    """
    for key, value in content.items():
        if key in used or not isinstance(key, str) or _changes_nothing(value):
            continue
        if (key.lower() in _NAMED or _TERM.fullmatch(key)) and _is_numeric(value):
            raise UsageError(
                f"{source} has {key!r}, which the model {model!r} does not read",
                "without it the lens would be another one: name the model it belongs to, or leave it out",
            )


def half_view(numbers: Mapping[str, Any], source: str) -> float | None:
    """Half of ``fov``, in radians: the angle at the edge of the image circle; None without ``fov``.

    Raises:
        UsageError: When it is no angle, or probably meant in radians without ``fov_unit`` saying so.
    """
    unit = numbers.get("fov_unit")
    if "fov" not in numbers:
        if unit is not None:
            raise UsageError(f"{source} has 'fov_unit' without 'fov'", "add 'fov', or leave out 'fov_unit'")
        return None
    fov = number(numbers, "fov", source)
    if unit not in (None, "degrees", "radians"):
        raise UsageError(f"{source} has {shown(unit)} for 'fov_unit'", 'write "degrees" or "radians"')
    degrees = math.degrees(fov) if unit == "radians" else fov
    if not 0 < degrees <= 360 * (1 + 1e-9):
        raise UsageError(
            f"{source} says fov is {fov:g}{' rad' if unit == 'radians' else ''}",
            "fov is the full angle the image circle shows, in degrees: above 0, at most 360",
        )
    if unit is None and degrees < 2 * math.pi:
        raise UsageError(
            f"{source} says fov is {fov:g} degrees, which is probably {fov:g} radians",
            f'write "fov": {math.degrees(fov):.6g}, or add "fov_unit": "radians" (or "degrees" if it is right)',
        )
    return math.radians(min(degrees, 360.0) / 2)


def shown(value: Any) -> str:
    """A value of a file in a few characters, whatever it is."""
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of about {int(value.bit_length() * 0.30103) + 1} digits"
    if isinstance(value, str | int | float):
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "…" + text[-1]
    return {"dict": "an object", "list": "a list"}.get(type(value).__name__, f"a {type(value).__name__}")


def _is_numeric(value: Any) -> bool:
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return False
        return True
    if isinstance(value, Mapping):
        return any(_is_numeric(part) for part in value.values())
    if isinstance(value, list | tuple):
        return any(_is_numeric(part) for part in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _changes_nothing(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(part is None or (isinstance(part, int | float) and part == 0) for part in value)
    return value is None or (isinstance(value, int | float) and value == 0)
