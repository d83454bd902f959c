"""Labels of a whole survey in one ``.npy`` file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.labels.class_numbers import class_numbers, stored_array
from ssl_domains_seismic.labels.grid import LabelGrid, PlacedLabels

__all__ = ["mapped_label_volume", "read_label_volume"]

_AXES = ("inlines", "crosslines", "samples")


def mapped_label_volume(path: Path, grid: LabelGrid) -> NDArray[np.generic]:
    """The numbers of a ``.npy`` file of the axes inline, crossline and sample, mapped: nothing of it is read yet.

    Raises:
        ReadError: As `read_label_volume`, but for values that are no class numbers.
    """
    volume = stored_array(path)
    if volume.ndim != 3:
        raise ReadError(f"a volume of labels has 3 axes, this array has {volume.ndim}")
    for have, want, word in zip(volume.shape, grid.shape, _AXES, strict=True):
        if have != want:
            raise ReadError(f"it has {have} {word}, the survey has {want}")
    return volume


def read_label_volume(path: Path, grid: LabelGrid) -> PlacedLabels:
    """The labels of a ``.npy`` file of the axes inline, crossline and sample, the lowest line numbers first.

    Args:
        path: The file.
        grid: The survey.

    Raises:
        ReadError: When it can't be read, or its size is not that of the survey; with both sizes.
    """
    places = [np.arange(size) for size in grid.shape]
    return PlacedLabels(class_numbers(mapped_label_volume(path, grid)), *places)
