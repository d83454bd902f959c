"""A batch as OpenCV takes it: channels last. On a CPU it does in one pass what takes torch many."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["MOST_CHANNELS", "as_images", "as_pictures", "convert", "written"]

MOST_CHANNELS = 4
"""OpenCV's guarantees end there."""


def as_pictures(images: Tensor) -> NDArray[np.float32]:
    """``[B, C, H, W]`` on the CPU as ``[B, H, W, C]``; the same memory where the images are channels-last already."""
    pictures: NDArray[np.float32] = images.permute(0, 2, 3, 1).contiguous().numpy()
    return pictures


def as_images(pictures: NDArray[np.float32]) -> Tensor:
    """The reverse; the same memory, channels-last."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def written(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same memory as OpenCV writes into it picture by picture: a single channel has no axis."""
    return pictures[..., 0] if pictures.shape[3] == 1 else pictures


def convert(pictures: NDArray[Any], code: int) -> NDArray[np.float32]:
    """`cv2.cvtColor` of a batch ``[B, H, W]`` or ``[B, H, W, C]``: line after line, so no picture sees another."""
    batch, height, width = pictures.shape[:3]
    lines = cv2.cvtColor(pictures.reshape(batch * height, width, *pictures.shape[3:]), code)
    converted: NDArray[np.float32] = lines.reshape(batch, height, width, *lines.shape[2:])
    return converted
