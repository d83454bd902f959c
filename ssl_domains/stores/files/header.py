"""The file ``store.json`` of a store, and the names of the files that it refers to.

A store is changed by writing new files beside the old ones and then replacing ``store.json``, which names them by
number. So after a crash it is as before or as after. A process that has the old files open can go on with them.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from ssl_domains.errors import DataError
from ssl_domains.samples import write_whole

__all__ = ["FORMAT", "Header", "read_header"]

FORMAT = 2
_OLD_FORMATS = (1,)
_FILES = re.compile(r"(arrays|journal|index|files)-[0-9-]+\.(bin|jsonl|parquet)")


@dataclass(frozen=True)
class Header:
    """What ``store.json`` says.

    Attributes:
        folder: Folder of the store.
        reader: Reader and axes that the arrays are made by; another one makes them anew.
        axes: The reader's axes; as many as the arrays have sides.
        generation: Number in the name of the data file.
        index: Number of the index among those of this generation; 0 for none yet.
        end: Size in bytes of the part of the data file that the index describes.
        format: Format of the store.
    """

    folder: Path
    reader: str
    axes: str
    generation: int = 0
    index: int = 0
    end: int = 0
    format: int = FORMAT

    @property
    def current(self) -> bool:
        """Whether the store has the format of this version, and not an earlier one."""
        return self.format == FORMAT

    @property
    def rank(self) -> int:
        """Number of sides of the arrays."""
        return len(self.axes)

    @property
    def data_path(self) -> Path:
        """The data file: the copied arrays, one after the other."""
        return self.folder / f"arrays-{self.generation}.bin"

    @property
    def journal_path(self) -> Path:
        """The journal: what was filled since the index was written."""
        return self.folder / f"journal-{self.generation}-{self.index}.jsonl"

    @property
    def index_path(self) -> Path:
        """The index: one row for each array."""
        return self.folder / f"index-{self.generation}-{self.index}.parquet"

    @property
    def files_path(self) -> Path:
        """The source files that the rows of the index refer to."""
        return self.folder / f"files-{self.generation}-{self.index}.parquet"

    def write(self) -> None:
        """Make the files that this header names the current ones, and remove all others of the store."""
        values = {name: value for name, value in asdict(self).items() if name != "folder"}
        write_whole(self.folder / "store.json", lambda part: part.write_text(json.dumps(values)))
        kept = {self.data_path, self.journal_path, self.index_path, self.files_path}
        for path in self.folder.iterdir():
            if _FILES.fullmatch(path.name.removeprefix(".writing-")) and path not in kept:
                with contextlib.suppress(OSError):  # on some systems a file that a process reads can't be removed
                    path.unlink()


def read_header(folder: Path) -> Header | None:
    """The header of a store; None when there is no store.

    Raises:
        DataError: When it can't be read, or a later version wrote it.
    """
    try:
        values = json.loads((folder / "store.json").read_text())
        if values.get("format") in _OLD_FORMATS:
            return Header(folder, "", "", int(values["generation"]), format=values["format"])
        if values.get("format") == FORMAT:
            return _checked(Header(folder, **values))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(
            f"the array store {folder.name} can't be read", "remove its folder and fill it again"
        ) from error
    raise DataError(
        f"the array store {folder.name} has format {values.get('format')}, this version reads {FORMAT}",
        "remove its folder and fill it again",
    )


def _checked(header: Header) -> Header:
    """The header, whose numbers are whole and at least 0.

    Raises:
        ValueError: When a value is of another kind.
    """
    for name in ("generation", "index", "end"):
        value = getattr(header, name)
        if type(value) is not int or value < 0:
            raise ValueError(f"{name} is {value!r}")
    if not isinstance(header.reader, str) or not isinstance(header.axes, str) or not header.axes:
        raise ValueError("reader and axes are texts")
    return header
