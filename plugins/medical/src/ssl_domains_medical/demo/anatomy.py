"""Synthetic retinas: simulated pictures, no data of any person.

What a B-scan shows comes from four sources, and only the second carries the label: the eye's own anatomy (tilt,
curvature, vessel shadows), its disease on the day (thickness, fluid), the place of the slice, and the scanner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCANNERS", "SIZE", "SLICES", "Eye", "Scanner", "Visit", "b_scan", "draw_eye", "draw_visit"]

SIZE = 64
SLICES = 6
_MICROMETRES_PER_PIXEL = 12.0


@dataclass(frozen=True)
class Scanner:
    """A device: its gain, its floor and its noise."""

    maker: str
    model: str
    gain: float
    floor: float
    noise: float


SCANNERS = (Scanner("Demo Optics", "A1", 1.0, 0.02, 0.06), Scanner("Example Imaging", "B7", 0.7, 0.12, 0.11))


@dataclass(frozen=True)
class Eye:
    """Anatomy that stays the same over visits.

    Attributes:
        depth: Row of the surface at the centre.
        tilt: Rows from one side to the other.
        curve: Rows that the sides lie lower.
        vessels: Columns of vessel shadows.
        thickness: Healthy thickness, µm.
    """

    depth: float
    tilt: float
    curve: float
    vessels: tuple[float, ...]
    thickness: float


@dataclass(frozen=True)
class Visit:
    """The eye on one day: true thickness in µm, and fluid."""

    thickness: float
    fluid: bool


def draw_eye(rng: np.random.Generator) -> Eye:
    """A random eye."""
    vessels = tuple(float(column) for column in rng.uniform(0, SIZE, rng.integers(2, 6)))
    return Eye(
        depth=float(rng.uniform(14, 25)),
        tilt=float(rng.normal(0, 6)),
        curve=float(rng.uniform(0, 6)),
        vessels=vessels,
        thickness=float(rng.normal(265, 18)),
    )


def draw_visit(eye: Eye, rng: np.random.Generator) -> Visit:
    """The eye on a random day: the more it swells, the likelier is fluid."""
    swelling = float(rng.gamma(1.2, 60))
    fluid = bool(rng.random() < 1 / (1 + np.exp(-(swelling - 75) / 12)))
    return Visit(min(eye.thickness + swelling, 480.0), fluid)


def b_scan(eye: Eye, visit: Visit, scanner: Scanner, place: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One slice, uint8 ``[SIZE, SIZE]``.

    Args:
        eye: Whose.
        visit: When.
        scanner: On what.
        place: −1 at one edge of the volume, 0 through the fovea, 1 at the other edge.
        rng: Speckle and the cysts' places.
    """
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    across = columns / (SIZE - 1) * 2 - 1
    centre = np.exp(-(across**2) / 0.08 - place**2 / 0.3)
    surface = eye.depth + eye.tilt * across / 2 + eye.curve * across**2 + 5 * centre * (0.3 if visit.fluid else 1)
    swollen = (visit.thickness - eye.thickness) * np.exp(-(across**2) / 0.5 - place**2 / 1.5)
    surface -= 0.7 * swollen / _MICROMETRES_PER_PIXEL  # a swelling retina bulges towards the vitreous
    thickness = (eye.thickness + swollen) / _MICROMETRES_PER_PIXEL - 5 * centre
    within = (rows - surface) / thickness

    tissue = np.where((within > 0) & (within < 1), 0.34 + 0.14 * np.cos(within * 21) * (1 - 0.4 * within), 0.02)
    tissue += 0.5 * np.exp(-(((within - 1) * thickness / 1.6) ** 2))  # the pigment epithelium, brightest of all
    tissue += 0.25 * np.exp(-((within * thickness / 1.3) ** 2))  # the surface
    tissue += np.where(within >= 1, 0.3 * np.exp(-(within - 1) * 2.2), 0.0)  # the choroid fades with depth
    if visit.fluid:
        tissue *= 1 - 0.85 * _cysts(within, across, place, rng)
    for column in eye.vessels:
        shadow = np.exp(-(((columns - column) / 1.5) ** 2)) * (within > 0.15)
        tissue *= 1 - 0.55 * shadow

    speckle = rng.gamma(4.0, 0.25, tissue.shape)
    seen = scanner.floor + scanner.gain * tissue * (0.6 + 0.4 * speckle) + rng.normal(0, scanner.noise, tissue.shape)
    return np.clip(np.rint(seen * 255), 0, 255).astype(np.uint8)


def _cysts(
    within: NDArray[np.float64], across: NDArray[np.float64], place: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    dark = np.zeros_like(within)
    for _ in range(int(rng.integers(2, 5))):
        x, depth = rng.normal(0, 0.25), rng.uniform(0.3, 0.7)
        width = rng.uniform(0.08, 0.16) * (1.2 - 0.5 * abs(place))
        dark = np.maximum(dark, np.exp(-((((across - x) / width) ** 2 + ((within - depth) / 0.16) ** 2) ** 2)))
    return dark
