"""Strips of 3 to 7 digits: each glyph is drawn by its writer, with random width, distance and baseline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ssl_domains_text.lines.demo.glyphs import Glyphs
from ssl_domains_text.lines.demo.writers import Writer
from ssl_domains_text.lines.strips.layout import lay_out, left_edges

__all__ = ["GLYPH", "HEIGHT", "Strip", "draw_strip"]

HEIGHT = 40
"""Height of a strip in pixels."""

GLYPH = 26
"""Usual height of a glyph in pixels."""

_COUNTS = (3, 7)
_MARGIN = 4  # pixels left and right
_NOISE = 4.0  # standard deviation of the grain of the paper, in grey values


@dataclass(frozen=True)
class Strip:
    """A line of digits.

    Attributes:
        text: The digits.
        picture: Grey values, uint8 ``[40, W]``, dark ink on light paper.
        writer: Who wrote it.
    """

    text: str
    picture: NDArray[np.uint8]
    writer: Writer


def draw_strip(writer: Writer, glyphs: Glyphs, rng: np.random.Generator, count: int | None = None) -> Strip:
    """Draw a strip.

    Args:
        writer: The writer.
        glyphs: Pictures of the digits.
        rng: Digits, pictures, widths, distances, baseline and grain.
        count: Number of digits; None draws from 3 to 7.
    """
    count = int(rng.integers(_COUNTS[0], _COUNTS[1] + 1)) if count is None else count
    text = "".join(str(digit) for digit in rng.integers(0, 10, size=count))
    pieces = [_glyph(writer, glyphs[digit], rng) for digit in text]
    gaps = [round(GLYPH * (writer.spacing + rng.normal(0, 0.04))) for _ in pieces[1:]]
    lefts = left_edges(pieces, gaps, _MARGIN)
    width = lefts[-1] + _MARGIN
    slope = rng.uniform(-0.03, 0.03)
    unsteady = writer.unsteady * GLYPH
    middles = [HEIGHT / 2 + slope * (max(0, left) - width / 2) + rng.normal(0, unsteady) for left in lefts[:-1]]
    ink = lay_out(pieces, gaps, middles, HEIGHT, _MARGIN)
    grain = rng.normal(0, _NOISE, size=ink.shape)
    grey = writer.paper + (writer.ink - writer.paper) * ink + grain
    return Strip(text, np.clip(np.rint(grey), 0, 255).astype(np.uint8), writer)


def _glyph(writer: Writer, pictures: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """One digit, ink float32 ``[h, w]`` in [0, 1], without empty columns at its sides."""
    small = pictures[rng.integers(len(pictures))]
    height = round(GLYPH * rng.uniform(0.9, 1.1))
    width = round(height * writer.width * rng.uniform(0.85, 1.15))
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    shift = writer.slant * height
    reach = int(np.ceil(abs(shift)))
    move = np.array([[1.0, -shift / height, reach / 2 + shift / 2], [0.0, 1.0, 0.0]], dtype=np.float32)
    slanted = cv2.warpAffine(large, move, (width + reach, height), flags=cv2.INTER_LINEAR)
    ink = np.clip(slanted * writer.thickness, 0, 1)
    drawn = np.flatnonzero(ink.max(axis=0) > 0.15)
    return np.asarray(ink[:, drawn[0] : drawn[-1] + 1] if len(drawn) else ink, dtype=np.float32)
