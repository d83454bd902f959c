"""Where on the lens an object is: the columns every region rule reads."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from ssl_domains_fisheye.annotations import Box
from ssl_domains_fisheye.lens import ANGLE, Camera

__all__ = ["LENS", "PLACE", "lens_columns", "place", "unimaged", "unread_terms"]

PLACE = ("radius", "radius_norm", "theta", "phi", "distortion")
_TERMS = (*(f"lens_{i}" for i in range(1, 10)), "lens_projection", "lens_xi", "lens_p1", "lens_p2")
# Everything a view needs to look at the crop from another angle; ρ = Σ lens_i u(θ)^i, px and radians, where
# lens_projection says which u(θ) that is (0: θ itself).
LENS = ("cx", "cy", "aspect", "theta_limit", *_TERMS)


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
    theta = float(camera.unproject(point)[0])
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
    lens = camera.lens
    coefficients = (*lens.coefficients, *[0.0] * 9)[:9]
    bent = (float(lens.projection.code), getattr(lens.projection, "xi", 0.0), *camera.tangential)
    values = (camera.cx, camera.cy, camera.aspect, math.degrees(_limit(camera)), *coefficients, *bent)
    return dict(zip(LENS, values, strict=True))


def unread_terms(frame: pl.DataFrame) -> list[str]:
    """Columns of the lens that are zero or missing in every row, which a table leaves out."""
    return [name for name in _TERMS if frame[name].fill_null(0.0).eq(0.0).all()]


def unimaged(frame: pl.DataFrame) -> tuple[str, ...]:
    """A note on boxes of a calibrated lens whose θ is unknown; none when there are none."""
    known = frame["theta_limit"].is_not_null()
    count = int((known & frame["theta"].is_null()).sum())
    if not count:
        return ()
    where = "beyond the image circle, or where the lens model ends"
    return (f"theta and distortion are unknown for {count:,} of {int(known.sum()):,} boxes: they lie {where}",)


def _limit(camera: Camera) -> float:
    # ρ grows without bound in some models: beyond twice the picture no view needs the lens.
    limit = camera.lens.limit
    if camera.lens.projection == ANGLE:
        return limit
    shown = float(camera.lens.angle(2 * camera.farthest()))
    return min(limit, shown) if math.isfinite(shown) else limit


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
