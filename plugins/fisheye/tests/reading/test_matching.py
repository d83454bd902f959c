"""Which annotation belongs to which picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import ScanResult
from ssl_domains_fisheye.reader import FisheyeReader

Picture = Callable[..., Path]
Write = Callable[[str, Any], Path]
BOX = "car,0,10,20,30,50\n"


def scan(source: Path, **options: Any) -> ScanResult:
    return FisheyeReader().scan(source, **options)


def boxes(result: ScanResult) -> list[tuple[Any, ...]]:
    return result.samples.frame.select("image", "class", "left").rows()


def causes(result: ScanResult) -> list[tuple[str, str]]:
    return [(Path(path).name, cause) for path, cause in result.problems.rows()]


def noted(result: ScanResult, words: str) -> bool:
    return any(words in note for note in result.notes)


def coco(*entries: tuple[str, int], **image: Any) -> dict[str, Any]:
    """One box for each (file name, left edge)."""
    return {
        "images": [{"id": i, "file_name": name, **image} for i, (name, _) in enumerate(entries)],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 1, "bbox": [left, 1, 10, 10]} for i, (_, left) in enumerate(entries)
        ],
        "categories": [{"id": 1, "name": "car"}],
    }


def voc(name: str, declared: str, left: int = 10, folder: str = "") -> str:
    return (
        f"<annotation><folder>{folder}</folder><filename>{declared}</filename><object><name>{name}</name><bndbox>"
        f"<xmin>{left + 1}</xmin><ymin>1</ymin><xmax>40</xmax><ymax>40</ymax></bndbox></object></annotation>"
    )


# by folder ----------------------------------------------------------------------------------------------------------


def test_boxes_stay_in_their_folder(picture: Picture, write: Write, tmp_path: Path) -> None:
    for name in ("dogs/1", "not_dogs/1", "not_dogs/2", "dogs/3"):
        picture(f"images/{name}.png")
    write("labels/dogs/1.txt", "0 0.5 0.5 0.2 0.2\n")
    write("labels/dogs/2.txt", "0 0.5 0.5 0.2 0.2\n")  # its name is unique, but dogs/ has pictures of its own
    write("labels/dogs/3.txt", "0 0.5 0.5 0.2 0.2\n")
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == ["images/dogs/1.png", "images/dogs/3.png"]
    assert causes(result) == [
        ("1.png", "no annotation of this image"),
        ("2.png", "no annotation of this image"),
        ("2.txt", "annotates an image that is not here; one of its name is in another folder"),
    ]
    assert not noted(result, "matched by name")


def test_a_bare_name_is_enough_where_it_is_unique_and_is_noted(picture: Picture, write: Write, tmp_path: Path) -> None:
    for name in ("2021/a", "2021/b", "2022/b"):
        picture(f"images/{name}.png")
    write("labels/a.txt", BOX)
    write("labels/b.txt", BOX)
    result = scan(tmp_path)
    assert boxes(result) == [("images/2021/a.png", "car", 10)]
    assert noted(result, "matched by name: 1 picture ")
    assert [cause for _, cause in causes(result)][:2] == ["no annotation of this image"] * 2


def test_kind_folders_may_stand_above_or_below_a_split(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/train/a.png")
    picture("val/images/a.png")
    write("labels/train/a.txt", "car,0,1,20,30,50\n")
    write("val/labels/a.txt", "car,0,2,20,30,50\n")
    assert boxes(scan(tmp_path)) == [("images/train/a.png", "car", 1), ("val/images/a.png", "car", 2)]


def test_two_pictures_that_differ_in_their_ending_are_not_guessed(
    picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("images/a.png")
    picture("images/a.jpg")
    write("labels/a.txt", BOX)
    result = scan(tmp_path)
    assert len(result.samples) == 0
    assert sorted(name for name, _ in causes(result)) == ["a.jpg", "a.png", "a.txt"]
    write("annotations/one.json", coco(("a.jpg", 7)))  # the whole name is declared
    assert boxes(scan(tmp_path, format="coco")) == [("images/a.jpg", "car", 7)]


def test_the_annotation_beside_a_picture_is_nearer(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    picture("images/a.png")
    write("a.txt", BOX)
    result = scan(tmp_path)
    assert boxes(result) == [("a.png", "car", 10)]
    assert causes(result) == [("a.png", "no annotation of this image")]


def test_a_name_with_the_pictures_ending_in_it(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/a.png")
    write("labels/a.png.txt", BOX)
    assert boxes(scan(tmp_path)) == [("images/a.png", "car", 10)]


# by declared name ---------------------------------------------------------------------------------------------------


def test_voc_follows_the_declared_name(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/IMG 1.png")
    picture("images/0001.png")
    write("annotations/0001.xml", voc("car", "IMG 1.png"))
    result = scan(tmp_path)
    assert boxes(result) == [("images/IMG 1.png", "car", 10)]
    assert causes(result) == [("0001.png", "no annotation of this image")]


def test_voc_with_a_name_that_no_picture_has_goes_by_its_place(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/0001.png")
    write("annotations/0001.xml", voc("car", "before_renaming.png", folder="VOC2007"))
    result = scan(tmp_path)
    assert boxes(result) == [("images/0001.png", "car", 10)]
    assert noted(result, "1 annotation declares a name that no picture has")


def test_voc_files_copied_with_a_stale_name_take_no_boxes_from_others(
    picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("images/a.png")
    picture("images/b.png")
    write("annotations/a.xml", voc("car", "b.png", left=1))
    write("annotations/b.xml", voc("car", "b.png", left=2))
    result = scan(tmp_path)
    assert boxes(result) == [("images/b.png", "car", 2)]
    assert causes(result) == [
        ("a.png", "no annotation of this image"),
        ("a.xml", "the image it names has another annotation"),
    ]


@pytest.mark.parametrize(
    "declared",
    ["images\\train\\a.png", "C:\\data\\images\\train\\a.png", "/home/me/images/train/a.png", "./train/a.png"],
)
def test_paths_of_other_machines(declared: str, picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/train/a.png")
    picture("images/val/a.png")
    write("instances.json", coco((declared, 3)))
    assert boxes(scan(tmp_path)) == [("images/train/a.png", "car", 3)]


def test_folders_above_those_that_are_declared(picture: Picture, write: Write, tmp_path: Path) -> None:
    for day in ("monday", "tuesday"):
        picture(f"{day}/camera/images/a.png")
    write("instances.json", coco(("tuesday/camera/a.png", 3)))
    assert boxes(scan(tmp_path)) == [("tuesday/camera/images/a.png", "car", 3)]
    write("instances.json", coco(("/data/tuesday/camera/a.png", 3), ("camera/a.png", 4)))
    result = scan(tmp_path)
    assert boxes(result) == [("tuesday/camera/images/a.png", "car", 3)]
    assert [cause for _, cause in causes(result)] == [
        "its annotation could belong to another image of nearly the same path",
        "it could belong to several images of nearly the same path",
    ]


def test_a_coco_file_in_each_split_folder(picture: Picture, write: Write, tmp_path: Path) -> None:
    for left, split in enumerate(("train", "valid"), start=1):
        picture(f"{split}/1.png")
        picture(f"{split}/only_{split}.png")
        write(f"{split}/_annotations.coco.json", coco(("1.png", left), (f"only_{split}.png", left)))
    assert boxes(scan(tmp_path)) == [
        ("train/1.png", "car", 1), ("train/only_train.png", "car", 1),
        ("valid/1.png", "car", 2), ("valid/only_valid.png", "car", 2),
    ]  # fmt: skip


def test_coco_files_named_like_their_folders(picture: Picture, write: Write, tmp_path: Path) -> None:
    for left, (folder, name) in enumerate((("Lunch1", "Lunch1"), ("train2017", "instances_train2017")), start=1):
        picture(f"{folder}/1.png")
        write(f"annotations/{name}.json", coco(("1.png", left)))
    assert boxes(scan(tmp_path)) == [("Lunch1/1.png", "car", 1), ("train2017/1.png", "car", 2)]


def test_two_coco_files_of_the_same_pictures_are_a_question(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/a.png")
    write("annotations/instances.json", coco(("a.png", 1)))
    write("annotations/persons.json", coco(("a.png", 2)))
    with pytest.raises(UsageError, match=r"several COCO files .*: instances\.json, persons\.json"):
        scan(tmp_path)
    assert boxes(scan(tmp_path, annotations=tmp_path / "annotations" / "persons.json")) == [("images/a.png", "car", 2)]


def test_captions_are_no_boxes(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/a.png")
    content = coco(("a.png", 1))
    write("annotations/instances.json", content)
    write("annotations/captions.json", {**content, "annotations": [{"id": 1, "image_id": 0, "caption": "a street"}]})
    result = scan(tmp_path)
    assert boxes(result) == [("images/a.png", "car", 1)]
    assert noted(result, "passed over, as they are no annotations: captions.json")


def test_one_image_id_for_two_pictures_gives_its_boxes_to_neither(
    picture: Picture, write: Write, tmp_path: Path
) -> None:
    for name in "abc":
        picture(f"{name}.png")
    content = coco(("a.png", 1), ("b.png", 2), ("c.png", 3))
    content["images"][1]["id"] = 0
    content["annotations"][1]["image_id"] = 0
    write("instances.json", content)
    result = scan(tmp_path)
    assert boxes(result) == [("c.png", "car", 3)]
    assert causes(result) == [
        ("instances.json", "image id 0 stands for several images: its boxes belong to none of them"),
        ("instances.json", "2 boxes of image id 0, which stands for several images"),
        ("a.png", "no annotation of this image"),
        ("b.png", "no annotation of this image"),
    ]


# masks and text that is no annotation -------------------------------------------------------------------------------


def test_woodscapes_published_layout(picture: Picture, write: Write, tmp_path: Path) -> None:
    names = [f"{i:05d}_{camera}" for i in range(2) for camera in ("FV", "RV", "MVL", "MVR")]
    for name in names:
        picture(f"rgb_images/{name}.png", 80, 60)
        write(f"box_2d_annotations/{name}.txt", "vehicles,0,11,38,25,57\n")
        for folder in ("semantic_annotations", "motion_annotations"):
            picture(f"{folder}/gtLabels/{name}.png", 80, 60, mode="L")
            picture(f"{folder}/rgbLabels/{name}.png", 80, 60)
        picture(f"previous_images/{name}_prev.png", 80, 60)
        write(f"instance_annotations/{name}.json", {f"{name}.json": {"annotation": [{"tags": ["car"]}]}})
        write(f"vehicle_data/rgb_images/{name}.json", {"timestamp": 1, "ego_speed": 2})
    write("box_2d_annotations/box_2d_annotation_info.json", {"classes_to_extract": ["vehicles"]})
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == sorted(f"rgb_images/{name}.png" for name in names)
    assert result.samples.frame["class"].to_list() == ["vehicles"] * 8
    assert causes(result) == []
    assert noted(result, "8 in motion_annotations/gtLabels, 8 in motion_annotations/rgbLabels, 8 in previous_images")
    assert noted(result, "8 files in instance_annotations")


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("raw_images/{}.jpg", "mask_images/{}.png"),
        ("images/{}.jpg", "masks/{}_mask.png"),
        ("images/{}.jpg", "masks/m{}.png"),
        ("JPEGImages/{}.jpg", "SegmentationClass/{}.png"),
        ("images/{}.jpg", "labels/{}.png"),
        ("img/train/{}.png", "gt/train/{}.png"),
        ("{}.jpg", "{}_mask.png"),
        ("city/{}_leftImg8bit.png", "gtFine/city/{}_gtFine_labelIds.png"),
        ("segmentation_set/images/{}.jpg", "segmentation_set/masks/{}.png"),
    ],
)
def test_masks_are_no_samples(images: str, masks: str, picture: Picture, tmp_path: Path) -> None:
    for name in ("a1", "b2"):
        picture(images.format(name))
        picture(masks.format(name), mode="L")
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == [images.format(name) for name in ("a1", "b2")]
    assert noted(result, "passed over, as masks")


@pytest.mark.parametrize(
    "names",
    [
        ("with_mask/1.jpg", "without_mask/2.jpg"),
        ("images/with_mask/1.jpg", "images/other/2.jpg"),
        ("labels/1.jpg", "bottles/2.jpg"),
        ("masks/1.png",),
        ("label.jpg", "mask.jpg"),
        ("flow/a.jpg", "still/b.jpg"),
        ("bottle.jpg", "bottle_label.jpg"),
        ("raw/2.jpg", "with_mask/1.jpg"),
        ("faces/1.jpg", "no_mask/1.jpg"),
    ],
)
def test_pictures_of_masks_are_samples(names: tuple[str, ...], picture: Picture, tmp_path: Path) -> None:
    for name in names:
        picture(name)
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == sorted(names)
    assert not noted(result, "passed over")


def test_text_that_is_no_annotation_is_passed_over_and_named(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/a.png")
    write("labels/a.txt", "0 0.5 0.5 0.2 0.2\n")
    write("README.txt", "Images, labels, and splits of our fisheye set\n")
    write("labels/train.txt", "images/a.png\n")
    write("poses.txt", "1.0 0 0 0 0 0 0 1\n2.0 0 0 0 0 0 0 1\n")
    write("odometry.txt", "0 0.1 0.2 0.3 0.4\n")
    write("info.json", {"year": 2024})
    write("notes.xml", "<notes/>")
    result = scan(tmp_path)
    assert result.samples.frame["class"].to_list() == ["0"]
    named = next(note for note in result.notes if note.startswith("passed over"))
    assert all(name in named for name in ("README.txt", "train.txt", "poses.txt", "info.json", "notes.xml"))
    assert causes(result) == [("odometry.txt", "annotates an image that is not here")]


def test_poses_alone_are_no_boxes(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/a.png")
    write("poses.txt", "1.0 0 0 0 0 0 0 1\n")
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == ["images/a.png"]
    assert noted(result, "no boxes: one row an image")
    assert noted(result, "passed over, as they are no annotations: poses.txt")


def test_a_caption_beside_a_picture_does_not_hide_its_boxes(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/a.png")
    write("images/a.txt", "a street, at night\n")
    write("labels/a.txt", "0 0.5 0.5 0.2 0.2\n")
    result = scan(tmp_path)
    assert boxes(result) == [("images/a.png", "0", 32)]
    assert causes(result) == []


def test_format_none_takes_whole_pictures(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("a.txt", BOX)
    write("a.xml", voc("car", "a.png"))
    result = scan(tmp_path, format="none")
    assert result.samples.frame.select("image", "class", "crop_right").rows() == [("a.png", None, 80)]
    assert noted(result, "no boxes: one row an image")
    assert result.samples.frame.schema["class"] == pl.String


def test_stray_rows_of_numbers_are_no_boxes_of_many_pictures(picture: Picture, write: Write, tmp_path: Path) -> None:
    for name in "abc":
        picture(f"images/{name}.png")
    write("odometry.txt", "0 0.1 0.2 0.3 0.4\n")
    write("log.txt", "start,0,1,2,3,4\n")
    result = scan(tmp_path)
    assert len(result.samples) == 3
    assert noted(result, "passed over, as they are no annotations: log.txt, odometry.txt")


def test_labels_with_a_field_too_many_are_not_taken_as_none(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("images/a.png")
    write("labels/a.txt", "0 0.5 0.5 0.2 0.2 0.98\n")
    result = scan(tmp_path)
    assert len(result.samples) == 0
    assert causes(result) == [("a.txt", "line 1: 6 fields, not the 5 of class x y width height, and no polygon")]


def test_many_images_that_are_not_here_are_one_problem(picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("0.png")
    write("instances.json", coco(*((f"{i}.png", 1) for i in range(1000))))
    result = scan(tmp_path)
    assert boxes(result) == [("0.png", "car", 1)]
    assert causes(result) == [("instances.json", "999 of its images: annotates an image that is not here")]
