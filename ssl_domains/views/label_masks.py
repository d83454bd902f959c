"""Label masks on the canvas of their images, and predictions back in the images' own shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views.canvas import Canvas

__all__ = ["IGNORED", "place_mask", "to_native"]

IGNORED = 255
"""Class number of pixels that neither a loss nor a score looks at."""


def place_mask(canvas: Canvas, mask: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """Put a mask ``[H, W]`` where `Canvas.apply` puts its image: nearest neighbour of pixel centres.

    Returns:
        ``[size, size]`` in the type of ``mask``; 255 where the canvas is padded.
    """
    top, left, height, width = canvas.box(*mask.shape)
    placed = np.full((canvas.size, canvas.size), IGNORED, dtype=mask.dtype)
    rows, columns = _nearest(mask.shape[0], height), _nearest(mask.shape[1], width)
    placed[top : top + height, left : left + width] = mask[rows[:, None], columns[None, :]]
    return placed


def to_native(canvas: Canvas, scores: Tensor, height: int, width: int) -> Tensor:
    """Put scores ``[B, K, size, size]`` back into the shape their images came in: ``[B, K, height, width]``.

    Bilinear, smoothed where it shrinks: scores and not classes are resized, so that edges fall between pixels.
    """
    top, left, inner_height, inner_width = canvas.box(height, width)
    inside = scores[..., top : top + inner_height, left : left + inner_width]
    if inside.shape[-2:] == (height, width):
        return inside
    return F.interpolate(inside, size=(height, width), mode="bilinear", align_corners=False, antialias=True)


def _nearest(source: int, target: int) -> NDArray[np.int64]:
    """Source pixel under the centre of each of ``target`` pixels."""
    centres = (np.arange(target) + 0.5) * (source / target)
    return np.minimum(centres.astype(np.int64), source - 1)
