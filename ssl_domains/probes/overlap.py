"""Dice and IoU of predicted and true masks, from the pixel counts of whole groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["add_confusion", "dice", "iou"]


def add_confusion(counts: NDArray[np.int64], truth: NDArray[np.integer[Any]], guess: NDArray[np.integer[Any]]) -> None:
    """Add the pixels of a mask to the counts ``[K, K]`` (row = truth) of its group, in place.

    Args:
        counts: int64 ``[K, K]``, changed in place.
        truth: Class of each pixel, any shape; pixels with a number outside 0 to K − 1 (255, ignored) are left out.
        guess: Predicted class of each pixel, from 0 to K − 1, in the shape of ``truth``.
    """
    classes = counts.shape[0]
    kept = (truth >= 0) & (truth < classes)
    joint = truth[kept].astype(np.int64) * classes + guess[kept]
    counts += np.bincount(joint, minlength=classes * classes).reshape(classes, classes)


def dice(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Dice of each class but the background: 2 |P ∩ T| / (|P| + |T|).

    Args:
        counts: ``[..., K, K]``, row = truth.

    Returns:
        ``[..., K − 1]``; NaN where a class is in neither the truth nor the prediction.
    """
    both, truth, guess = _parts(counts)
    return _ratio(2 * both, truth + guess)


def iou(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union of each class but the background, as `dice`."""
    both, truth, guess = _parts(counts)
    return _ratio(both, truth + guess - both)


def _parts(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    both = np.diagonal(counts, axis1=-2, axis2=-1)
    return both[..., 1:], counts.sum(axis=-1)[..., 1:], counts.sum(axis=-2)[..., 1:]


def _ratio(above: NDArray[np.int64], below: NDArray[np.int64]) -> NDArray[np.float64]:
    out = np.full(above.shape, np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out
