"""Hand-made features, such as HOG: the baseline that a learned encoder should exceed.

Each function takes pictures float32 ``[n, C, S, S]`` in [0, 1] and returns float32 ``[n, F]``, which a linear probe
reads like the features of an encoder.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError

__all__ = ["hog", "intensity_statistics", "mean_colour"]

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Added to the norm of a block, so that noise in blocks of one colour isn't amplified; about OpenCV's value.
_FLAT = 0.01


def hog(
    images: NDArray[Any], *, cell: int | None = None, orientations: int = 9, block: int = 2, clip: float = 0.2
) -> NDArray[np.float32]:
    """Histograms of oriented gradients.

    Dalal & Triggs 2005, Histograms of Oriented Gradients for Human Detection: centred differences; the channel with
    the strongest gradient at each pixel; unsigned orientations shared between the two nearest bins; overlapping blocks
    of cells normalised by L2-Hys. There is no Gaussian window and no interpolation between cells. OpenCV 5 has no HOG.

    Args:
        images: ``[n, C, S, S]`` in [0, 1].
        cell: Side of a cell in pixels; None makes six cells a side. Border pixels that don't fill a cell are left out.
        orientations: Bins over 180°.
        block: Cells a side that are normalised together.
        clip: Largest value after the first normalisation.

    Returns:
        ``[n, B² · block² · orientations]`` with B blocks a side.

    Raises:
        UsageError: When the pictures hold fewer cells than a block has.
    """
    n, _, height, width = images.shape
    cell = max(1, min(height, width) // 6) if cell is None else cell
    rows, columns = height // cell, width // cell
    if min(rows, columns) < block:
        raise UsageError(
            f"pictures of {height} × {width} pixels hold no block of {block} cells of {cell}", "lower cell"
        )
    votes = _votes(np.asarray(images, dtype=np.float32), orientations)
    top, left = (height - rows * cell) // 2, (width - columns * cell) // 2
    votes = votes[:, top : top + rows * cell, left : left + columns * cell]
    cells = votes.reshape(n, rows, cell, columns, cell, orientations).sum(axis=(2, 4))
    views = np.lib.stride_tricks.sliding_window_view(cells, (block, block), axis=(1, 2))
    blocks = views.reshape(n, rows - block + 1, columns - block + 1, -1)
    blocks = blocks / np.sqrt(np.square(blocks).sum(axis=-1, keepdims=True) + _FLAT**2)
    blocks = np.minimum(blocks, clip)
    blocks = blocks / np.sqrt(np.square(blocks).sum(axis=-1, keepdims=True) + _FLAT**2)
    return np.asarray(blocks.reshape(n, -1), dtype=np.float32)


def intensity_statistics(images: NDArray[Any]) -> NDArray[np.float32]:
    """Mean, standard deviation, skewness and five quantiles (5 to 95 %) of each channel: ``[n, 8 C]``."""
    values = np.asarray(images, dtype=np.float64).reshape(*images.shape[:2], -1)
    mean, std = values.mean(axis=2), values.std(axis=2)
    third = ((values - mean[:, :, None]) ** 3).mean(axis=2)
    skewness = third / np.maximum(std**3, 1e-9)
    quantiles = np.quantile(values, _QUANTILES, axis=2)
    return np.concatenate([mean, std, skewness, *quantiles], axis=1).astype(np.float32)


def mean_colour(images: NDArray[Any]) -> NDArray[np.float32]:
    """Mean and standard deviation of each channel: ``[n, 2 C]``."""
    values = np.asarray(images, dtype=np.float64)
    return np.concatenate([values.mean(axis=(2, 3)), values.std(axis=(2, 3))], axis=1).astype(np.float32)


def _votes(images: NDArray[np.float32], orientations: int) -> NDArray[np.float32]:
    """Gradient magnitude of each pixel, shared among orientation bins: ``[n, H, W, orientations]``."""
    n, _, height, width = images.shape
    across, down = np.zeros_like(images), np.zeros_like(images)
    across[..., 1:-1] = images[..., 2:] - images[..., :-2]
    down[..., 1:-1, :] = images[..., 2:, :] - images[..., :-2, :]
    strongest = np.argmax(across**2 + down**2, axis=1)[:, None]
    across = np.take_along_axis(across, strongest, axis=1)[:, 0]
    down = np.take_along_axis(down, strongest, axis=1)[:, 0]
    magnitude = np.hypot(across, down)
    place = (np.arctan2(down, across) % np.pi) * (orientations / np.pi) - 0.5
    lower = np.floor(place)
    share = place - lower
    first = lower.astype(np.int64) % orientations
    votes = np.zeros((n, height, width, orientations), dtype=np.float32)
    np.put_along_axis(votes, first[..., None], (magnitude * (1 - share))[..., None], axis=3)
    second = (first + 1) % orientations
    if orientations == 1:  # both nearest bins are the same one
        votes[..., 0] = magnitude
    else:
        np.put_along_axis(votes, second[..., None], (magnitude * share)[..., None], axis=3)
    return votes
