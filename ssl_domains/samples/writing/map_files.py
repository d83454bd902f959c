"""The contract of a domain that writes predicted masks: which files there are, and how one is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples.table import SampleTable

__all__ = ["Assembled", "AssemblySize", "MapAssembly", "MapFile", "MapFiles", "MapModel", "MapPlan"]


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
class MapModel:
    """What the writer of an assembly knows of the model.

    Attributes:
        name: Name of its run folder.
        classes: Names of the ``C`` classes, without the background.
        numbers: Class number of each of them. Number 0 is the background unless it is one of them.
    """

    name: str
    classes: tuple[str, ...]
    numbers: tuple[int, ...]

    @property
    def outputs(self) -> tuple[int, ...]:
        """Class number of each of the ``K`` outputs of the model: the background, if there is one, then the classes."""
        return self.numbers if 0 in self.numbers else (0, *self.numbers)


@dataclass(frozen=True)
class AssemblySize:
    """Space on the disk that an assembly needs, bytes.

    Attributes:
        files: Size of its files together.
        temporary: Largest size of its temporary files, which lie in the same folder.
    """

    files: int
    temporary: int


@dataclass(frozen=True)
class Assembled:
    """What an assembly wrote.

    Attributes:
        pixels: Number of pixels or voxels of each class in the file of class numbers, ``C`` values.
        notes: Sentences for the user, such as the share of the volume that has no prediction.
    """

    pixels: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MapAssembly(ABC):
    """Files that are put together from the probabilities of many samples, which come one at a time and may overlap.

    It serves volumes that are larger than memory, and files of probabilities. The first file holds class numbers.

    Attributes:
        name: Path of the file of class numbers below the folder of masks, as `MapFile.name`.
        rows: Positions in the table of its samples, in the order in which their maps are computed. Each sample is in
            one file or assembly.
    """

    name: str
    rows: tuple[int, ...]

    @abstractmethod
    def names(self, model: MapModel) -> tuple[str, ...]:
        """Paths of all files below the folder of masks; the first is `name`."""

    @abstractmethod
    def size(self, model: MapModel) -> AssemblySize:
        """The space that the files need. Called before anything is computed.

        Raises:
            UsageError: When the classes don't fit into the file.
        """

    @abstractmethod
    def assemble(
        self,
        folder: Path,
        maps: Iterable[tuple[int, NDArray[np.float32]]],
        model: MapModel,
        progress: Callable[[int, int], None] | None = None,
    ) -> Assembled:
        """Write all files.

        Args:
            folder: The folder of masks; the folders of all `names` exist.
            maps: Position in the table and probabilities float32 ``[K, H, W]`` of the outputs of the model (see
                `MapModel.outputs`), in the shape of the sample's mask. The samples come in the order of `rows`; those
                that can't be decoded are missing. There is at least one.
            model: The model.
            progress: May be called with the bytes written and those of all files, where writing takes long after the
                last map; the progress of the maps themselves is shown already.

        Raises:
            ReadError: With the cause, when the geometry of the source file can't be read.
        """


@dataclass(frozen=True)
class MapPlan:
    """The files that the masks of a table are written to.

    Attributes:
        files: The files; masks are computed in this order, so that only those of one file are in memory, and of an
            assembly those of one batch.
        notes: Sentences for the user, such as why some masks are pictures and no volumes.
    """

    files: tuple[MapFile | MapAssembly, ...]
    notes: tuple[str, ...] = ()


MapFiles = Callable[[SampleTable, Path | None], MapPlan]
"""Plans the files of a table. The second argument is the folder that was scanned; None for a table of samples."""
