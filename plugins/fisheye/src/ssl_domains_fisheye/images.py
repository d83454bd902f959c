"""Pictures: their size from the header, whether they are whole, and their pixels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains.samples.scanning.expansion import require_expandable
from ssl_domains.samples.scanning.orientation import (
    loaded_orientation,
    orientation_of,
    stored_size,
    turned,
    turned_back,
    turned_size,
)
from ssl_domains.samples.scanning.pictures import opened_picture, require_end_mark

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["SUFFIXES", "Header", "decode", "read_header"]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})

# How a mode of PIL becomes channels; what isn't here has channels of its own already.
_CONVERT = {"1": "L", "LA": "L", "La": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB", "RGBa": "RGB", "RGBX": "RGB",
            "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB"}  # fmt: skip
_BYTES = {"I": 4, "F": 4, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
# The format of a PNG's pixels (deflate) makes at most 1,032 bytes of one.
_LARGEST_DEFLATION = 1032
# A file may have another format than its ending says; those that start other programs are not among them.
_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "TIFF", "WEBP", "GIF")


@dataclass(frozen=True)
class Header:
    """What a picture's header says.

    Attributes:
        width: Pixels across, as they are stored.
        height: Pixels down, likewise.
        channels: Channels that `decode` gives.
        orientation: The orientation tag of the file, 1 to 8; 1 when there is none.
    """

    width: int
    height: int
    channels: int
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the stored pixels."""
        return self.width, self.height

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height of the picture as viewers show it, turned by its orientation tag."""
        return turned_size(self.size, self.orientation)


def read_header(path: Path) -> Header:
    """The header; no pixel is decoded.

    Raises:
        ReadError: When it is no picture, when its end is missing, when it states more pixels than its bytes can hold,
            or when it would expand beyond the limit.
    """
    try:
        with _opened(path) as picture:
            mode = _CONVERT.get(picture.mode, picture.mode)
            size, orientation = stored_size(picture), orientation_of(picture)
            kind, start = picture.format, picture.fp.tell() if picture.fp else 0
            extent = _extent(picture)
    except (OSError, ValueError, SyntaxError) as error:
        raise ReadError(_cause(error)) from error
    if kind in ("PNG", "JPEG", "MPO"):
        require_end_mark(path, b"IEND" if kind == "PNG" else b"\xff\xd9", max(0, start - 2))
    _require_bytes(path, extent)
    return Header(size[0], size[1], 3 if mode == "RGB" else 1, orientation)


@contextmanager
def _opened(path: str | Path) -> Iterator[Picture]:
    """A picture of which only the header is read, and whose stated size is within the limit on expansion."""
    with opened_picture(path, _FORMATS) as picture:
        width, height = picture.size
        channels = 3 if _CONVERT.get(picture.mode, picture.mode) == "RGB" else 1
        require_expandable(width * height * channels * _BYTES.get(picture.mode, 1))
        if picture.format == "PNG":
            # A grey or palette PNG may have one bit a pixel, and Pillow names the same mode for all.
            bits = 1 if picture.mode in ("1", "L", "P") else 8 * channels * _BYTES.get(picture.mode, 1)
            _require_deflatable(path, width * height * bits // 8)
        yield picture


def _require_deflatable(path: str | Path, nbytes: int) -> None:
    if nbytes > _LARGEST_DEFLATION * Path(path).stat().st_size:
        raise ReadError(f"it states {nbytes:,} bytes of pixels, more than so small a file can hold")


def _extent(picture: Picture) -> int:
    """Bytes that the file must have, as its header states them; 0 where the header states none."""
    if picture.format == "TIFF":
        tags = picture.tag_v2
        for offsets, counts in ((273, 279), (324, 325)):
            if offsets in tags and counts in tags:
                return max((int(a) + int(b) for a, b in zip(_tuple(tags[offsets]), _tuple(tags[counts]), strict=False)))
    if picture.format == "WEBP" and picture.fp:
        picture.fp.seek(4)
        return 8 + int.from_bytes(picture.fp.read(4), "little")
    return 0


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _require_bytes(path: Path, extent: int) -> None:
    size = path.stat().st_size
    if extent > size:
        raise ReadError(f"the file is truncated: it has {size:,} of the {extent:,} bytes that its header states")


def decode(path: str | Path, orientation: int = 1) -> NDArray[np.generic]:
    """Pixels ``[H, W, C]`` in their own type, grey or RGB; palettes become RGB and transparency is dropped.

    Args:
        path: The picture.
        orientation: Orientation tag to apply, 1 to 8; 1 gives the pixels as they are stored.

    Raises:
        ReadError: When the file can't be decoded.
    """
    try:
        with _opened(path) as picture:
            tag = orientation_of(picture)
            mode = _CONVERT.get(picture.mode)
            picture.load()
            applied = loaded_orientation(picture, tag)
            pixels: NDArray[Any] = np.array(picture.convert(mode) if mode else picture)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ReadError(_cause(error)) from error
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    return pixels if applied == orientation else turned(turned_back(pixels, applied), orientation)


def _cause(error: BaseException) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "not a picture, or its header is damaged"
    return f"can't be read: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
