"""Trace-header words of the survey's files: lines at bytes 9 and 21, coordinates with a scalar, the delay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.demo.segy_bytes import text_header
from ssl_domains_seismic.demo.survey import AFFINE, CROSSLINES, DELAY_MS, INLINES, MS

__all__ = ["COORDINATE_SCALAR", "CROSSLINE_BYTE", "INLINE_BYTE", "JUNK_BYTES", "line_words", "survey_text"]

INLINE_BYTE, CROSSLINE_BYTE = 9, 21
JUNK_BYTES = (189, 193)
"""Where revision 1 of SEG-Y has the lines; here are random numbers."""
COORDINATE_SCALAR = -100
"""Coordinates are stored in centimetres: a negative scalar divides."""

_JUNK = 40  # random numbers below this


def line_words(
    inline: NDArray[np.int64], crossline: NDArray[np.int64], seed: int
) -> dict[int, NDArray[np.int64] | int]:
    """The words of traces: first byte → value in each trace, or one value for all.

    Args:
        inline: Inline number of each trace.
        crossline: Crossline number of each trace.
        seed: Of the numbers at `JUNK_BYTES`.
    """
    x, y = AFFINE @ np.stack([inline, crossline, np.ones_like(inline)])
    rng = np.random.default_rng([seed, inline.size])
    junk = {byte: rng.integers(_JUNK, size=inline.size) for byte in JUNK_BYTES}
    return {
        INLINE_BYTE: inline,
        CROSSLINE_BYTE: crossline,
        71: COORDINATE_SCALAR,
        109: DELAY_MS,
        181: np.rint(-COORDINATE_SCALAR * x).astype(np.int64),
        185: np.rint(-COORDINATE_SCALAR * y).astype(np.int64),
        **junk,
    }


def survey_text(title: str, bytes_said: bool = True) -> bytes:
    """The text header of a file of the survey.

    Args:
        title: What the file holds, upper case.
        bytes_said: Whether it says at which bytes the lines stand.
    """
    lines = {
        1: "CLIENT  NOBODY            SIMULATED SURVEY OF SSL-DOMAINS, NO REAL EARTH",
        2: title,
        4: f"INLINES {INLINES[0]} TO {INLINES[-1]} BY {INLINES[1] - INLINES[0]}",
        5: f"CROSSLINES {CROSSLINES[0]} TO {CROSSLINES[-1]} BY {CROSSLINES[1] - CROSSLINES[0]}",
        6: f"TIMES {MS[0]} TO {MS[-1]} MS BY {MS[1] - MS[0]}",
        39: "SEG Y REV1",
        40: "END TEXTUAL HEADER",
    }
    if bytes_said:
        lines |= {
            8: f"INLINE: BYTES {INLINE_BYTE}-{INLINE_BYTE + 3}",
            9: f"CROSSLINE: BYTES {CROSSLINE_BYTE}-{CROSSLINE_BYTE + 3}",
            10: f"CDP X: BYTES 181-184  CDP Y: BYTES 185-188  SCALAR AT 71: {COORDINATE_SCALAR}",
        }
    return text_header(lines)
