"""The inputs of public bug reports, with the values that are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ssl_domains.samples import ScanResult
from ssl_domains_fisheye.reader import FisheyeReader

pytestmark = pytest.mark.shared_data


@pytest.fixture
def case(shared_data: Path, request: pytest.FixtureRequest) -> Path:
    """Folder of the case that a test is about; a skip where the cases are not beside the data."""
    folder = shared_data.parent / "cases" / "fisheye" / str(request.param)
    if not folder.is_dir():
        pytest.skip("the folder `cases` is not beside the shared data")
    return folder


def scan(source: Path, **options: Any) -> ScanResult:
    return FisheyeReader().scan(source, **options)


def noted(result: ScanResult, words: str) -> bool:
    return any(words in note for note in result.notes)


SMALL = (25.6, 19.2, 38.4, 28.8)
BOXES: dict[str, list[tuple[str, str, tuple[float, ...]]]] = {
    "coco_backslash": [("images/train/a.jpg", "car", (1, 1, 10, 10))],
    "coco_categories_null": [("images/a.jpg", "1", (1, 1, 10, 10))],
    "coco_name_null": [("images/a.jpg", "1", (1, 1, 10, 10))],
    "exif_demo": [("images/a.jpg", "car", (20, 40, 80, 100))],
    "readme_with_commas": [("images/a.jpg", "0", SMALL)],
    "size_in_coco_differs": [],
    "voc_filename_differs": [("images/IMG 1.jpg", "car", (0, 0, 10, 10))],
    "voc_gb2312": [("images/a.jpg", "汽车", (0, 0, 10, 10))],
    "yolo_all_polygon": [("images/a.jpg", "1", (6.4, 4.8, 12.8, 9.6))],
    "yolo_bom_all": [("images/a.jpg", "car", SMALL)],
    "yolo_classes_gbk": [("images/a.jpg", "汽车", SMALL)],
    "yolo_first_line_bad": [("images/a.jpg", "0", SMALL)],
    "yolo_mixed_polygon": [("images/a.jpg", "0", SMALL), ("images/a.jpg", "1", (6.4, 4.8, 12.8, 9.6))],
    "yolo_round_over_one": [
        ("images/a.jpg", "0", (0, 19.2, 64, 28.8)),
        ("images/a.jpg", "0", (20.4333, 28.225, 24.9667, 30.775)),
    ],
    "yolo_same_name_unlabelled": [("images/dogs/1.jpg", "0", SMALL)],
    "bomb_png": [("images/a.jpg", "0", SMALL), ("images/big.png", "0", (6000, 5200, 9000, 7800))],
}
PROBLEMS = {
    "coco_categories_null": [("i.json", "'categories' is no list: classes keep their numbers")],
    "size_in_coco_differs": [
        ("a.jpg", "its annotation is for 48×64 px and it has 64×48 px: the boxes would be misplaced")
    ],
    "yolo_same_name_unlabelled": [("1.jpg", "no annotation of this image")],
    "yolo_round_over_one": [
        ("a.txt", "line 2: box (63.36, 19.2, 64.64, 28.8) is outside the image of 64×48, or under a pixel")
    ],
}


@pytest.mark.parametrize(("case", "name"), [(name, name) for name in BOXES], indirect=["case"])
def test_boxes_and_problems(case: Path, name: str) -> None:
    result = scan(case)
    rows = result.samples.frame.select("image", "class", "left", "top", "right", "bottom").rows()
    assert [row[:2] for row in rows] == [expected[:2] for expected in BOXES[name]]
    for row, expected in zip(rows, BOXES[name], strict=True):
        assert row[2:] == pytest.approx(expected[2], abs=1e-3)
    assert [(Path(path).name, cause) for path, cause in result.problems.rows()] == PROBLEMS.get(name, [])


@pytest.mark.parametrize("case", ["exif_demo"], indirect=True)
def test_the_box_of_a_turned_picture_is_red(case: Path) -> None:
    crop = FisheyeReader().load(scan(case).samples.frame.row(0, named=True)).astype(int)
    red = (crop[:, :, 0] > 150) & (crop[:, :, 1] < 100) & (crop[:, :, 2] < 100)
    assert red.mean() > 0.99


@pytest.mark.parametrize(
    ("case", "images", "words"),
    [
        ("masks_beside_images", ["raw_images/a.jpg"], "1 in mask_images"),
        ("poses_txt_beside_images", ["images/a.jpg", "images/b.jpg"], "they are no annotations: poses.txt"),
        ("readme_with_commas", ["images/a.jpg"], "they are no annotations: README.txt"),
        ("voc_gb2312", ["images/a.jpg"], "1 annotation file is not UTF-8: read as GB2312"),
        ("yolo_classes_gbk", ["images/a.jpg"], "classes.txt is not UTF-8: its class names were read as GB 18030"),
    ],
    indirect=["case"],
)
def test_what_is_passed_over_or_read_otherwise_is_noted(case: Path, images: list[str], words: str) -> None:
    result = scan(case)
    assert result.samples.frame["image"].to_list() == images
    assert noted(result, words)
    assert len(result.problems) == 0


@pytest.mark.parametrize("case", ["poses_txt_beside_images"], indirect=True)
def test_format_none_says_that_there_are_no_boxes(case: Path) -> None:
    result = scan(case, format="none")
    assert len(result.samples) == 2
    assert noted(result, "no boxes: one row an image")
