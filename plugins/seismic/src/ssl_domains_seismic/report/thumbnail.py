"""Thumbnails of samples: grey, with zero amplitude in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.preprocess import picture_of

__all__ = ["thumbnail"]

_SIDE = 96


def thumbnail(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.uint8]:
    """A sample as a grey picture, uint8 ``[h, w, 1]``; of several sections the middle one.

    Black and white are the 99th percentile of its own magnitudes.

    Args:
        array: The sample, ``[inline, crossline, sample]``.
        row: Its row of the table, which names the axis.
    """
    picture = picture_of(array, str(row["along"]))
    middle = picture[:, :, picture.shape[2] // 2].astype(np.float64)
    steps = tuple(max(1, side // _SIDE) for side in middle.shape)
    middle = np.nan_to_num(middle[:: steps[0], :: steps[1]], posinf=0.0, neginf=0.0)
    clip = float(np.percentile(np.abs(middle), 99)) or 1.0
    return np.asarray(np.clip(127.5 + 127.5 * middle / clip, 0, 255).astype(np.uint8)[:, :, None])
