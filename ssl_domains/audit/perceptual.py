"""A 64-bit hash that survives recoding, resizing and changes of light: the signs of a picture's slow waves."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Looks", "hamming", "look", "perceptual_hash", "thumbnail"]

THUMBNAIL = 32
_HASHED = 8  # waves along each side: 8 × 8 bits
_COARSE = 16


@dataclass(frozen=True)
class Looks:
    """How pictures look, small enough to keep for all of them.

    Attributes:
        hashes: uint64 ``[n]``.
        shapes: float16 ``[n, 256]``: a 16 × 16 picture without its mean, of length 1; 0 where unknown.
        spreads: float32 ``[n]``: standard deviation of the thumbnail over its largest magnitude; NaN where unknown.
    """

    hashes: NDArray[np.uint64]
    shapes: NDArray[np.float16]
    spreads: NDArray[np.float32]

    @classmethod
    def unknown(cls, n: int) -> Looks:
        """Of ``n`` pictures nobody has looked at yet; filled by row."""
        return cls(
            np.zeros(n, dtype=np.uint64),
            np.zeros((n, _COARSE * _COARSE), dtype=np.float16),
            np.full(n, np.nan, dtype=np.float32),
        )

    def fill(self, row: int, array: NDArray[np.generic]) -> None:
        """Note the looks of one array."""
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
    """A small grey picture, float32 ``[32, 32]``, by averaging areas.

    Args:
        array: ``[H, W, C]`` or ``[H, W]``, any number type; what isn't finite counts as the mean of the rest.
    """
    from PIL import Image

    values = np.asarray(array).astype(np.float32)
    if values.ndim == 3:
        values = values.mean(axis=2)
    known = np.isfinite(values)
    if not known.all():
        values = np.where(known, values, values[known].mean() if known.any() else np.float32(0))
    small = Image.fromarray(np.ascontiguousarray(values)).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)


def perceptual_hash(small: NDArray[np.float32]) -> np.uint64:
    """Whether each of the 64 lowest cosine waves of a thumbnail ``[32, 32]`` is above their median.

    The mean is taken off first, so that light and contrast don't matter (Zauner 2010, *Implementation and benchmarking
    of perceptual image hash functions*).
    """
    waves = _waves()
    slow = (waves @ (small - small.mean()) @ waves.T).ravel()
    return np.uint64(np.packbits(slow > np.median(slow)).view(np.uint64)[0])


def hamming(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Bits that differ, element by element after broadcasting."""
    words = np.ascontiguousarray(a ^ b)[..., None].view(np.uint16)
    return np.asarray(_bits()[words].sum(axis=-1, dtype=np.uint8))


@functools.cache
def _waves() -> NDArray[np.float32]:
    """The slowest rows of the cosine transform, float32 ``[8, 32]``."""
    order, place = np.arange(_HASHED)[:, None], np.arange(THUMBNAIL)[None, :]
    return np.cos(np.pi * order * (2 * place + 1) / (2 * THUMBNAIL)).astype(np.float32)


@functools.cache
def _bits() -> NDArray[np.uint8]:
    return np.array([bin(word).count("1") for word in range(1 << 16)], dtype=np.uint8)
