"""Map coordinates of traces in metres, and the grid on the map that they lie on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.segy.ibm import decode_ibm
from ssl_domains_seismic.segy.trace_words import TraceWords

__all__ = ["FOOT", "MapFit", "coordinate_words", "coordinates_of", "fit_map", "float_words", "scaled"]

FOOT = 0.3048
_PAIRS = ((181, 185), (73, 77))
_SCALARS = frozenset(sign * 10**power for sign in (1, -1) for power in range(5))
_MOST = 20_000  # traces that a fit uses


@dataclass(frozen=True)
class MapFit:
    """Map coordinates as an affine function of the places on the grid: ``origin + i · inline + j · crossline``.

    Attributes:
        origin: x, y of the first inline and crossline, metres.
        inline: x, y in metres from one inline to the next.
        crossline: x, y in metres from one crossline to the next.
        residual: Root mean square of what the fit leaves, metres.
    """

    origin: tuple[float, float]
    inline: tuple[float, float]
    crossline: tuple[float, float]
    residual: float

    @property
    def bins(self) -> tuple[float, float]:
        """Metres from one inline to the next, and from one crossline to the next."""
        return float(np.hypot(*self.inline)), float(np.hypot(*self.crossline))

    @property
    def rotation(self) -> float:
        """Direction in which crossline numbers increase, degrees from east, counterclockwise, from −180 to 180."""
        return float(np.degrees(np.arctan2(self.crossline[1], self.crossline[0])))

    def at(self, inline: NDArray[np.float64], crossline: NDArray[np.float64]) -> NDArray[np.float64]:
        """x and y in metres of places on the grid, in bins from the first line; float64 ``[n, 2]``."""
        vectors = np.array([self.inline, self.crossline])
        return np.asarray(np.array(self.origin) + np.stack([inline, crossline], axis=1) @ vectors)


def scaled(values: NDArray[np.float64], scalars: NDArray[np.int32]) -> NDArray[np.float64]:
    """Apply the scalars of word 71 or 215: a negative one divides, 0 is 1; others than powers of 10 are taken as 1."""
    known = np.isin(scalars, list(_SCALARS)) & (scalars != 0)
    factor = np.where(known, scalars, 1).astype(np.float64)
    return np.where(factor < 0, values / -factor, values * factor)


def coordinate_words(words: TraceWords, kind: str) -> tuple[int, int] | None:
    """The words of x and y: those of the CDP, else those of the source; None when neither varies.

    Words that look like floats are passed over when they are to be read as integers.
    """
    floats = {byte for byte, _, _ in float_words(words)} if kind == "int" else set()
    for pair in _PAIRS:
        if any(words.varies(byte) for byte in pair) and not floats & set(pair):
            return pair
    return None


def coordinates_of(
    words: TraceWords, pair: tuple[int, int], kind: str, feet: bool, rows: NDArray[np.int64] | slice = slice(None)
) -> NDArray[np.float64]:
    """x and y in metres, float64 ``[n, 2]``.

    Args:
        words: Header words.
        pair: First bytes of the words of x and y.
        kind: How the words are read: ``"int"``, with the scalar of word 71; ``"ibm"`` or ``"ieee"``, as they are.
        feet: Whether lengths are in feet.
        rows: Traces.
    """
    made = []
    for byte in pair:
        raw = np.ascontiguousarray(words[byte][rows])
        if kind == "ibm":
            made.append(decode_ibm(raw.view(np.uint32)).astype(np.float64))
        elif kind == "ieee":
            made.append(raw.view(np.float32).astype(np.float64))
        else:
            made.append(scaled(raw.astype(np.float64), words[71][rows]))
    both = np.stack(made, axis=1)
    return both * FOOT if feet else both


def float_words(words: TraceWords) -> list[tuple[int, float, float]]:
    """Words of places that look like floating point numbers: (byte, first value as IBM, first value as IEEE).

    Whole numbers of metres, with any scalar, stay below 2²⁹; floats from 0.001 to 10⁹ are above it in either format.
    """
    found = []
    for byte in (73, 77, 181, 185, 197):
        column = np.ascontiguousarray(words.columns[byte])
        column = column[column != 0]
        if not len(column):
            continue
        magnitude = column.view(np.uint32) & np.uint32(0x7FFFFFFF)
        if magnitude.min() < 2**29:
            continue
        ibm = decode_ibm(column.view(np.uint32)).astype(np.float64)
        ieee = column.view(np.float32).astype(np.float64)
        if any(bool(((np.abs(values) > 1e-3) & (np.abs(values) < 1e9)).all()) for values in (ibm, ieee)):
            found.append((byte, float(ibm[0]), float(ieee[0])))
    return found


def fit_map(xy: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> MapFit | None:
    """Fit coordinates as an affine function of grid places; None when they are not one of both.

    Args:
        xy: Metres, float64 ``[n, 2]``.
        rows: Place of the inline, int64 ``[n]``.
        columns: Place of the crossline, int64 ``[n]``.
    """
    chosen = np.linspace(0, len(xy) - 1, num=min(len(xy), _MOST), dtype=np.int64)
    if len(chosen) < 3:
        return None
    xy, rows, columns = xy[chosen], rows[chosen], columns[chosen]
    if not np.isfinite(xy).all():
        return None
    design = np.stack([np.ones(len(xy)), rows, columns], axis=1)
    solved, _, rank, _ = np.linalg.lstsq(design, xy, rcond=None)
    if rank < 3 or not np.isfinite(solved).all():
        return None
    residual = float(np.sqrt(((design @ solved - xy) ** 2).sum(axis=1).mean()))
    lengths = np.hypot(solved[1:, 0], solved[1:, 1])
    area = abs(float(np.linalg.det(solved[1:])))
    if lengths.min() <= 0 or area < 0.3 * float(lengths.prod()) or residual > 0.2 * float(lengths.min()):
        return None
    origin, inline, crossline = ((float(x), float(y)) for x, y in solved)
    return MapFit(origin, inline, crossline, residual)
