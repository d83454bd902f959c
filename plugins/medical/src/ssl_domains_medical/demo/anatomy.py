"""Synthetic B-scans of the retina: simulated pictures, no data of any person.

A picture is drawn from four sources, and only the second one carries the label: the eye's anatomy (depth, tilt,
curvature, vessels), its disease at the visit (the number of dark cysts), a trait of the patient that looks alike (the
number of bright foci, of the same shape and contrast) and the scanner (gain, noise, stripes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["GRADES", "SCANNERS", "SIZE", "SLICES", "Eye", "Scanner", "b_scan", "draw_eye", "grade_of"]

SIZE = 64
SLICES = 3
GRADES = ("none or few", "some", "many")
"""Names of the three grades of severity."""

_MOST = 9  # cysts of the highest severity; foci of the patient with the most
_CONTRAST = 0.285


@dataclass(frozen=True)
class Scanner:
    """A device.

    Attributes:
        maker: Manufacturer.
        model: Model name.
        gain: Factor on the signal.
        floor: Grey value without signal, in [0, 1].
        noise: Standard deviation of the noise.
        stripes: Amplitude of the horizontal stripes.
        period: Rows from one stripe to the next.
    """

    maker: str
    model: str
    gain: float
    floor: float
    noise: float
    stripes: float
    period: float


SCANNERS = (
    Scanner("Demo Optics", "A1", 1.0, 0.04, 0.02, 0.0, 1.0),
    Scanner("Example Imaging", "B7", 0.93, 0.05, 0.042, 0.05, 8.0),
    Scanner("Sample Devices", "C3", 1.07, 0.03, 0.064, 0.05, 5.0),
)


@dataclass(frozen=True)
class Eye:
    """Anatomy that stays the same over visits.

    Attributes:
        depth: Row of the surface at the centre.
        tilt: Rows from one side to the other.
        curve: Rows that the sides lie lower.
        thickness: Rows from the surface to the pigment epithelium.
        vessels: Columns of vessel shadows.
    """

    depth: float
    tilt: float
    curve: float
    thickness: float
    vessels: tuple[float, ...]


def draw_eye(rng: np.random.Generator) -> Eye:
    """A random eye."""
    return Eye(
        depth=float(rng.uniform(9, 15)),
        tilt=float(rng.normal(0, 4)),
        curve=float(rng.uniform(0, 4)),
        thickness=float(rng.uniform(34, 40)),
        vessels=tuple(float(column) for column in rng.uniform(0, SIZE, rng.integers(1, 4))),
    )


def grade_of(severity: float) -> str:
    """The grade of a severity in [0, 1): the thirds of the scale."""
    return GRADES[int(severity * len(GRADES))]


def b_scan(eye: Eye, severity: float, foci: float, scanner: Scanner, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One slice, uint8 ``[SIZE, SIZE]``.

    Args:
        eye: The anatomy.
        severity: In [0, 1): sets the number of dark cysts.
        foci: In [0, 1): sets the number of bright foci.
        scanner: The device.
        rng: Places and sizes of cysts and foci, and noise.
    """
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    across = columns / (SIZE - 1) * 2 - 1
    surface = eye.depth + eye.tilt * across / 2 + eye.curve * across**2
    within = (rows - surface) / eye.thickness

    tissue = np.where((within > 0) & (within < 1), 0.42 + 0.05 * np.cos(within * 21), 0.05)
    tissue += 0.3 * np.exp(-(((within - 1) * eye.thickness / 1.6) ** 2))  # the pigment epithelium, the brightest layer
    tissue += np.where(within >= 1, 0.25 * np.exp(-(within - 1) * 4), 0.0)  # the choroid fades with depth
    for column in eye.vessels:
        tissue *= 1 - 0.3 * np.exp(-(((columns - column) / 1.5) ** 2)) * (within > 0.15)
    tissue -= _CONTRAST * _spots(round(severity * _MOST), eye, surface, rows, columns, rng)
    tissue += _CONTRAST * _spots(round(foci * _MOST), eye, surface, rows, columns, rng)

    stripes = scanner.stripes * np.sin(2 * np.pi * (rows / scanner.period + rng.random()))
    noise = rng.normal(0, scanner.noise, tissue.shape)
    grey = scanner.floor + scanner.gain * tissue + stripes + noise
    return np.asarray(np.clip(np.rint(grey * 255), 0, 255), dtype=np.uint8)


def _spots(
    number: int,
    eye: Eye,
    surface: NDArray[np.float64],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """``number`` ellipses at random places of the retina: 1 inside, 0 outside, with soft edges."""
    out = np.zeros_like(rows)
    for _ in range(number):
        column, depth = rng.uniform(4, SIZE - 4), rng.uniform(0.15, 0.85)
        width, height = rng.uniform(2.5, 4.0), rng.uniform(2.0, 3.0)
        row = surface[0, round(column)] + depth * eye.thickness
        out = np.maximum(out, np.exp(-((((columns - column) / width) ** 2 + ((rows - row) / height) ** 2) ** 2)))
    return out
