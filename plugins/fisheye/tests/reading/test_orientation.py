"""Sizes that annotations declare, and the orientation tag of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from ssl_domains.samples import ScanResult
from ssl_domains_fisheye.images import decode, read_header
from ssl_domains_fisheye.reader import FisheyeReader

STORED = (60, 40)


def save(path: Path, tag: int | None) -> np.ndarray[Any, Any]:
    """A picture of 60×40 px with this tag; the pixels as viewers show it."""
    pixels = np.random.default_rng(3).integers(0, 256, (STORED[1], STORED[0], 3)).astype(np.uint8)
    picture = Image.fromarray(pixels)
    exif = picture.getexif()
    if tag is not None:
        exif[274] = tag
    picture.save(path, exif=exif, **({"quality": 95} if path.suffix == ".jpg" else {}))
    with Image.open(path) as again:
        return np.asarray(ImageOps.exif_transpose(again))


def voc(path: Path, size: tuple[int, int] | None) -> None:
    declared = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
    path.write_text(
        f"<annotation>{declared}<object><name>car</name><bndbox><xmin>6</xmin><ymin>11</ymin><xmax>25</xmax>"
        "<ymax>30</ymax></bndbox></object></annotation>",
        encoding="utf-8",
    )


def scan(source: Path, **options: Any) -> ScanResult:
    return FisheyeReader().scan(source, **options)


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_header_and_pixels_agree_for_every_tag(tag: int, ending: str, tmp_path: Path) -> None:
    shown = save(tmp_path / f"a.{ending}", tag)
    header = read_header(tmp_path / f"a.{ending}")
    assert (header.size, header.orientation) == (STORED, tag)
    assert header.shown == (shown.shape[1], shown.shape[0])
    assert (decode(tmp_path / f"a.{ending}", tag) == shown).all()
    assert decode(tmp_path / f"a.{ending}").shape == (STORED[1], STORED[0], 3)
    if ending in ("png", "tif"):
        untagged = tmp_path / f"b.{ending}"
        save(untagged, None)
        assert (decode(tmp_path / f"a.{ending}") == decode(untagged)).all()


@pytest.mark.parametrize("ending", ["jpg", "tif"])
@pytest.mark.parametrize(
    ("declared", "size", "turned"), [((40, 60), (40, 60), True), ((60, 40), (60, 40), False), (None, (40, 60), True)]
)
def test_the_declared_size_says_on_which_picture_boxes_were_drawn(
    declared: tuple[int, int] | None, size: tuple[int, int], turned: bool, ending: str, tmp_path: Path
) -> None:
    shown = save(tmp_path / f"a.{ending}", 6)
    voc(tmp_path / "a.xml", declared)
    result = scan(tmp_path)
    row = result.samples.frame.row(0, named=True)
    assert (row["image_width"], row["image_height"]) == size
    pixels = shown if turned else decode(tmp_path / f"a.{ending}")
    assert (FisheyeReader().load(row) == pixels[10:30, 5:25]).all()
    assert (FisheyeReader().load_file(row["path"], [row])[0] == pixels[10:30, 5:25]).all()
    start = "1 picture with an orientation tag" + (": turned as" if turned else " stored in the size")
    assert any(note.startswith(start) for note in result.notes)
    assert ("orientation" in result.samples.columns) == turned


def test_yolo_boxes_are_shares_of_the_turned_picture(tmp_path: Path) -> None:
    shown = save(tmp_path / "a.png", 8)
    (tmp_path / "a.txt").write_text("0 0.25 0.75 0.5 0.5\n", encoding="utf-8")
    row = scan(tmp_path).samples.frame.row(0, named=True)
    assert (row["left"], row["top"], row["right"], row["bottom"]) == (0, 30, 20, 60)
    assert (FisheyeReader().load(row) == shown[30:60, 0:20]).all()


def test_pictures_without_boxes_are_turned_too(tmp_path: Path) -> None:
    shown = save(tmp_path / "a.png", 3)
    save(tmp_path / "b.png", None)
    first, second = scan(tmp_path).samples.frame.rows(named=True)
    assert (FisheyeReader().load(first) == shown).all()
    assert (first["orientation"], second["orientation"]) == (3, 1)


@pytest.mark.parametrize(("tag", "declared"), [(None, (40, 60)), (None, (61, 40)), (6, (80, 60)), (None, (30, 20))])
def test_another_size_than_declared_is_a_problem(tag: int | None, declared: tuple[int, int], tmp_path: Path) -> None:
    save(tmp_path / "a.png", tag)
    voc(tmp_path / "a.xml", declared)
    result = scan(tmp_path)
    size = (40, 60) if tag else (60, 40)
    assert len(result.samples) == 0
    assert result.problems.rows() == [
        (
            str(tmp_path / "a.png"),
            f"its annotation is for {declared[0]}×{declared[1]} px and it has {size[0]}×{size[1]} px: "
            "the boxes would be misplaced",
        )
    ]


@pytest.mark.parametrize("size", [(0, 0), (-1, 40), (None, None), ("x", 3)])
def test_a_size_that_says_nothing_is_no_size(size: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.png", None)
    voc(tmp_path / "a.xml", size)
    assert len(scan(tmp_path).samples) == 1
