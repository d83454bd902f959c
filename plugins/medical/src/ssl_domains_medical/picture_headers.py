"""Size, channels and type that a picture will have when it is decoded, from its header alone."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

from ssl_domains.samples import ReadError, require_expandable
from ssl_domains.samples.scanning.pictures import opened_picture, require_end_mark
from ssl_domains_medical.tiff import TiffPage, tiff_pages

__all__ = ["is_tiff", "picture_pages"]

_PNG = b"\x89PNG\r\n\x1a\n"
_GREY, _GREY_ALPHA = 0, 4  # colour types of PNG
_BITS_OF_PNG = (1, 2, 4, 8, 16)
_MOST_SIDE = 1 << 20
_MOST_EXPANSION = 9000  # pixels a byte: deflate packs 1032 bytes into one, and 8 pixels of one bit are a byte
_MOST_PIXELS = 1 << 30  # the largest picture that OpenCV decodes


def picture_pages(path: Path) -> list[dict[str, Any]]:
    """Rows, columns, channels and dtype of each page of a picture, as `decode_pages` gives it; JSON values.

    Raises:
        ReadError: When the header can't be read, the end of the file is missing, or it states what can't be decoded.
    """
    with path.open("rb") as file:
        head = file.read(29)
    size = path.stat().st_size
    if is_tiff(head):
        directories = tiff_pages(path)
        if max(page.end for page in directories) > size:
            raise ReadError(f"the file is cut short: it holds {size:,} bytes and its directories state more")
        pages = [_of_tiff(page) for page in directories]
    else:
        pages = [_of_png(path, head) if head.startswith(_PNG) else _of_other(path)]
    for page in pages:
        sides = page["rows"], page["columns"]
        if min(sides) < 1:
            raise ReadError(f"a picture of {sides[1]}×{sides[0]} pixels")
        if max(sides) > _MOST_SIDE or math.prod(sides) > _MOST_PIXELS:
            raise ReadError(f"a picture of {sides[1]:,}×{sides[0]:,} pixels is too large to be decoded")
        if not is_tiff(head) and math.prod(sides) > _MOST_EXPANSION * size:
            raise ReadError(f"its {size:,} bytes can't hold {sides[1]:,}×{sides[0]:,} pixels")
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
    _require_chunks(path)
    # OpenCV makes three colours of grey with transparency.
    return _page(height, width, 1 if colour == _GREY else 3, "uint16" if bits == 16 else "uint8")


def _of_other(path: Path) -> dict[str, Any]:
    """JPEG and BMP, whose samples have 8 bits."""
    try:
        with opened_picture(path) as image:
            mode, (width, height), kind = image.mode, image.size, image.format
    except (OSError, ValueError, SyntaxError) as error:
        raise ReadError("no picture, or its header is damaged") from error
    if kind in ("JPEG", "MPO"):
        require_end_mark(path, b"\xff\xd9")
    if kind == "BMP":
        _require_rows_of_bmp(path)
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


def _require_rows_of_bmp(path: Path) -> None:
    """Check that the rows of an uncompressed BMP file are there."""
    with path.open("rb") as file:
        head = file.read(34)
    if len(head) < 34:
        raise ReadError("a BMP file without its header")
    start, header = struct.unpack("<II", head[10:18])
    if header < 40:
        return
    width, height, _, bits, compression = struct.unpack("<iiHHI", head[18:34])
    needed = start + (width * bits + 31) // 32 * 4 * abs(height)
    if compression == 0 and path.stat().st_size < needed:
        raise ReadError(f"the file is cut short: it holds {path.stat().st_size:,} bytes of {needed:,}")


def _require_chunks(path: Path) -> None:
    """Check that all chunks of a PNG file are there; decoders ask for the memory that the length of a chunk states."""
    size, at = path.stat().st_size, len(_PNG)
    with path.open("rb") as file:
        while at + 12 <= size:
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(8))
            at += 12 + length
            if kind == b"IEND" and at <= size:
                return
    raise ReadError("the file is cut short: its last chunk is missing, or a chunk is longer than the file")
