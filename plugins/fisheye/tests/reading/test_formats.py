"""What the formats hold: encodings, rotated boxes, polygons, class names, sizes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.samples import ScanResult
from ssl_domains_fisheye.reader import FisheyeReader

Picture = Callable[..., Path]
Write = Callable[[str, Any], Path]


def scan(source: Path, **options: Any) -> ScanResult:
    return FisheyeReader().scan(source, **options)


def edges(result: ScanResult) -> list[tuple[float, ...]]:
    return result.samples.frame.select("left", "top", "right", "bottom").rows()


def classes(result: ScanResult) -> list[str]:
    return result.samples.frame["class"].to_list()


def causes(result: ScanResult) -> list[str]:
    return result.problems["cause"].to_list()


def noted(result: ScanResult, words: str) -> bool:
    return any(words in note for note in result.notes)


# YOLO ----------------------------------------------------------------------------------------------------------------


def test_polygons_and_boxes_in_one_file(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png", 100, 50)
    write("a.txt", "0 0.5 0.5 0.2 0.2\n1 0.1 0.2 0.3 0.2 0.2 0.6\n2 0.5 0.5 0.7 0.5 0.7 0.9 0.5 0.9\n")
    result = scan(tmp_path)
    assert np.allclose(edges(result), [(40, 20, 60, 30), (10, 10, 30, 30), (50, 25, 70, 45)])
    assert classes(result) == ["0", "1", "2"]
    assert noted(result, "2 rotated boxes or polygons: the extent is the box")


@pytest.mark.parametrize("start", ["# made by x\n", "\n\n", "broken line\n", "0 0.5 0.5\n"])
def test_a_first_line_that_is_no_box_hides_no_other(start: str, picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("a.txt", f"{start}3 0.5 0.5 0.2 0.2\n")
    assert classes(scan(tmp_path)) == ["3"]


def test_a_file_of_bad_lines_only_is_named_line_by_line(picture: Picture, write: Write, tmp_path: Path) -> None:
    for name in "ab":
        picture(f"images/{name}.png")
    write("labels/a.txt", "0 0.5 0.5 0.2 0.2\n")
    write("labels/b.txt", "0 0.5 0.5 0.2\nx 0.5 0.5 0.2 0.2\n")
    result = scan(tmp_path)
    assert len(result.samples) == 1
    assert [cause.split(":")[0] for cause in causes(result)] == ["line 1", "line 2"]


def test_shares_rounded_over_one_are_clipped_and_pixels_are_refused(
    picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("a.png", 100, 50)
    write("a.txt", "0 0.5 0.5 1.0000001 1.0000001\n0 0.5 0.5 1.2 0.5\n0 40 20 30 10\n0 0.9 0.5 0.4 0.2\n")
    result = scan(tmp_path)
    assert np.allclose(edges(result), [(0, 0, 100, 50), (70, 20, 100, 30)])
    assert causes(result) == [
        "line 2: coordinates must be relative to the image, 0 to 1",
        "line 3: coordinates must be relative to the image, 0 to 1",
    ]


def test_names_keep_their_numbers_over_blank_lines(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("a.txt", "".join(f"{i} 0.5 0.5 0.2 0.2\n" for i in range(4)))
    write("classes.txt", "car\n\nbus\ntram\n\n")
    assert classes(scan(tmp_path)) == ["car", "1", "bus", "tram"]


def test_names_in_yaml_stay_text(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("a.txt", "".join(f"{i} 0.5 0.5 0.2 0.2\n" for i in range(5)))
    write("data.yaml", "nc: 5\nnames: [no, on, 1.0, ~, 2020-01-01]\n")
    assert classes(scan(tmp_path)) == ["no", "on", "1.0", "~", "2020-01-01"]
    write("data.yaml", "names:\n  0: no\n  4: yes\n  x: nothing\n  3: [a, b]\n")
    assert classes(scan(tmp_path)) == ["no", "1", "2", "3", "yes"]


def test_each_folder_has_the_names_nearest_to_it(picture: Picture, write: Write, tmp_path: Path) -> None:
    for folder in ("dogs", "cats", "owls"):
        picture(f"{folder}/images/a.png")
        write(f"{folder}/labels/a.txt", "0 0.5 0.5 0.2 0.2\n")
    write("dogs/labels/classes.txt", "poodle\n")
    write("cats/data.yaml", "names: [tabby]\n")
    write("data.yaml", "names: [animal]\n")
    frame = scan(tmp_path).samples.frame
    assert dict(frame.select("image", "class").rows()) == {
        "cats/images/a.png": "tabby", "dogs/images/a.png": "poodle", "owls/images/a.png": "animal",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "name", "shown"),
    [
        ("utf-8-sig", "汽车", None), ("gbk", "汽车", "GB 18030"), ("latin-1", "Fußgänger", "Latin-1"),
        ("latin-1", "créée", "Latin-1"), ("utf-16", "Füße", "UTF-16"), ("gb18030", "三轮车", "GB 18030"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("file", ["classes.txt", "data.yaml"])
def test_class_names_in_other_encodings(
    encoding: str, name: str, shown: str | None, file: str, picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("a.png")
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.2 0.2\r\n", encoding="utf-8-sig")
    text = f"{name}\r\n" if file == "classes.txt" else f"names: [{name}]\n"
    (tmp_path / file).write_bytes(text.encode(encoding))
    result = scan(tmp_path)
    assert classes(result) == [name]
    assert noted(result, f"{file} is not UTF-8: its class names were read as {shown}") == (shown is not None)


# VOC and WoodScape ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "stored"),
    [
        ("GB2312", "gbk"), ("UTF-8", "gbk"), ("GB2312", "utf-8"), ("hex", "gbk"), ("big5", "big5"), ("", "gbk"),
        ("UTF-16", "utf-16"),
    ],
)  # fmt: skip
def test_voc_in_other_encodings(declared: str, stored: str, picture: Picture, tmp_path: Path) -> None:
    picture("a.png")
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    body = (
        "<annotation><size><width>80</width><height>60</height></size><object><name>汽車車</name><bndbox><xmin>1</xmin>"
        "<ymin>1</ymin><xmax>10</xmax><ymax>10</ymax></bndbox></object></annotation>"
    ).replace("汽車車", "汽車車" if stored == "big5" else "汽车")
    (tmp_path / "a.xml").write_bytes((head + body).encode(stored))
    assert classes(scan(tmp_path)) == ["汽車車" if stored == "big5" else "汽车"]


def test_woodscape_classes_in_latin_1_are_noted_by_number(picture: Picture, tmp_path: Path) -> None:
    for name in "ab":
        picture(f"{name}.png")
        (tmp_path / f"{name}.txt").write_bytes("Fußgänger,0,1,2,30,40\n".encode("latin-1"))
    result = scan(tmp_path)
    assert classes(result) == ["Fußgänger"] * 2
    assert noted(result, "2 annotation files are not UTF-8: read as Latin-1")


# COCO ----------------------------------------------------------------------------------------------------------------


def coco(*annotations: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"image_id": 1, "category_id": 1, **annotation} for annotation in annotations],
        **rest,
    }


@pytest.mark.parametrize(
    ("angle", "expected"),
    [(0, (40, 25, 60, 35)), (90, (45, 20, 55, 40)), (-90, (45, 20, 55, 40)), (180, (40, 25, 60, 35))],
)
def test_a_rotated_box_is_its_extent(
    angle: float, expected: tuple[float, ...], picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("a.png", 100, 60)
    write("a.json", coco({"bbox": [50, 30, 20, 10, angle]}))
    assert np.allclose(edges(scan(tmp_path)), [expected])


def test_a_rotated_box_against_its_turned_corners(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png", 100, 60)
    angle, w, h = 27.0, 20.0, 10.0
    write("a.json", coco({"bbox": [50, 30, w, h, angle]}, {"bbox": [50, 30, 20, 10]}))
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    # Clockwise as the picture is seen, since y points down.
    turn = np.array([[cos, -sin], [sin, cos]])
    corners = np.array([[x * w / 2, y * h / 2] for x in (-1, 1) for y in (-1, 1)]) @ turn.T + [50, 30]
    result = scan(tmp_path)
    assert np.allclose(edges(result)[0], [*corners.min(0), *corners.max(0)])
    assert edges(result)[1] == (50, 30, 70, 40)
    assert noted(result, "1 rotated box or polygon: the extent is the box")


@pytest.mark.parametrize("categories", [None, 3, [], "absent"])
def test_without_category_names_classes_keep_their_numbers(
    categories: Any, picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("a.png")
    content = coco({"bbox": [1, 1, 9, 9]}, categories=categories)
    if categories == "absent":
        del content["categories"]
    write("a.json", content)
    result = scan(tmp_path)
    assert classes(result) == ["1"]
    assert noted(result, "1 box is of a category without a name: the class is the category's number")
    wrong = categories in (None, 3)
    assert causes(result) == (["'categories' is no list: classes keep their numbers"] if wrong else [])


def test_categories_that_are_damaged_in_part(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    categories = [{"id": 1}, {"id": 2, "name": None}, {"id": [3], "name": "x"}, {"id": 4, "name": "car"},
                  {"id": 5, "name": "a"}, {"id": 5, "name": "b"}, 7]  # fmt: skip
    boxes = [{"id": i, "category_id": c, "bbox": [1, 1, 9, 9]} for i, c in enumerate((1, 2, [3], 4, 5, {}, True))]
    write("a.json", coco(*boxes, categories=categories))
    result = scan(tmp_path)
    assert classes(result) == ["1", "2", "car", "5"]
    assert [cause.split(":")[0] for cause in causes(result)] == [
        "category 3", "category id 5 has several names", "category 7", "annotation 2", "annotation 5", "annotation 6",
    ]  # fmt: skip


def test_images_of_a_coco_file_that_are_damaged_in_part(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    images: list[Any] = [{"id": 1, "file_name": "a.png"}, {"id": 2}, {"id": [1], "file_name": "b.png"}, None]
    write("a.json", coco({"bbox": [1, 1, 9, 9]}, {"id": 8, "image_id": [1], "bbox": [1, 1, 9, 9]}, images=images))
    result = scan(tmp_path)
    assert len(result.samples) == 1
    assert causes(result) == [
        "image 2: it has no file_name", "image 3: its id is no number or text", "image 4: not an object",
        "annotation 8: image_id list is in no image",
    ]  # fmt: skip


def test_a_damaged_coco_file_is_named_and_its_pictures_are_not_taken_as_having_no_boxes(
    picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("a.png")
    text = json.dumps(coco({"bbox": [1, 1, 9, 9]}))
    write("a.json", text[: len(text) // 2])
    result = scan(tmp_path)
    assert len(result.samples) == 0
    assert [cause.split(":")[0] for cause in causes(result)] == ["not JSON", "no annotation of this image"]
