"""Pictures of lines and pages, from a file or from bytes: their size from the header, and their pixels."""

from __future__ import annotations

import io
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError, require_expandable
from ssl_domains.samples.scanning.pictures import opened_picture

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["SUFFIXES", "PictureHeader", "decoded_picture", "header_of_bytes", "picture_header"]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jp2"})
"""Suffixes of pictures; what a file is, its first bytes say."""

_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "TIFF", "WEBP", "GIF", "JPEG2000")
_GREY = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_AS_THEY_ARE = frozenset({"L", "RGB", "I;16", "F"})
_BYTES = {"I": 4, "F": 4, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"
_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_HEAD = 1 << 12
_TAIL = 64  # bytes at the end of a whole PNG or JPEG file that hold its end mark
_LARGEST_DEFLATION = 1032  # deflate makes at most so many bytes of one
_BITS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # numbers of a pixel, by the colour type of a PNG


class PictureHeader(NamedTuple):
    """Size of a picture.

    Attributes:
        width: Pixels across.
        height: Pixels down.
    """

    width: int
    height: int


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
            return PictureHeader(*picture.size)
    except (OSError, ValueError, SyntaxError) as error:
        raise ReadError(_cause(error)) from error


def _ends_early(source: Path | Callable[[], bytes], end: bytes) -> bool:
    """Whether the end mark stands before bytes that some programs add behind a picture."""
    return end in (source.read_bytes() if isinstance(source, Path) else source())


def _png(head: bytes, size: int) -> PictureHeader | None:
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
    return PictureHeader(width, height)


def _jpeg(head: bytes) -> PictureHeader | None:
    """The size from the frame header; None where it lies further behind, or looks odd."""
    place = 2
    while place + 9 < len(head):
        if head[place] != 0xFF:
            return None
        marker = head[place + 1]
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


def decoded_picture(source: str | Path | bytes) -> NDArray[np.generic]:
    """Pixels ``[H, W, C]`` of 1 or 3 channels in their own type: uint8, uint16 or float32.

    Palettes become RGB. Transparent places become white, as paper.

    Args:
        source: A file, or the bytes of one.

    Raises:
        ReadError: When it can't be decoded.
    """
    try:
        with opened_picture(io.BytesIO(source) if isinstance(source, bytes) else source, _FORMATS) as picture:
            _require_size(picture)
            picture.load()
            pixels: NDArray[Any] = np.array(_plain(picture))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ReadError(_cause(error)) from error
    if pixels.dtype == np.int32:  # Pillow's type of 16 bits in some files
        pixels = np.clip(pixels, 0, 2**16 - 1).astype(np.uint16)
    return np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[:, :, None])


def _plain(picture: Picture) -> Picture:
    """Grey or RGB, without transparency."""
    from PIL import Image

    mode = picture.mode
    if "transparency" in picture.info or mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        shown = picture.convert("RGBA")
        paper = Image.new("RGBA", shown.size, "white")
        paper.alpha_composite(shown)
        return paper.convert("L" if mode in _GREY else "RGB")
    if mode in _AS_THEY_ARE or mode in ("I", "I;16B", "I;16L", "I;16N"):
        return picture
    return picture.convert("L" if mode in _GREY else "RGB")


def _require_size(picture: Picture) -> None:
    width, height = picture.size
    require_expandable(width * height * (1 if picture.mode in _GREY else 3) * _BYTES.get(picture.mode, 1))


def _cause(error: BaseException) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "not a picture, or its header is damaged"
    return f"can't be read: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
