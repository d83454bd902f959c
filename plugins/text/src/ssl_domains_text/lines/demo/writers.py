"""The made-up writers of the demonstration: each has a slant, a width, a thickness, a spacing, and paper of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["WRITERS", "Writer", "draw_writers"]

WRITERS = {"train": 24, "test": 8}
"""Number of writers on each side of the split."""


@dataclass(frozen=True)
class Writer:
    """A hand, and the paper on which it writes.

    Attributes:
        name: Id, such as ``"W01"``.
        side: ``"train"`` or ``"test"``.
        slant: Movement of the top of a glyph to the right, as a share of its height.
        width: Mean width of a glyph, as a share of its height.
        thickness: Factor on the ink: below 1 thin strokes, above 1 thick ones.
        spacing: Mean distance of glyphs, as a share of their height.
        unsteady: Standard deviation of the height of a glyph above the baseline, as a share of its height.
        paper: Grey value of the paper, 0 to 255.
        ink: Grey value of full ink.
    """

    name: str
    side: str
    slant: float
    width: float
    thickness: float
    spacing: float
    unsteady: float
    paper: int
    ink: int


def draw_writers(seed: int) -> list[Writer]:
    """The writers of both sides; their hands are drawn from the same ranges."""
    rng = np.random.default_rng([seed, 2])
    made: list[Writer] = []
    for side, count in WRITERS.items():
        for _ in range(count):
            made.append(
                Writer(
                    name=f"W{len(made) + 1:02d}",
                    side=side,
                    slant=float(rng.uniform(-0.25, 0.35)),
                    width=float(rng.uniform(0.65, 1.05)),
                    thickness=float(rng.uniform(0.8, 1.3)),
                    spacing=float(rng.uniform(-0.12, 0.15)),
                    unsteady=float(rng.uniform(0.02, 0.08)),
                    paper=int(rng.integers(190, 250)),
                    ink=int(rng.integers(10, 90)),
                )
            )
    return made
