"""The pictures of a source, found by the names that tables and XML files write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ssl_domains.samples import Problems, each_file
from ssl_domains_text.lines.files.picture import SUFFIXES, PictureHeader, picture_header

__all__ = ["Pictures", "headers_of"]

_LONGEST = 4096


@dataclass(frozen=True)
class Pictures:
    """Pictures by name.

    Attributes:
        files: The pictures, in the order of the walk.
    """

    files: Sequence[Path]
    _paths: dict[str, Path] = field(init=False, repr=False, default_factory=dict)
    _bases: dict[str, list[Path]] = field(init=False, repr=False, default_factory=dict)
    _stems: dict[str, list[Path]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.files:
            self._paths[str(path)] = path
            self._bases.setdefault(path.name, []).append(path)
            self._stems.setdefault(path.stem, []).append(path)

    @classmethod
    def among(cls, files: Iterable[Path]) -> Pictures:
        """Those files whose suffix is that of a picture."""
        return cls([path for path in files if path.suffix.lower() in SUFFIXES])

    def named(self, written: str, folder: Path) -> Path | str:
        """The picture that a file means; or why there is none, in words.

        Args:
            written: Path or name of the picture as it is written, maybe from another machine.
            folder: Folder of the file that names it.

        A path that counts from the folder comes first. Else the longest end of the path that names one picture alone
        counts; a bare name is taken only when no other folder has a picture of that name. A name that doesn't end in
        the suffix of a picture, such as an id, may also lack it: ``0001`` means ``0001.png``.
        """
        if not written or len(written) > _LONGEST:
            return "no picture is named"
        name = PurePosixPath(written.replace("\\", "/"))
        direct = self._paths.get(os.path.normpath(folder / name))
        if direct is not None:
            return direct
        same, parts = self._bases.get(name.name, []), name.parts
        if not same and name.suffix.lower() not in SUFFIXES:
            same = self._stems.get(name.name, [])
            place = Path(os.path.normpath(folder / name)).parent
            here = [path for path in same if path.parent == place]
            if len(here) == 1:
                return here[0]
        for length in range(len(parts), 1, -1):
            ends = [path for path in same if path.parts[-length:-1] == parts[-length:-1]]
            if len(ends) == 1:
                return ends[0]
        if len(same) > 1:
            return f"its picture {name.name} lies in {len(same)} folders"
        return same[0] if same else f"its picture {name.name} is not here"

    def of_stem(self, stem: str, folder: Path) -> Path | None:
        """The picture of a page by the stem of its XML file: in its folder, the one above, or the only one anywhere."""
        found = self._stems.get(stem, [])
        for place in (folder, folder.parent):
            here = [path for path in found if path.parent == place]
            if len(here) == 1:
                return here[0]
        return found[0] if len(found) == 1 else None


def headers_of(files: Sequence[Path], problems: Problems) -> Iterator[tuple[Path, PictureHeader]]:
    """Each picture that can be used, with its size; the others become problems."""
    for path, value in each_file(files, lambda path: list(picture_header(path)), problems, "pictures"):
        yield path, PictureHeader(*value)
