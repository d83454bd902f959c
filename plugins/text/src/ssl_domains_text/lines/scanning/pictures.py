"""The pictures of a source, found by the names that tables and XML files write."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, each_file
from ssl_domains_text.lines.files.picture import SUFFIXES, PictureHeader, picture_header

__all__ = ["Pictures", "further_pages", "headers_of", "turned_note"]

_LONGEST = 4096


@dataclass(frozen=True)
class Pictures:
    """Pictures by name.

    A name counts as it is written, else in composed letters (macOS writes ``ä`` as two characters), else without
    regard to capitals, each where it names one picture alone.

    Attributes:
        files: The pictures, in the order of the walk.
    """

    files: Sequence[Path]
    _paths: dict[str, list[Path]] = field(init=False, repr=False, default_factory=dict)
    _bases: dict[str, list[Path]] = field(init=False, repr=False, default_factory=dict)
    _stems: dict[str, list[Path]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.files:
            self._paths.setdefault(_folded(str(path)), []).append(path)
            self._bases.setdefault(_folded(path.name), []).append(path)
            self._stems.setdefault(_folded(path.stem), []).append(path)

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
        place = os.path.normpath(folder / name)
        direct = _nearest(self._paths.get(_folded(place), []), place, str)
        if len(direct) == 1:
            return direct[0]
        same, last = self._bases.get(_folded(name.name), []), _name
        if not same and name.suffix.lower() not in SUFFIXES:
            same, last = self._stems.get(_folded(name.name), []), _stem
            here = _nearest([path for path in same if path.parent == Path(place).parent], name.name, last)
            if len(here) == 1:
                return here[0]
        shared = [1 + _shared(path.parts[:-1], name.parts[:-1]) for path in same]
        longest = max(shared, default=0)
        same = [path for path, length in zip(same, shared, strict=True) if length == longest]
        same = _nearest(
            same, "/".join(name.parts[-longest:]), lambda path: "/".join([*path.parts[-longest:-1], last(path)])
        )
        if len(same) > 1:
            return f"its picture {name.name} lies in {len(same)} folders"
        return same[0] if same else f"its picture {name.name} is not here"

    def of_stem(self, stem: str, folder: Path) -> Path | None:
        """The picture of a page by the stem of its XML file: in its folder, the one above, or the only one anywhere."""
        found = self._stems.get(_folded(stem), [])
        for place in (folder, folder.parent):
            here = _nearest([path for path in found if path.parent == place], stem, _stem)
            if len(here) == 1:
                return here[0]
        found = _nearest(found, stem, _stem)
        return found[0] if len(found) == 1 else None


def _name(path: Path) -> str:
    return path.name


def _stem(path: Path) -> str:
    return path.stem


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    """A name in composed letters and without capitals."""
    return name.lower() if name.isascii() else _composed(_composed(name).casefold())


def _shared(path: Sequence[str], written: Sequence[str]) -> int:
    """Number of parts at the ends of two paths that are equal but for capitals and the form of letters."""
    length = 0
    for one, other in zip(reversed(path), reversed(written), strict=False):
        if one != other and _folded(one) != _folded(other):
            break
        length += 1
    return length


def _nearest(paths: list[Path], written: str, part: Callable[[Path], str]) -> list[Path]:
    """Those of some paths whose part is exactly as it is written, else as composed letters, else all.

    Args:
        paths: Paths whose parts are equal to what is written but for capitals and the form of letters.
        written: Name or end of a path.
        part: Gives what is compared to it.
    """
    if len(paths) > 1:
        for form in (str, _composed):
            equal = [path for path in paths if form(part(path)) == form(written)]
            if equal:
                return equal
    return paths


def headers_of(files: Sequence[Path], problems: Problems) -> Iterator[tuple[Path, PictureHeader]]:
    """Each picture that can be used, with its header; the others become problems, and so do further pages of a file."""
    for path, value in each_file(files, lambda path: list(picture_header(path)), problems, "pictures"):
        header = PictureHeader(*value)
        if header.pages > 1:
            problems.add(path, further_pages(header.pages))
        yield path, header


def further_pages(pages: int) -> str:
    """What becomes of the pages of a file with several, such as a TIFF of a whole book."""
    return f"{plural(pages - 1, 'further page')} in the file: only the first is read"


def turned_note(orientations: Iterable[int]) -> list[str]:
    """A remark on how many pictures are turned, from their orientation tags; none where no picture has one."""
    count = sum(orientation != 1 for orientation in orientations)
    if not count:
        return []
    return [f"{plural(count, 'picture has', 'pictures have')} an orientation tag (EXIF): turned as viewers show them"]
