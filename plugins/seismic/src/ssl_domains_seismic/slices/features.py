"""The features of each cell of a time slice, from the feature maps of the samples that cross it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.encoders import Encoder
from ssl_domains.errors import DataError
from ssl_domains.evaluation import dense_features
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Preprocess

__all__ = ["SliceFeatures", "slice_features"]

_WIDTH = 24  # principal components that a page holds of each cell
_LEAST = 1e-3  # weight of a place at the edge of a picture
_AXES = {"inline": 0, "crossline": 1, "depth": 2}


@dataclass(frozen=True)
class SliceFeatures:
    """Directions of features, in few components.

    Attributes:
        vectors: int8 ``[inline, crossline, K]``: 127 times the unit vector of each cell, so that the scalar product of
            two cells over 127² is their cosine similarity; 0 where no sample covers the cell.
        kept: Share of the variance that the components hold.
    """

    vectors: NDArray[np.int8]
    kept: float


def slice_features(
    encoder: Encoder,
    preprocess: Preprocess,
    table: SampleTable,
    store: ArrayStore,
    sample: int,
    shape: tuple[int, int],
    *,
    every: int = 1,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> SliceFeatures:
    """Features of the cells of a time slice.

    The maps of all stages of the encoder are read at the place of each cell (bilinear), averaged where samples overlap,
    with weights that fall towards their left and right edges, as features near an edge know less; then they are
    standardised over the slice channel by channel, and turned into their first 24 principal components.

    Args:
        encoder: The encoder; it gives maps.
        preprocess: From regions to its input, a stretched canvas.
        table: The samples that cross the slice, see `ssl_domains_seismic.slices.samples.samples_on`.
        store: Their arrays.
        sample: Number of the slice.
        shape: Inlines and crosslines of the survey.
        every: Only every such inline and crossline is kept.
        device: Device that the encoder runs on.
        progress: Called with the number of samples done and of all samples.

    Raises:
        DataError: When no sample crosses the slice.
    """
    if not len(table):
        raise DataError("no sample crosses this time slice", "choose a time that the samples cover")
    levels = dense_features(encoder, preprocess, table, store, device=device, progress=progress).levels
    rows, columns = (len(range(0, side, every)) for side in shape)
    total = np.zeros((rows, columns, sum(level.shape[1] for level in levels)), dtype=np.float32)
    weights = np.zeros((rows, columns, 1), dtype=np.float32)
    ends = table.frame["region"].explode().to_numpy().astype(np.int64).reshape(len(table), 6)
    for number, along in enumerate(table.frame["along"].to_list()):
        inlines, crosslines, grid = _cells(ends[number], along, sample, every)
        if not inlines.size or not crosslines.size:
            continue
        read = [
            torch.nn.functional.grid_sample(
                torch.from_numpy(np.array(level[number])).float()[None],
                grid[None],
                align_corners=False,
                padding_mode="border",
            )[0]
            for level in levels
        ]
        place = np.ix_(inlines // every, crosslines // every)
        weight = _weight(grid).numpy()
        total[place] += torch.cat(read).permute(1, 2, 0).numpy() * weight
        weights[place] += weight
    return _directions(total, weights)


def _cells(
    ends: NDArray[np.int64], along: str, sample: int, every: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], torch.Tensor]:
    """Shown inlines and crosslines of a sample, and their places on its picture, float32 ``[inline, crossline, 2]``.

    Places go from −1 to 1 over the picture, first to the right and then downwards, as `grid_sample` wants them.
    """
    sides: list[NDArray[np.int64]] = []
    places: list[NDArray[np.float64]] = []
    for axis in (0, 1):
        low, high = int(ends[2 * axis]), int(ends[2 * axis + 1])
        if axis == _AXES[along]:
            middle = (low + high - 1) // 2
            low, high = middle, middle + 1
        numbers = np.arange(low, high)
        numbers = numbers[numbers % every == 0]
        sides.append(numbers)
        places.append(2 * (numbers - low + 0.5) / (high - low) - 1)
    down = 2 * (sample - int(ends[4]) + 0.5) / int(ends[5] - ends[4]) - 1
    row, column = np.meshgrid(*places, indexing="ij")
    if along == "inline":
        right, below = column, np.full_like(column, down)
    elif along == "crossline":
        right, below = row, np.full_like(row, down)
    else:
        right, below = column, row
    return sides[0], sides[1], torch.from_numpy(np.stack([right, below], axis=2).astype(np.float32))


def _weight(grid: torch.Tensor) -> torch.Tensor:
    """Weight of each place of a picture, ``[inline, crossline, 1]``: 1 in the middle, nearly 0 at an edge."""
    return (1 - grid.abs()).clamp(min=_LEAST).prod(dim=2, keepdim=True)


def _directions(total: NDArray[np.float32], weights: NDArray[np.float32]) -> SliceFeatures:
    known = weights[:, :, 0] > 0
    features = (total[known] / weights[known]).astype(np.float64)
    features -= features.mean(axis=0)
    spread = features.std(axis=0)
    features = features[:, spread > 0] / spread[spread > 0]
    if not features.size:
        raise DataError("the features are the same in every cell of this slice", "did the training diverge?")
    values, axes = np.linalg.eigh(features.T @ features)
    first = np.argsort(values)[::-1][:_WIDTH]
    reduced = features @ axes[:, first]
    length = np.linalg.norm(reduced, axis=1, keepdims=True)
    vectors = np.zeros((*known.shape, len(first)), dtype=np.int8)
    vectors[known] = np.rint(127 * reduced / np.where(length > 0, length, 1)).astype(np.int8)
    return SliceFeatures(vectors, float(values[first].sum() / values.sum()))
