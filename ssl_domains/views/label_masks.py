"""Label masks of samples: where they lie in an array and on the canvas, and predictions back at their native shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable
from ssl_domains.views.canvas import Canvas
from ssl_domains.views.contract import MapPreprocess
from ssl_domains.views.row_facts import RowFacts

__all__ = [
    "IGNORED",
    "DrawnLabelMaps",
    "LabelMaps",
    "map_planes",
    "map_sides",
    "place_mask",
    "to_native",
    "with_label_maps",
]

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


@dataclass(frozen=True)
class DrawnLabelMaps:
    """Label maps of drawn crops: of each mask, the part that the crop of its picture shows.

    Attributes:
        masks: The mask of each row at native shape, uint8 ``[H, W]``, 255 where a pixel is ignored.
        planes: Axes of each row's array that run down the rows and along the columns of its mask, int64 ``[n, 2]``; see
            `map_planes`.
        canvas: The canvas that the crops are resized to.
    """

    masks: Sequence[NDArray[np.uint8]]
    planes: NDArray[np.int64]
    canvas: Canvas

    def __call__(self, rows: Tensor) -> Input:
        """The label maps of whole samples, as `LabelMaps` gives them."""
        return Input.cat([self._placed(self.masks[row]) for row in rows.tolist()])

    def of_part(self, row: int, slices: Sequence[slice]) -> Input:
        """The label map of a part of a row's array, uint8 ``[1, 1, S, S]``."""
        down, right = self.planes[row].tolist()
        return self._placed(self.masks[row][slices[down], slices[right]])

    def _placed(self, mask: NDArray[np.uint8]) -> Input:
        placed = torch.from_numpy(place_mask(self.canvas, mask))
        return Input(placed[None, None], kind="labels", pad=float(IGNORED))


def with_label_maps(preprocess: object, owner: str) -> MapPreprocess:
    """The preprocess, of which samples can have label maps.

    Args:
        preprocess: A preprocess; see `MapPreprocess`.
        owner: Whose preprocess it is, for the sentence, such as ``"the run 'r1'"``.

    Raises:
        UsageError: When samples of this preprocess have no label maps: it makes signals, or another input than pictures
            on a canvas.
    """
    if not isinstance(preprocess, MapPreprocess):
        cause = f"{owner} was not trained on pictures on a canvas, so its samples have no label maps"
        raise UsageError(cause, "take a column with --label instead of --masks")
    return preprocess


def map_planes(preprocess: MapPreprocess, table: SampleTable, shapes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Axes of each row's array that run down the rows and along the columns of its label map, int64 ``[n, 2]``.

    Args:
        preprocess: Says which axes these are.
        table: ``n`` rows, with the columns that the preprocess reads.
        shapes: Sides of their arrays, int64 ``[n, rank]``.

    Raises:
        UsageError: When a column is missing.
        DataError: When a row doesn't say which axes these are.
    """
    facts = RowFacts(table, getattr(preprocess, "columns", ()))
    axes = [preprocess.map_axes(shape, facts[row]) for row, shape in enumerate(shapes.tolist())]
    return np.array(axes, dtype=np.int64).reshape(len(table), 2)


def map_sides(preprocess: MapPreprocess, table: SampleTable, shapes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Height and width of the label map of each row, int64 ``[n, 2]``; arguments and errors as in `map_planes`."""
    return np.take_along_axis(shapes, map_planes(preprocess, table, shapes), axis=1)


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
