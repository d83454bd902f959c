"""Scores of predicted and true masks from pixel counts by true and predicted class: Dice, IoU, pixel accuracy.

Dice and IoU are of each class. Pixel accuracy, mean class accuracy, frequency-weighted IoU and mean IoU are one number
for all pixels that were counted together (J. Long, E. Shelhamer, T. Darrell, "Fully convolutional networks for semantic
segmentation", CVPR 2015, section 5; for seismic facies Y. Alaudah et al., "A machine-learning benchmark for facies
classification", Interpretation 7(3), 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "POOLED",
    "add_confusion",
    "dice",
    "frequency_weighted_iou",
    "iou",
    "mean_class_accuracy",
    "mean_iou",
    "pixel_accuracy",
    "pooled_scores",
]

Counts = NDArray[np.int64] | NDArray[np.float64]
"""Numbers of pixels ``[..., K, K]``, row = truth."""


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


def dice(counts: Counts, background: bool = True) -> NDArray[np.float64]:
    """Dice of each class but the background: 2 |P ∩ T| / (|P| + |T|).

    Args:
        counts: ``[..., K, K]``, row = truth.
        background: Whether class 0 is the background, which has no Dice. False where it is a class like the others.

    Returns:
        ``[..., K − 1]``, or ``[..., K]`` without a background; NaN where a class is in neither the truth nor the
        prediction.
    """
    both, truth, guess = (one[..., int(background) :] for one in _parts(counts))
    return _ratio(2 * both, truth + guess)


def iou(counts: Counts, background: bool = True) -> NDArray[np.float64]:
    """Intersection over union of each class but the background, as `dice`."""
    both, truth, guess = (one[..., int(background) :] for one in _parts(counts))
    return _ratio(both, truth + guess - both)


def pixel_accuracy(counts: Counts) -> NDArray[np.float64]:
    """Share of pixels whose class is right: Σ n_ii / Σ t_i, n_ij the pixels of class i predicted as j, t_i = Σ_j n_ij.

    Args:
        counts: ``[..., K, K]``, row = truth; the background is a class as well.

    Returns:
        ``[...]``; NaN without a pixel.
    """
    both, truth, _ = _parts(counts)
    return _ratio(both.sum(axis=-1), truth.sum(axis=-1))


def mean_class_accuracy(counts: Counts) -> NDArray[np.float64]:
    """Mean of n_ii / t_i over the classes that occur in the truth; arguments and result as in `pixel_accuracy`."""
    both, truth, _ = _parts(counts)
    return _mean_of_known(_ratio(both, truth))


def frequency_weighted_iou(counts: Counts) -> NDArray[np.float64]:
    """Mean of the IoU of the classes, weighted with their pixels in the truth: Σ t_i IoU_i / Σ t_i.

    A class that is only predicted has weight 0. Arguments and result as in `pixel_accuracy`.
    """
    both, truth, guess = _parts(counts)
    each = _ratio(both, truth + guess - both)
    return _ratio((truth * np.nan_to_num(each)).sum(axis=-1), truth.sum(axis=-1))


def mean_iou(counts: Counts) -> NDArray[np.float64]:
    """Mean IoU over the classes that occur in the truth or the prediction; arguments and result as in `pixel_accuracy`.

    A class that is only predicted has an IoU of 0, and lowers the mean.
    """
    both, truth, guess = _parts(counts)
    return _mean_of_known(_ratio(both, truth + guess - both))


POOLED: Mapping[str, Callable[[Counts], NDArray[np.float64]]] = {
    "pixel accuracy": pixel_accuracy,
    "mean class accuracy": mean_class_accuracy,
    "frequency-weighted IoU": frequency_weighted_iou,
    "pooled mean IoU": mean_iou,
}
"""Scores of the pixels of several groups taken together, by the name in tables.

*Mean IoU* alone is another score: of each group by itself, without the background, then the mean over groups.
"""


def pooled_scores(counts: NDArray[np.int64]) -> dict[str, float | None]:
    """The scores of `POOLED` of the counts ``[G, K, K]`` of groups, added up; None where undefined."""
    found = {name: float(score(counts.sum(axis=0))) for name, score in POOLED.items()}
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


def _parts(counts: Counts) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Pixels of each class that are right, in the truth, and in the prediction, ``[..., K]`` each."""
    return np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1), counts.sum(axis=-2)


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.float64]:
    out = np.full(above.shape, np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def _mean_of_known(each: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(each)
    return _ratio(np.where(known, each, 0.0).sum(axis=-1), known.sum(axis=-1))
