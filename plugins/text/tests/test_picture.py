"""Sizes from headers and pixels, from files and from bytes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssl_domains.samples import ReadError
from ssl_domains_text.lines.files.picture import decoded_picture, header_of_bytes, picture_header

from .line_files import png, strip


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_header_is_that_of_the_pixels(tmp_path: Path, kind: str, channels: int) -> None:
    content = png(strip(61, 23, channels=channels), kind)
    path = tmp_path / "line"
    path.write_bytes(content)
    assert picture_header(path) == header_of_bytes(content) == (61, 23)
    assert header_of_bytes(b"before" + content + b"behind", 6, len(content)) == (61, 23)
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


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_that_is_cut_short(kind: str) -> None:
    content = png(strip(200, 40), kind)
    with pytest.raises(ReadError, match="truncated"):
        header_of_bytes(content[: len(content) // 2])
    assert header_of_bytes(content + b"added by a program" * 20) == (200, 40)


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
