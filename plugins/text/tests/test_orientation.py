"""Orientation tags of lines and pages: pictures are read as viewers show them, and the scan says so."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ssl_domains.samples import Transcribed
from ssl_domains.samples.reader import ScanResult
from ssl_domains_text.lines.files.picture import decoded_picture, header_of_bytes, picture_header
from ssl_domains_text.lines.predictions.page_files import page_text_files
from ssl_domains_text.lines.reader import LinesReader

from .line_files import database, iam, page_xml, strip
from .test_iam import WORDS
from .test_pages import COORDS, equivalent, line

# Tag → what brings a picture as it is shown to the pixels that are stored.
STORING = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
NOTE = "{} an orientation tag (EXIF): turned as viewers show them"


def tagged(shown: NDArray[np.uint8], tag: int, kind: str = "PNG", extra: bytes = b"") -> bytes:
    """A file that viewers show as this picture, and that is stored in another direction."""
    exif = Image.Exif()
    exif[274] = tag
    if extra:
        exif[305] = extra.decode()  # the name of the software
    picture = Image.fromarray(shown)
    file = io.BytesIO()
    (picture.transpose(STORING[tag]) if tag in STORING else picture).save(file, format=kind, exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_header_and_pixels_are_as_viewers_show_them(tmp_path: Path, tag: int, kind: str) -> None:
    content = tagged(strip(61, 23, channels=3), tag, kind)
    path = tmp_path / "line"
    path.write_bytes(content)
    with Image.open(path) as picture:
        shown = np.asarray(ImageOps.exif_transpose(picture))
    header = picture_header(path)
    assert header == header_of_bytes(b"before" + content + b"behind", 6, len(content))
    assert header.orientation == tag
    assert header.size == (shown.shape[1], shown.shape[0])
    np.testing.assert_array_equal(decoded_picture(path), shown)
    stored = decoded_picture(content, 1)
    assert header.stored == (stored.shape[1], stored.shape[0])
    assert stored.shape[:2] == (shown.shape[:2] if tag < 5 else shown.shape[1::-1])


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_tag_in_a_large_or_late_part_of_the_file(kind: str) -> None:
    content = tagged(strip(61, 23), 6, kind, b"scanner " * 1000)
    assert header_of_bytes(content).orientation == 6
    file = io.BytesIO()  # a large colour profile before the tag
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(strip(61, 23)).save(file, format=kind, exif=exif, icc_profile=np.arange(20_000).tobytes())
    header = header_of_bytes(file.getvalue())
    assert (header.size, header.orientation) == ((23, 61), 6)
    assert decoded_picture(file.getvalue()).shape == (61, 23, 1)


def check(scanned: ScanResult, shown: NDArray[np.uint8]) -> None:
    (row,) = scanned.samples.frame.to_dicts()
    assert (row["width"], row["height"]) == shown.shape[::-1]
    np.testing.assert_array_equal(LinesReader().load(row)[:, :, 0], shown)
    assert NOTE.format("1 picture has") in scanned.notes


def test_lines_of_every_form_are_turned(tmp_path: Path) -> None:
    shown = strip(60, 20)
    content = tagged(shown, 6)
    for name in ("pictures", "table"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(content)
    check(LinesReader().scan(tmp_path / "pictures"), shown)
    (tmp_path / "table" / "labels.csv").write_text("file,text\n0.png,one\n")
    check(LinesReader().scan(tmp_path / "table"), shown)
    database(tmp_path / "lmdb", {b"image-000000001": content, b"num-samples": b"1"})
    check(LinesReader().scan(tmp_path / "lmdb"), shown)
    iam(tmp_path / "iam", WORDS[:3])
    (tmp_path / "iam" / "words" / "a01" / "a01-000u" / "a01-000u-00-00.png").write_bytes(content)
    check(LinesReader().scan(tmp_path / "iam"), shown)


def page() -> NDArray[np.uint8]:
    """A page of 100 × 50 pixels: the line of `COORDS` is ink, all else is paper."""
    made = np.full((50, 100), 230, dtype=np.uint8)
    made[5:25, 10:71] = 20
    return made


@pytest.mark.parametrize("tag", [3, 6, 8])
@pytest.mark.parametrize("factor", [1, 2])
def test_a_page_that_was_drawn_on_as_viewers_show_it(tmp_path: Path, tag: int, factor: int) -> None:
    (tmp_path / "p.png").write_bytes(tagged(np.kron(page(), np.ones((factor, factor), np.uint8)), tag))
    (tmp_path / "p.xml").write_text(page_xml([line(COORDS + equivalent("x"))], "p.png", (100, 50)))
    scanned = LinesReader().scan(tmp_path)
    assert "orientation" not in scanned.samples.columns
    assert NOTE.format("1 picture has") in scanned.notes
    assert (LinesReader().load(scanned.samples.frame.row(0, named=True)) == 20).all()


@pytest.mark.parametrize("factor", [1, 2])
def test_a_page_that_was_drawn_on_as_it_is_stored(tmp_path: Path, factor: int) -> None:
    exif = Image.Exif()
    exif[274] = 6
    whole = Image.fromarray(np.kron(page(), np.ones((factor, factor), np.uint8)))
    whole.save(tmp_path / "p.png", exif=exif)
    Image.fromarray(page()).save(tmp_path / "q.png")
    for name in "pq":
        content = page_xml([line(COORDS + equivalent("x"))], f"{name}.png", (100, 50))
        (tmp_path / f"{name}.xml").write_text(content)
    scanned = LinesReader().scan(tmp_path)
    assert scanned.samples.frame["orientation"].to_list() == [1, None]
    assert any("1 page was drawn on the picture as it is stored" in note for note in scanned.notes)
    assert not any("turned as viewers" in note for note in scanned.notes)
    for row in scanned.samples.frame.to_dicts():
        assert (LinesReader().load(row) == 20).all()
    first = page_text_files(scanned.samples, None).files[0]
    first.write(tmp_path / "written.xml", {0: Transcribed("read", 0.5)})
    written = (tmp_path / "written.xml").read_text()
    assert f'imageWidth="{100 * factor}" imageHeight="{50 * factor}"' in written


def test_a_column_of_another_meaning_turns_nothing(tmp_path: Path) -> None:
    shown = strip(60, 20)
    (tmp_path / "0.png").write_bytes(tagged(shown, 6))
    for value in ("portrait", 90, 0, None, 1.5, "1"):
        array = LinesReader().load({"path": str(tmp_path / "0.png"), "orientation": value})
        np.testing.assert_array_equal(array[:, :, 0], shown)
