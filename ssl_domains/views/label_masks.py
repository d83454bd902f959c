"""Resize label masks to the canvas of their images, and predictions back to the native shape of the images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.inputs import Input
from ssl_domains.views.canvas import Canvas

__all__ = ["IGNORED", "LabelMaps", "place_mask", "to_native"]

IGNORED = 255
"""Class number of pixels that are left out of losses and scores."""


@dataclass(frozen=True)
class LabelMaps:
    """Label maps of rows beside their pictures; see `ssl_domains.views.contract.RowInputs`.

    Attributes:
        placed: uint8 ``[n, S, S]`` on the canvas, 255 where a pixel is ignored.
    """

    placed: NDArray[np.uint8]

    def __call__(self, rows: Tensor) -> Input:
        """The label maps of some rows, uint8 ``[B, 1, S, S]``; a view that shows no pixel of the picture holds 255."""
        return Input(torch.from_numpy(self.placed[rows.numpy()])[:, None], kind="labels", pad=float(IGNORED))


def place_mask(canvas: Canvas, mask: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """Resize a mask ``[H, W]`` as `Canvas.apply` resizes its image, but by the nearest pixel.

    Returns:
        ``[size, size]`` in the type of ``mask``; 255 where the canvas is padded.
    """
    top, left, height, width = canvas.box(*mask.shape)
    placed = np.full((canvas.size, canvas.size), IGNORED, dtype=mask.dtype)
    rows, columns = _nearest(mask.shape[0], height), _nearest(mask.shape[1], width)
    placed[top : top + height, left : left + width] = mask[rows[:, None], columns[None, :]]
    return placed


def to_native(canvas: Canvas, scores: Tensor, height: int, width: int) -> Tensor:
    """Resize scores ``[B, K, size, size]`` to the native shape of their images: ``[B, K, height, width]``.

    Bilinear, with antialiasing where it shrinks. Class scores are resized rather than class numbers, so that the border
    between two classes may lie anywhere and not only at a pixel of the canvas.
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
