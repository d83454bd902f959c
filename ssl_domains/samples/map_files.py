"""The contract of a domain that writes predicted masks: which files there are, and how one is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples.table import SampleTable

__all__ = ["MapFile", "MapFiles", "MapPlan"]


@dataclass(frozen=True)
class MapFile(ABC):
    """One file of predicted masks. A domain has a class for each kind of file that it writes.

    Attributes:
        name: Path below the folder of masks with its suffix, folders divided by ``/``. It shows nothing that the
            domain doesn't allow in a file name: the name of a patient's file may be the patient's.
        rows: Positions in the table of the samples whose masks the file holds; each sample is in one file.
    """

    name: str
    rows: tuple[int, ...]

    @abstractmethod
    def write(self, path: Path, maps: Mapping[int, NDArray[np.uint8]]) -> int:
        """Write the file.

        Args:
            path: Where to write; its folder exists.
            maps: Position in the table → mask: class numbers uint8 ``[H, W]`` in the shape of the sample's array. At
                least one of `rows` is there; samples that can't be decoded are not.

        Returns:
            Number of places of the file, such as slices of a volume, that have no prediction and hold 255.

        Raises:
            ReadError: With the cause, when the geometry of the source file can't be read.
        """


@dataclass(frozen=True)
class MapPlan:
    """The files that the masks of a table are written to.

    Attributes:
        files: The files; masks are computed in this order, so that only those of one file are in memory.
        notes: Sentences for the user, such as why some masks are pictures and no volumes.
    """

    files: tuple[MapFile, ...]
    notes: tuple[str, ...] = ()


MapFiles = Callable[[SampleTable, Path | None], MapPlan]
"""Plans the files of a table. The second argument is the folder that was scanned; None for a table of samples."""
