"""Layouts of data sets that people have: cameras as folders, published archives, formats that are not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssl_domains.samples import ReadError, ScanResult
from ssl_domains_fisheye.reader import FisheyeReader

Picture = Callable[..., Path]
Write = Callable[[str, Any], Path]


def scan(source: Path, **options: Any) -> ScanResult:
    return FisheyeReader().scan(source, **options)


def test_the_cameras_of_one_drive_are_in_one_recording(picture: Picture, tmp_path: Path) -> None:
    for drive in ("drive_0000", "drive_0002"):
        for camera in ("image_02", "image_03"):
            picture(f"{drive}/{camera}/data_rgb/0000000007.png")
    frame = scan(tmp_path).samples.frame
    assert frame["recording"].to_list() == ["drive_0000/data_rgb"] * 2 + ["drive_0002/data_rgb"] * 2
    assert frame["camera"].to_list() == ["image_02", "image_03"] * 2
    assert frame["frame"].n_unique() == 2


def test_the_cameras_of_one_kalibr_file_are_in_one_recording(picture: Picture, write: Write, tmp_path: Path) -> None:
    for flight in ("one", "two"):
        for camera in ("cam0", "cam1"):
            picture(f"{flight}/{camera}/7.png", 80, 60)
    camera = """
  camera_model: pinhole
  distortion_model: equidistant
  distortion_coeffs: [0.0, 0.0, 0.0, 0.0]
  intrinsics: [50.0, 50.0, 39.5, 29.5]
  resolution: [80, 60]
