"""Size, channels and type that a picture will have when it is decoded, from its header alone."""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path
from typing import Any

from PIL import Image

from ssl_domains.samples import ReadError, require_expandable
from ssl_domains_medical.tiff import TiffPage, tiff_pages

__all__ = ["is_tiff", "picture_pages"]

_PNG = b"\x89PNG\r\n\x1a\n"
_GREY, _GREY_ALPHA = 0, 4  # colour types of PNG
_BITS_OF_PNG = (1, 2, 4, 8, 16)
_MOST_SIDE = 1 << 20
_MOST_PIXELS = 1 << 30  # the largest picture that OpenCV decodes


def picture_pages(path: Path) -> list[dict[str, Any]]:
    """Rows, columns, channels and dtype of each page of a picture, as `decode_pages` gives it; JSON values.

    Raises:
        ReadError: When the header can't be read, the end of the file is missing, or it states what can't be decoded.
    """
    with path.open("rb") as file:
        head = file.read(29)
    if is_tiff(head):
        pages = [_of_tiff(page) for page in tiff_pages(path)]
    else:
        pages = [_of_png(path, head) if head.startswith(_PNG) else _of_other(path)]
    for page in pages:
        sides = page["rows"], page["columns"]
        if min(sides) < 1:
            raise ReadError(f"a picture of {sides[1]}×{sides[0]} pixels")
        if max(sides) > _MOST_SIDE or math.prod(sides) > _MOST_PIXELS:
            raise ReadError(f"a picture of {sides[1]:,}×{sides[0]:,} pixels is too large to be decoded")
    require_expandable(sum(_bytes(page) for page in pages))
    return pages


def is_tiff(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a TIFF file; only such files have pages."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _page(rows: int, columns: int, channels: int, dtype: str) -> dict[str, Any]:
    return {"rows": rows, "columns": columns, "channels": channels, "dtype": dtype}


def _bytes(page: dict[str, Any]) -> int:
    bits = int("".join(letter for letter in page["dtype"] if letter.isdigit()))
    return int(page["rows"] * page["columns"] * page["channels"] * bits // 8)


def _of_png(path: Path, head: bytes) -> dict[str, Any]:
    if len(head) < 29 or head[12:16] != b"IHDR":
        raise ReadError("a PNG file without its header")
    width, height, bits, colour = struct.unpack(">IIBB", head[16:26])
    if bits not in _BITS_OF_PNG:
        raise ReadError(f"a PNG file of {bits} bits")
    _require_end(path, b"IEND")
    # OpenCV makes three colours of grey with transparency.
    return _page(height, width, 1 if colour == _GREY else 3, "uint16" if bits == 16 else "uint8")


def _of_other(path: Path) -> dict[str, Any]:
    """JPEG and BMP, whose samples have 8 bits."""
    try:
        with Image.open(path) as image:
            mode, (width, height), kind = image.mode, image.size, image.format
    except (OSError, ValueError, SyntaxError) as error:
        raise ReadError("no picture, or its header is damaged") from error
    if kind in ("JPEG", "MPO"):
        _require_end(path, b"\xff\xd9")
    return _page(height, width, 1 if mode in ("1", "L") else 3, "uint8")


def _of_tiff(page: TiffPage) -> dict[str, Any]:
    """What OpenCV makes of a page; forms that it can't decode, or would decode to other numbers, are refused."""
    if page.photometric == 3:
        return _page(page.height, page.width, 3, "uint8")
    deep = page.bits > 8
    form = f"{page.samples} samples of {page.bits} bits"
    if page.samples > 4 or (page.samples == 2 and deep):
        raise ReadError(f"a TIFF page of {form} can't be decoded: save grey or RGB")
    if page.apart and deep:
        raise ReadError(f"a TIFF page of {form} in planes can't be decoded: save the samples of a pixel together")
    if page.photometric not in (0, 1, 3, 5) and page.samples < 3 and not deep:
        raise ReadError(f"a TIFF page of colours with {form} can't be decoded")
    if page.photometric == 5 and (deep or page.samples != 4):
        raise ReadError(f"a CMYK page of {form} can't be decoded: save RGB")
    kind = {1: "uint", 2: "int", 3: "float"}.get(page.format)
    if kind is None or (kind == "float" and page.bits not in (32, 64)):
        raise ReadError(f"a TIFF page of {form} in format {page.format} can't be decoded")
    size = next((size for size in (8, 16, 32, 64) if page.bits <= size), None)
    if size is None:
        raise ReadError(f"a TIFF page of {form} can't be decoded")
    coloured = page.samples >= 3 and (page.photometric not in (0, 1) or page.bits > 16)
    return _page(page.height, page.width, 3 if coloured else 1, f"{kind}{size}")


def _require_end(path: Path, mark: bytes) -> None:
    # Searched from the back: in a whole file the mark is in its last bytes, so that only those are read.
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.rfind(mark) < 0:
            raise ReadError("the file is cut short: its end is missing")
