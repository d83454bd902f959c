"""Contract 1, the reader: from source files to a sample table, and from a row to its array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples.lazy import LazyArray
from ssl_domains.samples.read_error import ReadError
from ssl_domains.samples.scanning.problems import Problems
from ssl_domains.samples.table import SampleTable

__all__ = [
    "FileReader",
    "MaskReader",
    "OpenReader",
    "Problems",
    "ReadError",
    "Reader",
    "ScanResult",
    "SizedReader",
    "TableReader",
]


@dataclass(frozen=True)
class ScanResult:
    """Result of a scan.

    Attributes:
        samples: The table, one row for each sample.
        problems: Columns ``path``, ``cause``: files and rows left out. May be empty.
        notes: Remarks of one line that need no action, such as that a multi-echo series was split.
        folds: Column of folds with which the data set was published; empty for none. Where nothing else splits the
            table, its last fold is held out.
    """

    samples: SampleTable
    problems: pl.DataFrame
    notes: tuple[str, ...] = ()
    folds: str = ""


@runtime_checkable
class Reader(Protocol):
    """Reads one domain's files. Stateless and picklable.

    A reader may also have four attributes that describe its arrays. An array of another form is refused:

    - ``axes``: ``"hwc"`` (the default: height, width, channels), ``"tc"``, ``"zyx"``, ``"zyxc"`` or ``"t"``.
    - ``channels``: number of channels of every array. Needed for pictures of many channels, which look like volumes.
    - ``missing``: true where floating point arrays may hold NaN for missing data.
    - ``mixed_channels``: true where arrays may differ in their number of channels, as the preprocess takes any number.

    A sample may be a part of an array: the optional column ``array`` names the array, and ``region`` the part, as start
    and stop along each axis; the channels may be left out, and then all are taken. Rows of equal ``array`` share one
    array, which is decoded once, from the first of them; null stands for an array of the row's own, whose name is the
    sample id. A reader always gives the whole array, and the part is cut out by the store.

    Attributes:
        version: Changes when the same file would decode to another array; part of a store's fingerprint.
    """

    version: str

    def scan(self, source: Path, **options: Any) -> ScanResult:
        """Index a folder or file from headers only, without decoding pixels."""
        ...

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """Decode one row of the table: ``[H, W, C]``, or the sides of ``axes``, in native type and unit.

        Raises:
            ReadError: With the cause, when the row can't be decoded.
        """
        ...


@runtime_checkable
class FileReader(Reader, Protocol):
    """A reader that can decode many rows of one file at once, so that a volume is opened once."""

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[NDArray[np.generic]]:
        """Decode the given rows of one file, in their order; each array as `load` returns it.

        A file of very many rows is best decoded by a generator: then only some of its arrays are in memory.
        """
        ...


@runtime_checkable
class OpenReader(Reader, Protocol):
    """A reader that can give an array to be read in place, so that nothing of it is copied into a store."""

    def open(self, row: Mapping[str, Any]) -> LazyArray | None:
        """The array of a row, not yet read: a `Region`, or a class of the reader's own. None to have it copied.

        It holds the same numbers as `load` gives. It keeps what it needs of the row: only the columns that were read
        in this call are handed over when a store opens the array again.

        Raises:
            ReadError: With the cause, when the row can't be decoded.
        """
        ...


@runtime_checkable
class SizedReader(Reader, Protocol):
    """A reader that knows the size of an array before it is decoded, so that a full disk is noticed in time."""

    def nbytes(self, row: Mapping[str, Any]) -> int:
        """Size in bytes of the array that `load` gives for a row; 0 for a row that `OpenReader.open` reads in place.

        It reads the columns of the row, at most the header of its file.
        """
        ...


@runtime_checkable
class TableReader(Reader, Protocol):
    """A reader that adds what the files say to the rows of a table, when a table with paths is the source of a scan.

    Without it the table is taken as it is. A reader with the attribute ``text_columns`` names columns of running text,
    such as transcripts, besides ``text``, ``transcript`` and ``transcription``: in a CSV file, 12.50 and NA stay text
    there.
    """

    def complete_table(self, read: ScanResult, **options: Any) -> ScanResult:
        """The table with the columns that a scan of its files gives; rows that can't be read become problems.

        Args:
            read: The table, with absolute paths; rows without a file are among its problems already.
            options: Options of the scan.
        """
        ...


@runtime_checkable
class MaskReader(Reader, Protocol):
    """A reader that also reads label masks (the class of each pixel), for a dense probe.

    The column ``mask_path`` names the file that holds a row's mask; null where there is none. A scan may record two
    options: ``mask_names``, as ``"1=anterior,2=posterior"``, and ``mask_columns``, the columns computed from
    masks, so that a rule that reads one of them is reported as using labels.
    """

    def load_mask(self, row: Mapping[str, Any]) -> NDArray[np.integer[Any]]:
        """The mask of one row: ``[H, W]``, with the crop and orientation of the array; 0 is background, 255 is ignored.

        Raises:
            ReadError: With the cause, when the row has no mask, or it can't be read.
        """
        ...

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[NDArray[np.integer[Any]]]:
        """The masks of rows whose ``mask_path`` is ``path``, in their order; the file is opened once.

        A generator keeps only some of many masks in memory, as in `FileReader.load_file`.
        """
        ...
