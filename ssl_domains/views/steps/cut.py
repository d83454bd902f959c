"""Result of consecutive crops and flips: an upright rectangle of whole pixels, which may be mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from ssl_domains.views.steps.pictures import as_images, as_pictures, written

__all__ = ["Cut"]


@dataclass(frozen=True)
class Cut:
    """A rectangle of each picture of a batch.

    On a CPU, resizing it takes half the time of a general interpolation at the same places.

    Attributes:
        left: First column, ``[B]``, whole pixels.
        top: First row.
        width: Columns.
        height: Rows.
        mirror_x: bool ``[B]``, whether left and right are exchanged after the cut.
        mirror_y: bool ``[B]``, whether top and bottom are exchanged.
        size: Side of the pictures that the rectangles are cut from.
        whole: Whether each rectangle is the whole picture. Only then can a crop follow: a crop of a resized crop has no
            whole pixels of the picture.
    """

    left: Tensor
    top: Tensor
    width: Tensor
    height: Tensor
    mirror_x: Tensor
    mirror_y: Tensor
    size: int
    whole: bool = False

    @classmethod
    def all_of(cls, batch: int, size: int) -> Cut:
        """Rectangles that are the whole picture, not mirrored."""
        zero, no = torch.zeros(batch, dtype=torch.int64), torch.zeros(batch, dtype=torch.bool)
        return cls(zero, zero, zero + size, zero + size, no, no, size, whole=True)

    def enlarge(self, images: Tensor, size: int) -> Tensor:
        """Cut ``[B, C, S, S]`` on the CPU and resize to channels-last ``[B, C, size, size]``, bilinear."""
        pictures = as_pictures(images)
        enlarged = np.empty((len(pictures), size, size, pictures.shape[3]), dtype=np.float32)
        places = written(enlarged)
        sides = torch.stack([self.left, self.top, self.width, self.height], 1).long().tolist()
        mirrors = torch.stack([self.mirror_x, self.mirror_y], 1).tolist()
        for k, ((left, top, width, height), (left_right, top_bottom)) in enumerate(zip(sides, mirrors, strict=True)):
            part, place = pictures[k, top : top + height, left : left + width], places[k]
            cv2.resize(part, (size, size), dst=place, interpolation=cv2.INTER_LINEAR)
            if left_right or top_bottom:
                cv2.flip(place, -1 if left_right and top_bottom else int(left_right), dst=place)
        return as_images(enlarged)
