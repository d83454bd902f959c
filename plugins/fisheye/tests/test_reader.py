"""The reader: formats, faults, names and crops."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from ssl_domains.errors import UsageError
from ssl_domains.samples import Reader, ReadError, ScanResult
from ssl_domains_fisheye.reader import FisheyeReader

Picture = Callable[..., Path]
Write = Callable[[str, Any], Path]


def scan(source: Path, **options: Any) -> ScanResult:
    return FisheyeReader().scan(source, **options)


def boxes(result: ScanResult) -> list[tuple[Any, ...]]:
    """``IMAGE#BOX``, class and edges; the id of a sample has a digest in place of the image's name."""
    name = pl.col("image") + "#" + pl.col("sample").str.split("#").list.last()
    return result.samples.frame.select(name, "class", "left", "top", "right", "bottom").rows()


def causes(result: ScanResult) -> list[tuple[str, str]]:
    return [(Path(path).name, cause) for path, cause in result.problems.rows()]


def test_it_is_a_reader_that_workers_can_be_handed() -> None:
    reader = pickle.loads(pickle.dumps(FisheyeReader()))
    assert isinstance(reader, Reader)
    assert reader.version


# formats -------------------------------------------------------------------------------------------------------------


def test_woodscape_layout(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("rgb_images/00000_FV.png")
    write("box_2d_annotations/00000_FV.txt", "vehicles,0,10,20,30,50\nperson,1,40,5,44,21\n")
    result = scan(tmp_path)
    assert boxes(result) == [
        ("rgb_images/00000_FV.png#1", "vehicles", 10, 20, 30, 50),
        ("rgb_images/00000_FV.png#2", "person", 40, 5, 44, 21),
    ]
    assert result.samples.frame["width"].to_list() == [20, 4]
    assert result.samples.frame["camera"].to_list() == ["FV", "FV"]
    assert causes(result) == []
    assert "annotations: woodscape" in result.notes


def test_coco(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/a.jpg")
    picture("images/empty.jpg")
    content = {
        "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "empty.jpg"}],
        "categories": [{"id": 3, "name": "car"}],
        "annotations": [
            {"id": 100, "image_id": 7, "category_id": 3, "bbox": [10, 20, 20, 30]},
            {"id": 101, "image_id": 7, "category_id": 3, "bbox": [0, 0, 80, 60], "iscrowd": 1},
            {"id": 102, "image_id": 9, "category_id": 3, "bbox": [1, 1, 5, 5]},
            {"id": 103, "image_id": 7, "category_id": 4, "bbox": [1, 1, 5, 5]},
            {"id": 104, "image_id": 7, "category_id": 3, "bbox": [1, 1, 5]},
            {"id": 100, "image_id": 7, "category_id": 3, "bbox": [1, 1, 5, 5]},
            "nonsense",
        ],
    }
    write("annotations/instances.json", content)
    result = scan(tmp_path)
    assert boxes(result) == [("images/a.jpg#100", "car", 10, 20, 30, 50)]
    assert [cause.split(":")[0] for _, cause in causes(result)] == [
        "annotation 102", "annotation 103", "annotation 104", "annotation 100", "annotation 7",
    ]  # fmt: skip
    assert any("1 crowd region left out" in note for note in result.notes)


def test_yolo_with_names_from_a_text_and_a_yaml_file(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/train/a.png")
    write("labels/train/a.txt", "1 0.5 0.5 0.25 0.5\n0 0.125 0.25 0.25 0.5\n")
    unnamed = scan(tmp_path)
    assert boxes(unnamed)[0] == ("images/train/a.png#1", "1", 30, 15, 50, 45)
    assert any("names the classes" in note for note in unnamed.notes)
    write("data.yaml", "path: here\nnames:\n  0: person\n  1: car\n")
    assert scan(tmp_path).samples.frame["class"].to_list() == ["car", "person"]
    write("labels/classes.txt", "bus\ntram\n")
    (tmp_path / "data.yaml").unlink()
    assert scan(tmp_path, annotations=tmp_path / "labels").samples.frame["class"].to_list() == ["tram", "bus"]


def test_pascal_voc_counts_pixels_from_one(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("JPEGImages/a.jpg")
    one = (
        "<object><name>car</name><bndbox><xmin>11</xmin><ymin>21</ymin><xmax>30</xmax><ymax>50</ymax></bndbox></object>"
    )
    short = "<object><name>car</name><bndbox><xmin>11</xmin></bndbox></object>"
    write("Annotations/a.xml", f"<annotation><filename>a.jpg</filename>{one}{short}</annotation>")
    result = scan(tmp_path)
    assert boxes(result) == [("JPEGImages/a.jpg#1", "car", 10, 20, 30, 50)]
    assert causes(result) == [("a.xml", "object 2: the object has no ymin")]


def test_plain_images_are_one_row_each(picture: Picture, tmp_path: Path) -> None:
    picture("a.png")
    picture("deep/b.png", mode="L")
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == ["a.png", "deep/b.png"]
    assert result.samples.frame["channels"].to_list() == [3, 1]
    assert result.samples.frame["radius"].null_count() == 2
    assert any("no boxes" in note for note in result.notes)
    rows = result.samples.frame.rows(named=True)
    assert FisheyeReader().load(rows[1]).shape == (60, 80, 1)


def test_several_formats_are_a_question_not_a_guess(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("a.txt", "car,0,1,2,30,40\n")
    write("a.xml", "<annotation></annotation>")
    with pytest.raises(UsageError, match="several formats are here: woodscape, voc") as refused:
        scan(tmp_path)
    assert "--format" in refused.value.hint
    assert len(scan(tmp_path, format="woodscape").samples) == 1


def test_what_was_asked_for_must_be_there(picture: Picture, tmp_path: Path) -> None:
    picture("a.png")
    for options, message in (
        ({"format": "kitti"}, "unknown annotation format"),
        ({"format": "coco"}, "no coco annotations"),
        ({"annotations": tmp_path / "labels"}, "no annotations at labels"),
        ({"calibration": tmp_path / "FV.json"}, "calibration FV.json: No such file"),
        ({"margin": -1.0}, "margin is -1"),
        ({"calibratoin": tmp_path}, "no option 'calibratoin'"),
    ):
        with pytest.raises(UsageError, match=message):
            scan(tmp_path, **options)
    with pytest.raises(UsageError, match="there is no"):
        scan(tmp_path / "nowhere")


def test_an_empty_folder_has_no_samples_and_no_problems(tmp_path: Path) -> None:
    result = scan(tmp_path)
    assert (len(result.samples), len(result.problems)) == (0, 0)


# faults --------------------------------------------------------------------------------------------------------------


def test_every_bad_line_is_told_with_its_number(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write(
        "a.txt",
        "car,0,10,20,30,50\ncar,0,10,20\ncar,0,ten,20,30,50\n\ncar,0,30,20,10,50\ncar,0,100,20,130,50\ncar,0,5,5,5,9\n"
        ",0,1,2,3,4\ncar,0,nan,2,30,40\n",
    )
    result = scan(tmp_path)
    assert len(result.samples) == 1
    assert causes(result) == [
        ("a.txt", "line 2: 4 fields, not the 6 of name,index,left,top,right,bottom"),
        ("a.txt", "line 3: left is 'ten', not a number"),
        ("a.txt", "line 8: the class name is empty"),
        ("a.txt", "line 9: left is 'nan', not a number"),
        ("a.txt", "line 5: box (30, 20, 10, 50) has no area"),
        ("a.txt", "line 6: box (100, 20, 130, 50) is outside the image of 80×60, or under a pixel"),
        ("a.txt", "line 7: box (5, 5, 5, 9) has no area"),
    ]


def test_bad_yolo_lines(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("a.txt", "0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2\n1.5 0.5 0.5 0.2 0.2\n0 50 0.5 0.2 0.2\n")
    result = scan(tmp_path)
    assert len(result.samples) == 1
    assert [cause.split(":")[0] for _, cause in causes(result)] == ["line 2", "line 3", "line 4"]


def test_a_box_over_the_edge_is_clipped_and_counted(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("a.txt", "car,0,-10,20,30,50\ncar,0,60,40,90,70\n")
    result = scan(tmp_path)
    assert [row[2:] for row in boxes(result)] == [(0, 20, 30, 50), (60, 40, 80, 60)]
    assert any("2 boxes reach beyond" in note for note in result.notes)


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_truncated_pictures_are_found_without_decoding(name: str, picture: Picture, tmp_path: Path) -> None:
    whole = picture(name, 200, 150)
    picture("whole/b.png")
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    (tmp_path / "nothing.png").write_bytes(b"")
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == ["whole/b.png"]
    assert dict(causes(result)) == {
        name: "the file is truncated: its end mark is missing",
        "nothing.png": "not a picture, or its header is damaged",
        "text.png": "not a picture, or its header is damaged",
    }


def test_image_and_annotation_without_each_other(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("rgb_images/a.png")
    picture("rgb_images/b.png")
    picture("rgb_images/none.png")
    write("box_2d_annotations/a.txt", "car,0,10,20,30,50\n")
    write("box_2d_annotations/none.txt", "")
    write("box_2d_annotations/c.txt", "car,0,10,20,30,50\n")
    result = scan(tmp_path)
    assert len(result.samples) == 1
    assert causes(result) == [
        ("b.png", "no annotation of this image"),
        ("c.txt", "annotates an image that is not here"),
    ]


def test_xml_that_swells_is_not_read(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    picture("b.png")
    write("a.xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><annotation>&a;</annotation>')
    write("b.xml", "<annotation><object>")
    result = scan(tmp_path)
    assert [(name, cause.split(":")[0]) for name, cause in causes(result)] == [
        ("a.xml", "the XML declares a document type or entities"), ("b.xml", "not XML"),
    ]  # fmt: skip


# calibration ---------------------------------------------------------------------------------------------------------


def test_place_on_the_lens(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png", 100, 80)
    write("a.txt", "car,0,69,59,72,62\n")
    lens = {"model": "equidistant", "f": 50, "width": 100, "height": 80, "cx": 40, "cy": 30}
    result = scan(tmp_path, calibration=write("lens/only.json", lens))
    row = result.samples.frame.row(0, named=True)
    assert row["radius"] == pytest.approx(30 * np.sqrt(2))  # the box's middle pixel is (70, 60)
    assert row["radius_norm"] == pytest.approx(30 * np.sqrt(2) / np.hypot(59.5, 49.5))
    theta = 30 * np.sqrt(2) / 50
    assert row["theta"] == pytest.approx(np.degrees(theta))
    assert row["phi"] == pytest.approx(45)
    assert row["distortion"] == pytest.approx(theta / np.sin(theta))
    assert (row["cx"], row["cy"], row["aspect"], row["lens_1"]) == (40, 30, 1, 50)
    assert "lens_2" not in row


def test_without_calibration_the_angle_is_unknown_and_said(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png", 100, 80)
    write("a.txt", "car,0,69,39,72,42\n")
    result = scan(tmp_path)
    row = result.samples.frame.row(0, named=True)
    assert row["radius"] == pytest.approx(np.hypot(70 - 49.5, 40 - 39.5))
    assert row["theta"] is None
    assert row["distortion"] is None
    assert any("no calibration" in note for note in result.notes)


def test_a_folder_of_calibrations_by_camera_and_by_image(picture: Picture, write: Write, tmp_path: Path) -> None:
    lens = {"model": "equidistant", "f": 50.0, "width": 100, "height": 80}
    for name in ("1_FV", "2_FV", "1_top"):
        picture(f"rgb_images/{name}.png", 100, 80)
        write(f"box_2d_annotations/{name}.txt", "car,0,60,30,80,50\n")
    write("calibration/FV.json", lens)
    write("calibration/2_FV.json", {**lens, "f": 60.0})
    result = scan(tmp_path)
    assert result.samples.frame["lens_1"].to_list() == [50, 60]
    assert causes(result) == [("1_top.png", "no calibration for camera '1_top' (there are 2_FV, FV)")]
    write("calibration/top.json", {**lens, "f": 70.0})
    assert dict(zip(*scan(tmp_path).samples.frame[["camera", "lens_1"]].get_columns(), strict=True))["top"] == 70
    assert "calibration: found in the source as calibration" in result.notes


def test_a_resized_image_scales_and_a_cropped_one_is_a_problem(picture: Picture, write: Write, tmp_path: Path) -> None:
    lens = {"model": "equidistant", "f": 50.0, "width": 200, "height": 160}
    picture("half.png", 100, 80)
    write("half.txt", "car,0,60,30,80,50\n")
    picture("cut.png", 100, 60)
    write("cut.txt", "car,0,60,30,80,50\n")
    result = scan(tmp_path, calibration=write("lens/one.json", lens))
    assert result.samples.frame["lens_1"].to_list() == [25]
    assert causes(result) == [("cut.png", "its 100×60 px are no resize of the calibration's 200×160")]


def test_a_calibration_without_model_ends_the_scan(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    for path in ("calibration/FV.json", "calibration.json"):
        file = write(path, {"intrinsic": {"k1": 1.0, "width": 80, "height": 60}})
        with pytest.raises(UsageError, match="names no lens model"):
            scan(tmp_path)
        file.unlink()
        if file.parent != tmp_path:
            file.parent.rmdir()


# names ---------------------------------------------------------------------------------------------------------------


def test_recording_frame_and_camera(picture: Picture, tmp_path: Path) -> None:
    for name in ("rec01_0003_FV", "rec01_0003_RV", "rec02_0000_FV"):
        picture(f"{name}.png", 8, 8)
    frame = scan(tmp_path).samples.frame
    assert frame["recording"].to_list() == ["rec01", "rec01", "rec02"]
    assert frame["frame"].to_list() == ["rec01_0003", "rec01_0003", "rec02_0000"]
    assert frame["camera"].to_list() == ["FV", "RV", "FV"]


def test_recordings_as_folders(picture: Picture, tmp_path: Path) -> None:
    for name in ("drive1/images/0001_FV", "drive2/images/0001_FV"):
        picture(f"{name}.png", 8, 8)
    frame = scan(tmp_path).samples.frame
    assert frame["recording"].to_list() == ["drive1", "drive2"]
    assert frame["frame"].to_list() == ["drive1/0001", "drive2/0001"]


def test_a_common_prefix_is_no_recording(picture: Picture, tmp_path: Path) -> None:
    for name in ("img_001", "img_002"):
        picture(f"{name}.png", 8, 8)
    result = scan(tmp_path)
    assert result.samples.frame["recording"].null_count() == 2
    assert any("no recording" in note for note in result.notes)


# pixels --------------------------------------------------------------------------------------------------------------


def test_crops_are_the_pixels_of_the_box_in_their_own_type(picture: Picture, write: Write, tmp_path: Path) -> None:
    path = picture("a.png")
    write("a.txt", "car,0,10,20,30,50\ncar,0,70,50,80,60\n")
    reader, whole = FisheyeReader(), np.asarray(Image.open(path))
    rows = reader.scan(tmp_path).samples.frame.rows(named=True)
    first, second = reader.load_file(str(path), rows)
    assert (first == whole[20:50, 10:30]).all()
    assert first.dtype == np.uint8
    assert (reader.load(rows[1]) == second).all()
    wide = reader.scan(tmp_path, margin=0.25).samples.frame.rows(named=True)
    assert reader.load(wide[0]).shape == (46, 36, 3)  # a quarter of 30, rounded outwards, on every side
    assert reader.load(wide[1]).shape == (13, 13, 3)  # and not beyond the image


def test_sixteen_bits_palettes_and_transparency(tmp_path: Path) -> None:
    deep = (np.arange(48).reshape(6, 8) * 1000).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.new("P", (8, 6)).save(tmp_path / "palette.png")
    Image.new("RGBA", (8, 6), (10, 20, 30, 40)).save(tmp_path / "clear.png")
    Image.new("1", (8, 6), 1).save(tmp_path / "bits.png")
    result = scan(tmp_path)
    loaded = {row["image"]: FisheyeReader().load(row) for row in result.samples.frame.rows(named=True)}
    told = dict(result.samples.frame.select("image", "channels").rows())
    assert (loaded["deep.png"][:, :, 0] == deep).all()
    assert loaded["deep.png"].dtype == np.uint16
    assert loaded["palette.png"].shape == (6, 8, 3)
    assert loaded["clear.png"][0, 0].tolist() == [10, 20, 30]
    assert loaded["bits.png"].max() == 255
    assert {name: pixels.shape[2] for name, pixels in loaded.items()} == told


def test_loading_tells_what_is_wrong(picture: Picture, tmp_path: Path) -> None:
    path = picture("a.png")
    box = {"left": 70.0, "top": 0.0, "right": 90.0, "bottom": 10.0}
    with pytest.raises(ReadError, match="outside the image of 80×60"):
        FisheyeReader().load({"path": str(path), **box})
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ReadError, match="can't be read"):
        FisheyeReader().load({"path": str(path)})
