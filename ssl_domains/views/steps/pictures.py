"""Conversion between torch batches (channels first) and OpenCV batches (channels last), without a copy if possible."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["MOST_CHANNELS", "as_images", "as_pictures", "convert", "written"]

MOST_CHANNELS = 4
"""OpenCV guarantees its filters for at most this many channels."""


def as_pictures(images: Tensor) -> NDArray[np.float32]:
    """``[B, C, H, W]`` on the CPU as ``[B, H, W, C]``; the same memory where the images are channels-last already."""
    pictures: NDArray[np.float32] = images.permute(0, 2, 3, 1).contiguous().numpy()
    return pictures


def as_images(pictures: NDArray[np.float32]) -> Tensor:
    """``[B, H, W, C]`` as ``[B, C, H, W]``, in channels-last layout: the same memory."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def written(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same memory as an OpenCV output: ``[B, H, W]`` for a single channel, which OpenCV writes without an axis."""
    return pictures[..., 0] if pictures.shape[3] == 1 else pictures


def convert(pictures: NDArray[Any], code: int) -> NDArray[np.float32]:
    """`cv2.cvtColor` of a batch ``[B, H, W]`` or ``[B, H, W, C]``, whose pictures are stacked to one tall picture."""
    batch, height, width = pictures.shape[:3]
    lines = cv2.cvtColor(pictures.reshape(batch * height, width, *pictures.shape[3:]), code)
    converted: NDArray[np.float32] = lines.reshape(batch, height, width, *lines.shape[2:])
    return converted
