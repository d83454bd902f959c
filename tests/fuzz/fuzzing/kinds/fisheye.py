"""Annotations in COCO, YOLO, Pascal VOC and WoodScape, and calibrations of lenses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fuzzing.kind import READ, REFUSED, Command, Kind, Plan
from fuzzing.kinds.shared import picture
from fuzzing.mutations.raw import RAW
from fuzzing.mutations.text import TEXT
from fuzzing.mutations.tree import JSON
from fuzzing.mutations.xml import XML

__all__ = ["KINDS"]

WIDTH, HEIGHT = 24, 20


def _plans(format: str) -> tuple[Plan, ...]:
    # Without --format, damage can make one format look like another, and the command asks which it is.
    named = Command(f"fisheye scan in -o out.parquet --format {format}", READ, "out.parquet")
    return Plan((named,), 3), Plan((Command("fisheye scan in -o out.parquet", REFUSED, "out.parquet"),), 1)


def _coco(first: int, names: list[str]) -> bytes:
    boxes = [
        {
            "id": first + i,
            "image_id": first + i,
            "category_id": 1 + i % 2,
            "bbox": [2, 3, 9.5, 8],
            "area": 76,
            "iscrowd": 0,
        }
        for i in range(len(names))
    ]
    images = [{"id": first + i, "file_name": name, "width": WIDTH, "height": HEIGHT} for i, name in enumerate(names)]
    categories = [{"id": 1, "name": "car", "supercategory": "vehicle"}, {"id": 2, "name": "person"}]
    return json.dumps({"images": images, "annotations": boxes, "categories": categories}, indent=1).encode()


def make_coco(folder: Path, shared: Path) -> None:
    """Two folders of pictures, each with a COCO file of its own."""
    for part, first in (("good", 1), ("target", 11)):
        source = folder / "split" / "in" / part
        for number in range(2):
            picture(source / f"{part}{number}.png", first + number)
        (source / "_annotations.coco.json").write_bytes(_coco(first, [f"{part}0.png", f"{part}1.png"]))


def make_yolo(folder: Path, shared: Path) -> None:
    """Pictures with label files; in one case the names of the classes stand beside them."""
    for case, names in (("plain", ""), ("named", "classes.txt"), ("yaml", "data.yaml")):
        source = folder / case / "in"
        for number, name in enumerate(("good0", "good1", "target")):
            picture(source / "images" / f"{name}.png", number)
            (source / "labels").mkdir(exist_ok=True)
            (source / "labels" / f"{name}.txt").write_text("0 0.5 0.5 0.4 0.3\n1 0.25 0.25 0.2 0.2\n", encoding="utf-8")
        if names == "classes.txt":
            (source / "labels" / names).write_text("car\nperson\n", encoding="utf-8")
        elif names:
            (source / names).write_text(
                "path: .\ntrain: images\nnc: 2\nnames:\n  0: car\n  1: person\n", encoding="utf-8"
            )


_VOC = """<annotation>
  <folder>JPEGImages</folder><filename>{name}.png</filename>
  <size><width>24</width><height>20</height><depth>3</depth></size>
  <object><name>car</name><pose>Left</pose><truncated>0</truncated><difficult>0</difficult>
    <bndbox><xmin>3</xmin><ymin>4</ymin><xmax>15</xmax><ymax>12.5</ymax></bndbox></object>
  <object><name>person</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>
