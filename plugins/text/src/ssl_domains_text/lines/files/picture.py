"""Pictures of lines and pages, from a file or from bytes: their size from the header, and their pixels.

Both are as viewers show them, turned by the orientation tag (EXIF) that cameras and scanners write.
"""

from __future__ import annotations

import io
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError, require_expandable
from ssl_domains.samples.scanning.orientation import (
    loaded_orientation,
    orientation_of,
    stored_size,
    turned,
    turned_back,
    turned_size,
)
from ssl_domains.samples.scanning.pictures import opened_picture
from ssl_domains_text.lines.files.pixels import GREY, plain_pixels

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["SUFFIXES", "PictureHeader", "decoded_picture", "header_of_bytes", "picture_header"]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jp2"})
"""Suffixes of pictures; what a file is, its first bytes say."""

_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "TIFF", "WEBP", "GIF", "JPEG2000")
_BYTES = {"I": 4, "F": 4, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"
_JPEG_TAGS = 0xE1  # EXIF or XMP
_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_OF_PAGES = frozenset({"TIFF", "GIF", "WEBP"})
_HEAD = 1 << 12
_TAIL = 64  # bytes at the end of a whole PNG or JPEG file that hold its end mark
_LARGEST_DEFLATION = 1032  # deflate makes at most so many bytes of one
_BITS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # numbers of a pixel, by the colour type of a PNG


class PictureHeader(NamedTuple):
    """Size of a picture as viewers show it.

    Attributes:
        width: Pixels across.
        height: Pixels down.
        orientation: Its orientation tag, 1 to 8; 1 where it has none.
        pages: Number of pictures in the file, of which the first is read.
    """

    width: int
    height: int
    orientation: int = 1
    pages: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as viewers show it."""
        return self.width, self.height

    @property
    def stored(self) -> tuple[int, int]:
        """Width and height of the pixels as they are stored, before they are turned."""
        return turned_size(self.size, self.orientation)


def picture_header(path: str | Path) -> PictureHeader:
    """The size of a picture file; no pixel is decoded.

    Raises:
        ReadError: When it is no picture, is cut short, or would expand beyond the limit.
        OSError: When it can't be opened.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(0, size - _TAIL))
        return _header(head, file.read(_TAIL), size, path)


def header_of_bytes(data: bytes | mmap.mmap, start: int = 0, size: int | None = None) -> PictureHeader:
    """The size of a picture in memory, or within a mapped file; as `picture_header`.

    Args:
        data: The bytes.
        start: First byte of the picture.
        size: Number of its bytes; None for all.
    """
    stop = len(data) if size is None else start + size
    head = data[start : min(stop, start + _HEAD)]
    return _header(head, data[max(start, stop - _TAIL) : stop], stop - start, lambda: data[start:stop])


def _header(head: bytes, tail: bytes, size: int, source: Path | Callable[[], bytes]) -> PictureHeader:
    """PNG and JPEG, which most pictures are, are read here, many times as fast as by Pillow."""
    if not size:
        raise ReadError("the picture is empty: 0 bytes")
    found = _png(head, size) if head.startswith(_PNG) else _jpeg(head) if head.startswith(b"\xff\xd8") else None
    end = _PNG_END if head.startswith(_PNG) else b"\xff\xd9" if head.startswith(b"\xff\xd8") else b""
    if end and end not in tail and not _ends_early(source, end):
        raise ReadError("the picture is truncated: its end mark is missing")
    if found is not None:
        return found
    try:
        with opened_picture(source if isinstance(source, Path) else io.BytesIO(source()), _FORMATS) as picture:
            _require_size(picture)
            tag = orientation_of(picture)
            return PictureHeader(*turned_size(stored_size(picture), tag), tag, _pages(picture))
    except (OSError, ValueError, SyntaxError) as error:
        raise ReadError(_cause(error)) from error


def _ends_early(source: Path | Callable[[], bytes], end: bytes) -> bool:
    """Whether the end mark stands before bytes that some programs add behind a picture."""
    return end in (source.read_bytes() if isinstance(source, Path) else source())


def _pages(picture: Picture) -> int:
    if picture.format not in _OF_PAGES:
        return 1
    try:
        return int(getattr(picture, "n_frames", 1))
    except Exception:  # what follows is damaged, and the first page may be whole
        return 1


def _png(head: bytes, size: int) -> PictureHeader | None:
    """The size from the first chunk; None where the file may have an orientation tag."""
    if head[12:16] != b"IHDR" or len(head) < 29:
        raise ReadError("the picture is damaged: a PNG file without a header")
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    bits, colour = head[24], head[25]
    if not width or not height or colour not in _BITS or bits not in (1, 2, 4, 8, 16):
        raise ReadError("the picture is damaged: its PNG header has impossible values")
    stated = width * height * bits * _BITS[colour] // 8
    require_expandable(width * height * max(bits // 8, 1) * max(_BITS[colour], 3 if colour == 3 else 1))
    if stated > _LARGEST_DEFLATION * size:
        raise ReadError(f"it states {stated:,} bytes of pixels, more than so small a picture can hold")
    place = 8
    while place + 8 <= len(head):
        kind = head[place + 4 : place + 8]
        if kind in (b"IDAT", b"eXIf"):
            return PictureHeader(width, height) if kind == b"IDAT" else None
        place += 12 + int.from_bytes(head[place : place + 4], "big")
    return None


def _jpeg(head: bytes) -> PictureHeader | None:
    """The size from the frame header; None where it lies further behind, looks odd, or may have an orientation tag."""
    place = 2
    while place + 9 < len(head):
        if head[place] != 0xFF:
            return None
        marker = head[place + 1]
        if marker == _JPEG_TAGS:
            return None
        if marker in _JPEG_SIZES:
            height, width = int.from_bytes(head[place + 5 : place + 7]), int.from_bytes(head[place + 7 : place + 9])
            if not width or not height:
                return None
            require_expandable(3 * width * height)
            return PictureHeader(width, height)
        if marker == 0xFF:
            place += 1
        else:
            place += 2 + int.from_bytes(head[place + 2 : place + 4])
    return None


def decoded_picture(source: str | Path | bytes, orientation: int | None = None) -> NDArray[np.generic]:
    """Pixels ``[H, W, C]`` of 1 or 3 channels: uint8, uint16, or float32 in [0, 1].

    Palettes become RGB. Transparent places become white, as paper. Whole numbers of 32 bits become 8 or 16 bits.

    Args:
        source: A file, or the bytes of one.
        orientation: Orientation to apply, 1 to 8; 1 gives the pixels as they are stored, None takes the picture's tag.

    Raises:
        ReadError: When it can't be decoded, or has numbers beyond these types.
    """
    try:
        with opened_picture(io.BytesIO(source) if isinstance(source, bytes) else source, _FORMATS) as picture:
            _require_size(picture)
            tag = orientation_of(picture)
            pixels = plain_pixels(picture)
            loaded = loaded_orientation(picture, tag)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ReadError(_cause(error)) from error
    wanted = tag if orientation is None else orientation
    if loaded != wanted:
        pixels = turned(turned_back(pixels, loaded), wanted)
    return np.ascontiguousarray(pixels)


def _require_size(picture: Picture) -> None:
    width, height = picture.size
    require_expandable(width * height * (1 if picture.mode in GREY else 3) * _BYTES.get(picture.mode, 1))


def _cause(error: BaseException) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "not a picture, or its header is damaged"
    return f"can't be read: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
