"""Sizes from headers and pixels, from files and from bytes."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.samples import ReadError
from ssl_domains_text.lines.files.picture import decoded_picture, header_of_bytes, picture_header
from ssl_domains_text.lines.reader import LinesReader

from .line_files import database, png, strip


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_header_is_that_of_the_pixels(tmp_path: Path, kind: str, channels: int) -> None:
    content = png(strip(61, 23, channels=channels), kind)
    path = tmp_path / "line"
    path.write_bytes(content)
    assert picture_header(path) == header_of_bytes(content) == (61, 23, 1, 1)
    assert header_of_bytes(b"before" + content + b"behind", 6, len(content)) == (61, 23, 1, 1)
    assert decoded_picture(path).shape[:2] == decoded_picture(content).shape[:2] == (23, 61)


def test_types_of_pixels() -> None:
    grey = strip(20, 10)
    np.testing.assert_array_equal(decoded_picture(png(grey))[:, :, 0], grey)
    deep = grey.astype(np.uint16) * 257
    np.testing.assert_array_equal(decoded_picture(png(deep))[:, :, 0], deep)
    colour = strip(20, 10, channels=3)
    np.testing.assert_array_equal(decoded_picture(png(colour)), colour)
    file = io.BytesIO()
    Image.fromarray(grey > 100).save(file, format="PNG")
    np.testing.assert_array_equal(decoded_picture(file.getvalue())[:, :, 0], np.where(grey > 100, 255, 0))


def test_transparent_places_are_paper() -> None:
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[:, 4:] = (10, 20, 30, 255)
    shown = decoded_picture(png(pixels))
    assert (shown[:, :4] == 255).all()
    assert (shown[:, 4:] == (10, 20, 30)).all()


def tiff(pixels: NDArray[Any]) -> bytes:
    return png(pixels, "TIFF")


def test_whole_numbers_of_32_bits() -> None:
    grey = strip(20, 10)
    for kind in (np.int32, np.uint32):
        eight = decoded_picture(tiff(grey.astype(kind)))
        assert eight.dtype == np.uint8
        np.testing.assert_array_equal(eight[:, :, 0], grey)
        sixteen = decoded_picture(tiff(grey.astype(kind) * 257))
        assert sixteen.dtype == np.uint16
        np.testing.assert_array_equal(sixteen[:, :, 0], grey.astype(np.uint16) * 257)
        with pytest.raises(ReadError, match="store it with 8 or 16 bits"):
            decoded_picture(tiff(grey.astype(kind) * 1000))
    with pytest.raises(ReadError, match=r"from -\d+ to -\d+"):
        decoded_picture(tiff(-grey.astype(np.int32)))


def test_floats_are_shares_of_white() -> None:
    shares = strip(20, 10).astype(np.float32) / 255
    made = decoded_picture(tiff(shares))
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made[:, :, 0], shares)
    np.testing.assert_array_equal(decoded_picture(tiff(shares * 1.04))[:, :, 0], shares * np.float32(1.04))
    for wrong in (shares * 255, shares - 0.5, shares * 2):
        with pytest.raises(ReadError, match="store it with 8 or 16 bits"):
            decoded_picture(tiff(wrong))


def transparent(bits: int, colour: int, rows: list[bytes], key: bytes) -> bytes:
    """A PNG file of rows of pixels, one colour of which is transparent."""
    width = 8 * len(rows[0]) // (bits * (3 if colour == 2 else 1))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\x00" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"tRNS", key) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("bits", "colour", "row", "key", "expected"),
    [
        (16, 0, struct.pack(">3H", 0x1234, 0, 500), b"\x12\x34", [65535, 0, 500]),
        (8, 0, bytes([5, 6, 7]), b"\x00\x05", [255, 6, 7]),
        (4, 0, bytes([0x05, 0xF3]), b"\x00\x05", [0, 255, 255, 51]),
        (2, 0, bytes([0b00011011]), b"\x00\x01", [0, 255, 170, 255]),
        (1, 0, bytes([0b01010101]), b"\x00\x01", [0, 255] * 4),
        (8, 2, bytes([1, 2, 3, 4, 5, 6]), b"\x00\x01\x00\x02\x00\x03", [[255, 255, 255], [4, 5, 6]]),
        (16, 2, struct.pack(">6H", 0x1234, 0x5678, 0x9ABC, 0x1000, 0x2000, 0x3000), b"\x12\x34\x56\x78\x9a\xbc",
         [[255, 255, 255], [16, 32, 48]]),
    ],
)  # fmt: skip
def test_a_transparent_colour_of_every_depth_is_paper(
    bits: int, colour: int, row: bytes, key: bytes, expected: list[Any]
) -> None:
    made = decoded_picture(transparent(bits, colour, [row] * 4, key))
    assert made.dtype == (np.uint16 if (bits, colour) == (16, 0) else np.uint8)
    np.testing.assert_array_equal(made[1], np.array(expected).reshape(len(expected), -1))


def test_further_pages_are_problems(tmp_path: Path) -> None:
    pages = [Image.fromarray(strip(60 + number, 20)) for number in range(3)]
    pages[0].save(tmp_path / "0.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "1.tif")
    pages[0].save(tmp_path / "2.gif", save_all=True, append_images=pages[1:2])
    scanned = LinesReader().scan(tmp_path)
    assert scanned.samples.frame["width"].to_list() == [60, 60, 60]
    words = "in the file: only the first is read"
    expected = [("0.tif", f"2 further pages {words}"), ("2.gif", f"1 further page {words}")]
    assert [(Path(path).name, cause) for path, cause in scanned.problems.rows()] == expected
    np.testing.assert_array_equal(LinesReader().load({"path": str(tmp_path / "0.tif")})[:, :, 0], strip(60, 20))

    values = {b"image-000000001": (tmp_path / "0.tif").read_bytes(), b"num-samples": b"1"}
    path = database(tmp_path / "data", values)
    entries = LinesReader().scan(tmp_path / "data")
    assert len(entries.samples) == 1
    assert entries.problems.rows() == [(f"{path}#1", f"2 further pages {words}")]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_that_is_cut_short(kind: str) -> None:
    content = png(strip(200, 40), kind)
    with pytest.raises(ReadError, match="truncated"):
        header_of_bytes(content[: len(content) // 2])
    assert header_of_bytes(content + b"added by a program" * 20).size == (200, 40)


def test_what_is_no_picture() -> None:
    with pytest.raises(ReadError, match="0 bytes"):
        header_of_bytes(b"")
    for content in (b"text", b"\x89PNG\r\n\x1a\n" + bytes(40) + b"IEND", b"\xff\xd8 and no JPEG \xff\xd9"):
        with pytest.raises(ReadError):
            header_of_bytes(content)


def test_a_bomb_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(png(strip(20, 10)))
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(ReadError, match="more than so small a picture can hold"):
        header_of_bytes(bytes(content))
    monkeypatch.setenv("SSL_DOMAINS_MAX_FILE_GB", "0.000001")
    with pytest.raises(ReadError, match="limit"):
        header_of_bytes(png(strip(200, 40)))
