"""Pictures of single handwritten characters, in folders or zip files that are laid out as those of Omniglot."""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.quantities import plural
from ssl_domains.samples import Unreadable, read_guarded
from ssl_domains_text.lines.files.picture import decoded_picture
from ssl_domains_text.lines.inputs.ink import grey_of

__all__ = ["Glyph", "GlyphSet", "read_glyphs"]

_NAME = re.compile(r".*_(\d+)\.png", re.IGNORECASE)
_LARGEST = 1 << 20  # bytes of a picture of one character
_LAYOUT = "name them ALPHABET/CHARACTER/NUMBER_DRAWER.png, as Omniglot does"


@dataclass(frozen=True)
class Glyph:
    """A picture of a character.

    Attributes:
        alphabet: Name of the folder of its alphabet.
        character: Name of the folder of its character.
        drawer: Number of the one who drew it. In each alphabet the numbers stand for other people.
        ink: Float32 ``[h, w]`` in [0, 1], 1 is full ink.
    """

    alphabet: str
    character: str
    drawer: int
    ink: NDArray[np.float32]


@dataclass(frozen=True)
class GlyphSet:
    """Glyphs of different content.

    Attributes:
        glyphs: Sorted by alphabet, character and drawer.
        notes: What was left out, one line each.
    """

    glyphs: tuple[Glyph, ...]
    notes: tuple[str, ...]

    @property
    def characters(self) -> dict[tuple[str, str], str]:
        """(alphabet, character) → the letter that stands for it in transcripts, from U+4E00 on, in sorted order.

        Most scripts of Omniglot have no order that its folders follow, so a letter is only a number. These are
        printable in every terminal, have no case, and stay themselves under Unicode's normalisation.
        """
        names = sorted({(glyph.alphabet, glyph.character) for glyph in self.glyphs})
        return {name: chr(_FIRST_LETTER + number) for number, name in enumerate(names)}


_FIRST_LETTER = 0x4E00


def read_glyphs(sources: Sequence[Path]) -> GlyphSet:
    """Read pictures of characters; of files with equal bytes the first one is kept.

    Args:
        sources: Folders or zip files. The last three parts of each path are alphabet, character and a file name that
            ends with ``_DRAWER.png``, such as ``Greek/character05/0398_17.png``.

    Raises:
        DataError: When a source is missing or no zip file, has no such picture, a picture can't be read, or one drawer
            has two different pictures of a character.
    """
    seen: set[bytes] = set()
    found: dict[tuple[str, str, int], Glyph] = {}
    copies = passed = added = 0
    for source in sources:
        before = len(seen) + copies
        for name, data in _files(source):
            path = PurePosixPath(name)
            if _added_by_macos(path):
                added += 1
                continue
            match = _NAME.fullmatch(path.name)
            if match is None or len(path.parts) < 3:
                passed += 1
                continue
            digest = hashlib.sha256(data).digest()
            if digest in seen:
                copies += 1
                continue
            seen.add(digest)
            glyph = Glyph(path.parts[-3], path.parts[-2], int(match[1]), _ink(data, f"{source.name}: {name}"))
            place = glyph.alphabet, glyph.character, glyph.drawer
            if place in found:
                what = f"{glyph.alphabet}/{glyph.character} has two different pictures by drawer {glyph.drawer}"
                raise DataError(what, "give each picture once")
            found[place] = glyph
        if len(seen) + copies == before:
            raise DataError(f"{source.name!r} has no picture of a character", _LAYOUT)
    notes = []
    if copies:
        notes.append(f"left out: {plural(copies, 'file')} with the bytes of another one")
    if passed:
        notes.append(f"passed over: {plural(passed, 'file')} of another name")
    if added:
        notes.append(f"passed over: {plural(added, 'file')} that macOS added (__MACOSX, ._)")
    return GlyphSet(tuple(found[place] for place in sorted(found)), tuple(notes))


def _added_by_macos(path: PurePosixPath) -> bool:
    """Whether a file holds no picture, but what macOS keeps about one: ``__MACOSX/set/._0001_01.png``."""
    return "__MACOSX" in path.parts or path.name.startswith("._")


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """(path within the source, bytes) of each PNG file, in sorted order."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() == ".png" and path.is_file():
                yield PurePosixPath(source.name, *path.relative_to(source).parts).as_posix(), _read(path)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            for entry in sorted(archive.infolist(), key=lambda one: one.filename):
                if entry.filename.lower().endswith(".png"):
                    if entry.file_size > _LARGEST and not _added_by_macos(PurePosixPath(entry.filename)):
                        raise DataError(f"{source.name}: {entry.filename} is too large for one character", _LAYOUT)
                    yield entry.filename, archive.read(entry)
    except OSError as error:
        raise DataError(f"cannot read {str(source)!r}: {error.strerror or error}", "give a folder or zip") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise DataError(f"cannot read {str(source)!r}: {error}", "give a folder or a zip file") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error.strerror}", "copy it again") from None


def _ink(data: bytes, name: str) -> NDArray[np.float32]:
    """The ink of a picture: dark on light paper; transparent places are paper."""
    pixels = read_guarded(lambda: decoded_picture(data), Path(name))
    if isinstance(pixels, Unreadable):
        cause = pixels.cause.removeprefix("can't be read: ")
        raise DataError(f"{name}: the picture can't be read: {cause}", "copy it again")
    ink = 1 - grey_of(pixels)
    if not (ink > 0.5).any():
        raise DataError(f"{name}: the picture shows no dark ink", "characters are dark on light paper")
    return np.asarray(ink, dtype=np.float32)
