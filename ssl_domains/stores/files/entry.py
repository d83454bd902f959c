"""The entry of one array in a store: where the array lies, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from ssl_domains.samples import LazyArray, Region
from ssl_domains.stores.files.source_paths import SourcePaths
from ssl_domains.stores.fingerprint import file_stat

__all__ = ["Entry", "Line", "Place"]


class Place(IntEnum):
    """Where an array lies."""

    COPIED = 0
    """In the data file of the store."""
    REGION = 1
    """In the source file, as the plain numbers of a `Region`."""
    READER = 2
    """In the source file, to be opened by the reader."""
    NONE = 3
    """Nowhere: it could not be decoded."""


class Entry(NamedTuple):
    """The entry of one array.

    Attributes:
        array: Id of the array; that of the sample for a sample with an array of its own.
        digest: From `row_digests`, of the row that was decoded.
        place: Where the array lies.
        offset: First byte of the array in the data file or in the region's file.
        dtype: NumPy's short name of the dtype with byte order, such as ``<f4``.
        shape: Lengths of the sides, in the order of the reader's axes.
        strides: Distances in bytes along the sides of a region; empty for C order.
        path: File of a region.
        size: Size of that file in bytes when its header was read; −1 if it is not known.
        modified: Its time of modification in ns, if it is another file than the one that the row names; else −1.
        cause: The cause why there is no array; empty when there is one.
    """

    array: str
    digest: int
    place: Place
    offset: int = -1
    dtype: str = ""
    shape: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    path: str = ""
    size: int = -1
    modified: int = -1
    cause: str = ""

    @classmethod
    def opened(cls, array: str, digest: int, lazy: LazyArray, path: str) -> Entry:
        """The entry of an array that is read in place; ``path`` is the file that the row names."""
        dtype, shape = np.dtype(lazy.dtype).str, tuple(int(side) for side in lazy.shape)
        if not isinstance(lazy, Region):
            return cls(array, digest, Place.READER, dtype=dtype, shape=shape)
        size = -1 if lazy.size is None else lazy.size
        # The row's file is compared as a whole; the voxels of a NIfTI header lie in another file.
        stat = None if lazy.path == path else file_stat(lazy.path)
        modified = -1 if stat is None else stat[1]
        return cls(
            array, digest, Place.REGION, lazy.offset, dtype, shape, lazy.strides or (), lazy.path, size, modified
        )

    def to_json(self, places: SourcePaths) -> list[Any]:
        """The entry as a list of JSON values, with paths as they are written in the store."""
        if self.place == Place.NONE:
            return [self.array, self.digest, self.cause]
        if self.place == Place.COPIED:
            return [self.array, self.digest, self.offset, self.dtype, *self.shape]
        place: dict[str, Any] = {"dtype": self.dtype, "shape": self.shape}
        if self.place == Place.REGION:
            place |= {
                "offset": self.offset,
                "strides": self.strides,
                "path": places.written(self.path),
                "size": self.size,
            }
            place |= {"modified": self.modified}
        return [self.array, self.digest, place]

    @classmethod
    def from_json(cls, values: Sequence[Any], places: SourcePaths) -> Entry:
        """The reverse of `to_json`."""
        array, digest, place, *rest = values
        if isinstance(place, str):
            return cls(array, digest, Place.NONE, cause=place)
        if isinstance(place, dict):
            form: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value for name, value in place.items()
            }
            if "path" not in form:
                return cls(array, digest, Place.READER, **form)
            form["path"] = places.read(form["path"])
            return cls(array, digest, Place.REGION, **form)
        dtype, *shape = rest
        return cls(array, digest, Place.COPIED, place, dtype, tuple(shape))


class Line(NamedTuple):
    """A line of the journal: the arrays of one file that were decoded together.

    Attributes:
        path: Path of the file, as in the table.
        stat: Result of `file_stat`.
        columns: Columns that decoding read, besides sample and path.
        entries: One entry for each array.
        start: First byte of this line's data in the data file.
        end: First byte behind it.
        checksum: CRC-32 of the data.
    """

    path: str
    stat: list[int] | None
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    start: int
    end: int
    checksum: int

    def to_json(self, places: SourcePaths) -> dict[str, Any]:
        """The line as JSON values, with paths as they are written in the store."""
        return {
            "path": places.written(self.path), "stat": self.stat, "columns": self.columns,
            "start": self.start, "end": self.end, "crc": self.checksum,
            "rows": [entry.to_json(places) for entry in self.entries],
        }  # fmt: skip

    @classmethod
    def from_json(cls, values: dict[str, Any], places: SourcePaths) -> Line:
        """The reverse of `to_json`."""
        entries = tuple(Entry.from_json(row, places) for row in values["rows"])
        columns = tuple(values["columns"])
        return cls(
            places.read(values["path"]), values["stat"], columns, entries, values["start"], values["end"], values["crc"]
        )
