"""Perceptual hash: 64 bits from the low frequencies of a picture.

It hardly changes when a picture is recompressed, resized, or made brighter or darker.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Looks", "hamming", "look", "perceptual_hash", "thumbnail"]

THUMBNAIL = 32
_HASHED = 8  # cosine frequencies along each side: 8 × 8 bits
_COARSE = 16


@dataclass(frozen=True)
class Looks:
    """Perceptual hashes and coarse pictures of ``n`` pictures.

    Attributes:
        hashes: uint64 ``[n]``.
        shapes: float16 ``[n, 256]``: the 16 × 16 picture minus its mean, scaled to norm 1; 0 where unknown.
        spreads: float32 ``[n]``: standard deviation of the thumbnail divided by its largest magnitude; NaN where
            unknown.
    """

    hashes: NDArray[np.uint64]
    shapes: NDArray[np.float16]
    spreads: NDArray[np.float32]

    @classmethod
    def unknown(cls, n: int) -> Looks:
        """Empty arrays for ``n`` pictures, to be filled by row."""
        return cls(
            np.zeros(n, dtype=np.uint64),
            np.zeros((n, _COARSE * _COARSE), dtype=np.float16),
            np.full(n, np.nan, dtype=np.float32),
        )

    def fill(self, row: int, array: NDArray[np.generic]) -> None:
        """Compute the values of one array and store them in ``row``."""
        self.hashes[row], self.shapes[row], self.spreads[row] = look(array)


def look(array: NDArray[np.generic]) -> tuple[np.uint64, NDArray[np.float16], float]:
    """Hash, coarse shape and spread of an array ``[H, W, C]`` or ``[H, W]``; see `Looks`."""
    small = thumbnail(array)
    half = THUMBNAIL // _COARSE
    coarse = small.reshape(_COARSE, half, _COARSE, half).mean(axis=(1, 3)).ravel()
    coarse = coarse - coarse.mean()
    length = float(np.linalg.norm(coarse))
    shape = (coarse / length if length > 0 else coarse).astype(np.float16)
    largest = float(np.abs(small).max())
    return perceptual_hash(small), shape, float(small.std()) / largest if largest > 0 else 0.0


def thumbnail(array: NDArray[np.generic]) -> NDArray[np.float32]:
    """A small grey picture, float32 ``[32, 32]``, resized by averaging areas.

    Args:
        array: ``[H, W, C]`` or ``[H, W]``, any number type; of more sides the last ones are averaged, and a signal
            ``[t]`` is a picture of one column. Values that are not finite are replaced by the mean of the others.
    """
    from PIL import Image

    values = np.asarray(array).astype(np.float32)
    values = values[:, None] if values.ndim == 1 else values
    while values.ndim > 2:
        values = values.mean(axis=-1)
    known = np.isfinite(values)
    if not known.all():
        values = np.where(known, values, values[known].mean() if known.any() else np.float32(0))
    small = Image.fromarray(np.ascontiguousarray(values)).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)


def perceptual_hash(small: NDArray[np.float32]) -> np.uint64:
    """64 bits: whether each of the 64 lowest cosine coefficients of a thumbnail ``[32, 32]`` is above their median.

    The mean is subtracted first, so that brightness and contrast don't matter (Zauner 2010, *Implementation and
    benchmarking of perceptual image hash functions*).
    """
    waves = _waves()
    slow = (waves @ (small - small.mean()) @ waves.T).ravel()
    return np.uint64(np.packbits(slow > np.median(slow)).view(np.uint64)[0])


def hamming(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Number of bits that differ, uint8, elementwise with broadcasting."""
    words = np.ascontiguousarray(a ^ b)[..., None].view(np.uint16)
    return np.asarray(_bits()[words].sum(axis=-1, dtype=np.uint8))


@functools.cache
def _waves() -> NDArray[np.float32]:
    """The lowest 8 frequencies of the cosine transform, float32 ``[8, 32]``."""
    order, place = np.arange(_HASHED)[:, None], np.arange(THUMBNAIL)[None, :]
    return np.cos(np.pi * order * (2 * place + 1) / (2 * THUMBNAIL)).astype(np.float32)


@functools.cache
def _bits() -> NDArray[np.uint8]:
    return np.array([bin(word).count("1") for word in range(1 << 16)], dtype=np.uint8)