"""
    chain = write("camchain.yaml", f"cam0:{camera}cam1:{camera}")
    frame = scan(tmp_path, calibration=chain).samples.frame
    assert frame["recording"].to_list() == ["one", "one", "two", "two"]
    assert frame["camera"].to_list() == ["cam0", "cam1"] * 2
    # Without the file, two folders might as well be two places.
    assert scan(tmp_path).samples.frame["recording"].n_unique() == 4


def test_the_calibration_that_is_named_is_no_annotation(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png", 100, 80)
    lens = write("lens.json", {"model": "equidistant", "f": 50.0, "width": 100, "height": 80})
    assert not any("passed over" in note for note in scan(tmp_path, calibration=lens).notes)
    assert any("passed over" in note for note in scan(tmp_path).notes)


def test_folders_that_name_no_camera_stay_recordings(picture: Picture, tmp_path: Path) -> None:
    for folder in ("cam0", "cam1", "FVs", "image_12"):
        picture(f"{folder}/0001.png")
    frame = scan(tmp_path).samples.frame
    assert frame["recording"].to_list() == ["FVs", "cam0", "cam1", "image_12"]
    assert frame["camera"].null_count() == 4


def test_the_published_archive_of_woodscape_brings_its_calibrations(
    picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("rgb_images/00000_FV.png", 100, 80)
    picture("soiling_dataset/train/rgbImages/0001_FV.png", 100, 80)
    write("box_2d_annotations/00000_FV.txt", "vehicles,0,60,30,80,50\n")
    lens = {"model": "radial_poly", "k1": 50.0, "k2": 0.0, "k3": 0.0, "k4": 0.0, "poly_order": 4,
            "width": 100.0, "height": 80.0, "cx_offset": 0.0, "cy_offset": 0.0, "aspect_ratio": 1.0}  # fmt: skip
    write("calibration_data/calibration/00000_FV.json", {"extrinsic": {}, "intrinsic": lens, "name": "FV"})
    write("vehicle_data/rgb_images/00000_FV.json", {"timestamp": 1, "ego_speed": 2.0})
    result = scan(tmp_path)
    assert result.samples.frame["lens_1"].to_list() == [50.0]
    # The centre of the box lies 20 px right of the optical centre.
    assert result.samples.frame["theta"].to_list() == pytest.approx([180 / 3.141592653589793 * 20 / 50])
    assert "calibration: found in the source as calibration_data/calibration" in result.notes
    # A picture that is a whole row needs no calibration.
    assert len(scan(tmp_path, format="none").samples) == 2


@pytest.mark.parametrize(
    ("name", "content", "program"),
    [
        ("a.xml", '<?xml version="1.0"?>\n<annotations><version>1.1</version><image id="0" name="a.png"/>'
         "</annotations>", "CVAT"),
        ("a.json", {"version": "5.0", "flags": {}, "shapes": [{"label": "x", "points": [[1, 2]]}]}, "LabelMe"),
        ("a.json", [{"data": {}, "annotations": [{"result": [{"from_name": "label"}]}]}], "Label Studio"),
        ("a.json", {"a.png12": {"regions": [{"shape_attributes": {"x": 1}}]}}, "VGG Image Annotator"),
        ("a.txt", "person 20 15 10 20 30\nperson 10 10 5 5 0\n", "HABBOF"),
        ("a.txt", "Car 0.00 0 -1.57 614.24 181.78 727.31 284.77 1.57 1.73 4.15 1.00 1.75 13.22 -1.62\n", "KITTI"),
    ],
)  # fmt: skip
def test_boxes_of_a_format_that_is_not_read_are_named(
    name: str, content: Any, program: str, picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("a.png")
    write(name, content)
    notes = [note for note in scan(tmp_path).notes if note.startswith("not read: boxes in the format of")]
    assert len(notes) == 1
    assert program in notes[0]
    assert f"1 file ({name})" in notes[0]


def test_a_text_of_words_and_numbers_is_no_box(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("README.txt", "version 1 2 3\nof 4 5 6\n")
    assert "passed over, as they are no annotations: README.txt" in scan(tmp_path).notes


def test_a_class_number_without_a_name_is_counted(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("a.txt", "0 0.5 0.5 0.2 0.2\n7 0.3 0.3 0.2 0.2\n")
    write("classes.txt", "dog\ncat\n")
    result = scan(tmp_path)
    assert result.samples.frame["class"].to_list() == ["dog", "7"]
    assert "1 box has a class number without a name: the number is the class" in result.notes


def test_a_data_set_is_described_under_a_name_of_its_own(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/train/a.png")
    write("labels/train/a.txt", "1 0.5 0.5 0.2 0.2\n")
    write("hyperparameters.yaml", "lr0: 0.01\nnames: [x, y]\n")
    write("street.yaml", "path: ../street\ntrain: images/train\nnames:\n  0: person\n  1: bicycle\n")
    result = scan(tmp_path)
    assert result.samples.frame["class"].to_list() == ["bicycle"]
    assert "class names: found in street.yaml" in result.notes
    write("other.yaml", "train: images/train\nnames: [dog, cat]\n")
    assert scan(tmp_path).samples.frame["class"].to_list() == ["1"]


@pytest.mark.parametrize(("points", "numbers"), [(17, 2), (17, 3), (4, 3)])
def test_key_points_behind_a_box_are_no_polygon(
    points: int, numbers: int, picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("images/a.png", 40, 30)
    point = " 0.9 0.9 1" if numbers == 3 else " 0.9 0.9"
    write("labels/a.txt", f"0 0.5 0.5 0.2 0.2{point * points}\n0 0.1 0.1 0.3 0.1 0.3 0.4\n")
    write("data.yaml", f"names: [person]\nkpt_shape: [{points}, {numbers}]  # points, numbers of each\n")
    frame = scan(tmp_path).samples.frame
    edges = [value for row in frame.select("left", "top", "right", "bottom").rows() for value in row]
    assert edges == pytest.approx([16, 12, 24, 18, 4, 3, 12, 12])


def test_a_picture_of_another_size_than_at_the_scan_is_not_cut(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png", 40, 30)
    write("a.txt", "0 0.5 0.5 0.2 0.2\n")
    row = scan(tmp_path).samples.frame.row(0, named=True)
    assert FisheyeReader().load(row).shape == (6, 8, 3)
    picture("a.png", 80, 60)
    with pytest.raises(ReadError, match="it has 80×60 px, and had 40×30 at the scan"):
        FisheyeReader().load(row)


def test_a_coco_file_of_each_recording_with_the_same_names(picture: Picture, write: Write, tmp_path: Path) -> None:
    for place, recording in enumerate(("one", "two")):
        picture(f"{recording}/0001.png")
        content = {
            "images": [{"id": 1, "file_name": "0001.png"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [place, 0, 9, 9]}],
            "categories": [{"id": 1, "name": "p"}],
        }
        write(f"annotations/{recording}.json", json.dumps(content))
    frame = scan(tmp_path).samples.frame
    assert frame.select("recording", "left").rows() == [("one", 0.0), ("two", 1.0)]


def test_coco_polygons_without_a_box_have_their_extent(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png", 40, 30)
    entries = [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[3, 4, 12, 5, 7, 20], [20, 8, 22, 8, 21, 9]]},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [], "segmentation": [[1, 1, 9, 1, 9, 8.5]]},
        {"id": 3, "image_id": 1, "category_id": 1, "segmentation": {"size": [30, 40], "counts": "abc"}},
        {"id": 4, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 9, 1, 9, 8, 3]]},
    ]
    content = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": entries, "categories": []}
    write("labels.json", json.dumps(content))
    result = scan(tmp_path)
    frame = result.samples.frame
    assert frame.select("left", "top", "right", "bottom").rows() == [(3, 4, 22, 20), (1, 1, 9, 8.5)]
    assert "2 rotated boxes or polygons: the extent is the box" in result.notes
    causes = result.problems["cause"].to_list()
    assert [cause.partition(":")[0] for cause in causes] == ["annotation 3", "annotation 4"]
    assert "an x and no y" in causes[1]