</annotation>
"""


def make_voc(folder: Path, shared: Path) -> None:
    """Pictures with an XML file each."""
    source = folder / "plain" / "in"
    for number, name in enumerate(("good0", "good1", "target")):
        picture(source / "JPEGImages" / f"{name}.png", number)
        (source / "Annotations").mkdir(exist_ok=True)
        (source / "Annotations" / f"{name}.xml").write_text(_VOC.format(name=name), encoding="utf-8")


def make_woodscape(folder: Path, shared: Path) -> None:
    """Pictures with the box files that WoodScape publishes."""
    source = folder / "boxes" / "in"
    for number, name in enumerate(("00000_FV", "00001_FV", "00002_FV")):
        picture(source / "rgb_images" / f"{name}.png", number)
        (source / "box_2d_annotations").mkdir(exist_ok=True)
        text = "vehicles,0,2,3,12,11\nperson,1,5,4,9,18\n"
        (source / "box_2d_annotations" / f"{name}.txt").write_text(text, encoding="utf-8")


_SIDES = {"width": WIDTH, "height": HEIGHT}
_LENSES: dict[str, dict[str, Any]] = {
    "equidistant": {"model": "equidistant", "f": 8.0, "cx": 11.4, "cy": 9.6, **_SIDES},
    "image_circle": {"model": "equidistant", "radius": 12, "fov": 180, **_SIDES},
    "kannala_brandt": {
        "model": "kannala_brandt", "fx": 8.0, "fy": 8.1, "cx": 11.4, "cy": 9.6,
        "k1": -0.01, "k2": 0.001, "k3": 0.0, "k4": 0.0, **_SIDES,
    },
    "woodscape": {
        "extrinsic": {"quaternion": [0.5, -0.5, 0.5, -0.5], "translation": [3.7, 0.0, 0.6]},
        "intrinsic": {
            "model": "radial_poly", "aspect_ratio": 1.0, "cx_offset": 0.4, "cy_offset": -0.3, "poly_order": 4,
            "k1": 8.0, "k2": -0.5, "k3": 0.3, "k4": -0.05, "width": 24.0, "height": 20.0,
        },
        "name": "FV",
    },
}  # fmt: skip


def make_calibration(folder: Path, shared: Path) -> None:
    """Two pictures with boxes, and a calibration of each lens model, named on the command line and in a folder."""
    for case, lens in _LENSES.items():
        _calibrated(folder / case, "FV.json", json.dumps(lens, indent=1))


def _calibrated(case: Path, name: str, text: str) -> None:
    for number in range(2):
        picture(case / "in" / "rgb_images" / f"0000{number}_FV.png", number)
        boxes = case / "in" / "box_2d_annotations" / f"0000{number}_FV.txt"
        boxes.parent.mkdir(exist_ok=True)
        boxes.write_text("vehicles,0,2,3,12,11\n", encoding="utf-8")
    (case / "lens").mkdir()
    (case / "lens" / name).write_text(text, encoding="utf-8")


def _lens_plans(name: str) -> tuple[Plan, ...]:
    lines = (
        (3, f"fisheye scan in -o out.parquet --calibration lens/{name}"),
        (1, "fisheye scan in -o out.parquet --calibration lens"),
        (1, f"fisheye regions in/rgb_images/00000_FV.png --calibration lens/{name} --by theta -o rings.png"),
    )
    return tuple(Plan((Command(words),), weight) for weight, words in lines)


_YAML = {
    "kalibr": """cam0:
  camera_model: pinhole
  distortion_model: equidistant
  distortion_coeffs: [0.01, 0.0, 0.0, 0.0]
  intrinsics: [8.0, 8.1, 11.4, 9.6]
  resolution: [24, 20]
  rostopic: /camera
""",
    "kitti360": """%YAML:1.0
---
model_type: MEI
camera_name: image_02
image_width: 24
image_height: 20
mirror_parameters:
   xi: 2.2
distortion_parameters:
   k1: 0.01
   k2: 0.02
   p1: 0.0
   p2: 0.0
projection_parameters:
   gamma1: 26.0
   gamma2: 26.0
   u0: 11.4
   v0: 9.6
""",
}


def make_yaml_calibration(folder: Path, shared: Path) -> None:
    """Two pictures with boxes, and a calibration as Kalibr or camodocal writes it."""
    for case, text in _YAML.items():
        _calibrated(folder / case, "FV.yaml", text)


KINDS = (
    Kind(
        "coco", make_coco, ("in/target/*.json",), (*RAW, *TEXT, *JSON, *JSON, *JSON), _plans("coco"), ("in/good/*.png",)
    ),
    Kind(
        "yolo",
        make_yolo,
        ("in/labels/target.txt", "in/labels/classes.txt", "in/data.yaml"),
        (*RAW, *TEXT, *TEXT),
        _plans("yolo"),
        ("in/images/good*.png",),
    ),
    Kind(
        "voc",
        make_voc,
        ("in/Annotations/target.xml",),
        (*RAW, *TEXT, *XML, *XML),
        _plans("voc"),
        ("in/JPEGImages/good*.png",),
    ),
    Kind(
        "woodscape",
        make_woodscape,
        ("in/box_2d_annotations/00002_FV.txt",),
        (*RAW, *TEXT, *TEXT),
        _plans("woodscape"),
        ("in/rgb_images/0000[01]_FV.png",),
    ),
    Kind("calibration", make_calibration, ("lens/*",), (*RAW, *TEXT, *JSON * 3), _lens_plans("FV.json")),
    Kind("calibration_yaml", make_yaml_calibration, ("lens/*",), (*RAW, *TEXT * 3), _lens_plans("FV.yaml")),
)
