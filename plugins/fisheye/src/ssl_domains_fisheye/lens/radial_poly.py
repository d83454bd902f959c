"""`radial_poly`, the model of the WoodScape calibrations."""

from __future__ import annotations

from collections.abc import Mapping

from ssl_domains_fisheye.lens.model import LensModel

__all__ = ["NAME", "NUMBERS", "lens"]

NAME = "radial_poly"
NUMBERS = ("k1", "k2", "k3", "k4")


def lens(numbers: Mapping[str, float]) -> tuple[LensModel, float | None]:
    """ρ[px] = k1 θ + k2 θ² + k3 θ³ + k4 θ⁴: k1–k4 are pixels, there is no focal length.

    Yogamani et al. 2019, *WoodScape: A multi-task, multi-camera fisheye dataset for autonomous driving*.

    Returns:
        The lens, and None: the aspect ratio stands in the file by itself.
    """
    return LensModel(NAME, tuple(numbers[k] for k in NUMBERS)), None
