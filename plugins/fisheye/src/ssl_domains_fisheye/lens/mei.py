"""`mei`, the unified camera model of KITTI-360, of Kalibr's ``omni`` and of OpenCV's omnidir module."""

from __future__ import annotations

from collections.abc import Mapping

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.lens.model import LensModel
from ssl_domains_fisheye.lens.projection import Unified

__all__ = ["NAME", "NUMBERS", "TANGENTIAL", "lens"]

NAME = "mei"
NUMBERS = ("xi", "fx", "fy", "k1", "k2")
TANGENTIAL = ("p1", "p2")
_FARTHEST = 1000.0


def lens(numbers: Mapping[str, float]) -> tuple[LensModel, float | None]:
    """ρ = f (u + k1 u³ + k2 u⁵) with u = sin θ / (cos θ + ξ); fx, fy are also called γ1, γ2.

    Mei & Rives 2007, *Single view point omnidirectional camera calibration from planar grids*. With ξ = 0 it is the
    perspective camera with OpenCV's first two coefficients. Tangential terms p1, p2 belong to the `Camera`.

    Returns:
        The lens along x, and the aspect ratio fy/fx.

    Raises:
        UsageError: When ξ is negative or beyond 1,000.
    """
    xi, f = numbers["xi"], numbers["fx"]
    if not 0 <= xi <= _FARTHEST:
        raise UsageError(f"this mei lens has xi = {xi:g}", f"xi is 0 (perspective) to {_FARTHEST:g}, usually 0.5 to 3")
    coefficients = (f, 0.0, f * numbers["k1"], 0.0, f * numbers["k2"])
    return LensModel(NAME, coefficients, Unified(xi)), numbers["fy"] / f if f else None
