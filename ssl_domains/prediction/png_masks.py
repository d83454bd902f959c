"""Predicted masks of pictures as PNG files, for domains without a format of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.prediction.file_names import distinct_names, mirrored_names
from ssl_domains.samples import SampleTable
from ssl_domains.samples.writing.map_files import MapFile, MapPlan

__all__ = ["PngMask", "png_masks"]


@dataclass(frozen=True)
class PngMask(MapFile):
    """The mask of one sample as a grey picture of 8 bits whose values are class numbers.

    Grey and no palette: some programs read a palette as its colours, and the class numbers are lost.
    """

    def write(self, path: Path, maps: Mapping[int, NDArray[np.uint8]]) -> int:
        """Write the mask of the one row."""
        (row,) = self.rows
        Image.fromarray(np.ascontiguousarray(maps[row], dtype=np.uint8)).save(path, format="PNG")
        return 0


def png_masks(table: SampleTable, root: Path | None) -> MapPlan:
    """A PNG file for each sample, named and sorted into folders like the source files.

    The mask has the shape of the sample's array: of a part of a picture, it is the mask of that part.

    Args:
        table: The samples; without a column ``path`` the files are numbered.
        root: Folder that was scanned, from which names count; None takes the folder that all files share.
    """
    if "path" in table.columns and not table.frame["path"].null_count():
        names = mirrored_names(table.frame["path"].to_list(), root, ".png")
    else:
        names = distinct_names([f"{row:06d}" for row in range(len(table))], ".png")
    return MapPlan(tuple(PngMask(name, (row,)) for row, name in enumerate(names)))
