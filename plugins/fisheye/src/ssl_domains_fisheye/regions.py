"""Where on the lens an object is: the columns every region rule reads."""

from __future__ import annotations

import math

import numpy as np

from ssl_domains_fisheye.annotations import Box
from ssl_domains_fisheye.lens import Camera

__all__ = ["LENS", "PLACE", "lens_columns", "place"]

PLACE = ("radius", "radius_norm", "theta", "phi", "distortion")
# Everything a view needs to look at the crop from another angle; ρ(θ) = Σ lens_i θ^i, px and radians.
LENS = ("cx", "cy", "aspect", "theta_limit", *(f"lens_{i}" for i in range(1, 10)))


def place(box: Box, camera: Camera | None, width: int, height: int) -> dict[str, float | None]:
    """Place of a box's centre on the lens.

    Args:
        box: In the pixels of the image.
        camera: Of this image size; None measures from the image centre, and θ and distortion stay unknown.
        width: Of the image.
        height: Likewise.

    Returns:
        ``radius`` px from the optical centre, ``radius_norm`` the same over the distance to the farthest corner,
        ``theta`` and ``phi`` in degrees (φ 0 to the right, 90 down), ``distortion`` as in `LensModel.distortion`.
    """
    # Box edges count from the picture's edge, pixels from the first one's centre: half a pixel apart.
    x, y = (box.left + box.right) / 2 - 0.5, (box.top + box.bottom) / 2 - 0.5
    if camera is None:
        dx, dy = x - (width - 1) / 2, y - (height - 1) / 2
        radius, phi = math.hypot(dx, dy), math.atan2(dy, dx)
        return {
            "radius": radius,
            "radius_norm": radius / math.hypot(width / 2, height / 2),
            "theta": None,
            "phi": math.degrees(phi),
            "distortion": None,
        }
    point = np.array([x, y])
    at, angle = camera.polar(point)
    theta = float(camera.lens.angle(at))
    return {
        "radius": float(at),
        "radius_norm": float(at) / camera.farthest(),
        "theta": _known(math.degrees(theta)),
        "phi": math.degrees(float(angle)),
        "distortion": _known(float(camera.lens.distortion(theta))),
    }


def lens_columns(camera: Camera | None) -> dict[str, float | None]:
    """The camera as the numbers of `LENS`; all unknown without one."""
    if camera is None:
        return dict.fromkeys(LENS)
    coefficients = (*camera.lens.coefficients, *[0.0] * 9)[:9]
    values = (camera.cx, camera.cy, camera.aspect, math.degrees(camera.lens.limit), *coefficients)
    return dict(zip(LENS, values, strict=True))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
