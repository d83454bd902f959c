"""Pictures: their size from the header, whether they end, and their pixels."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError

__all__ = ["SUFFIXES", "Header", "decode", "read_header"]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})

# How a mode of PIL becomes channels; what isn't here has channels of its own already.
_CONVERT = {"1": "L", "LA": "L", "La": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB", "RGBa": "RGB", "RGBX": "RGB",
            "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB"}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What a picture's header says: width and height in pixels, and the channels `decode` will give."""

    width: int
    height: int
    channels: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


def read_header(path: Path) -> Header:
    """The header; no pixel is decoded, an orientation tag is not applied.

    Raises:
        ReadError: When it is no picture, or a PNG or JPEG whose end is missing.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            mode = _CONVERT.get(picture.mode, picture.mode)
            size, kind, start = picture.size, picture.format, picture.fp.tell() if picture.fp else 0
    except (OSError, ValueError, SyntaxError) as error:
        raise ReadError(_cause(error)) from error
    if kind in ("PNG", "JPEG"):
        _require_end(path, b"IEND" if kind == "PNG" else b"\xff\xd9", start)
    return Header(size[0], size[1], 3 if mode == "RGB" else 1)


def _require_end(path: Path, mark: bytes, start: int) -> None:
    # Searched from the back: in a whole file the mark is in its last bytes, so that only those are read.
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.rfind(mark, max(0, start - 2)) < 0:
            raise ReadError("the file is truncated: its end mark is missing")


def decode(path: str | Path) -> NDArray[np.generic]:
    """Pixels ``[H, W, C]`` in their own type, grey or RGB; palettes become RGB and transparency is dropped.

    Raises:
        ReadError: When the file can't be decoded.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            mode = _CONVERT.get(picture.mode)
            pixels: NDArray[Any] = np.array(picture.convert(mode) if mode else picture)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ReadError(_cause(error)) from error
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _cause(error: BaseException) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "not a picture, or its header is damaged"
    return f"can't be read: {error}"
