"""COCO's JSON: one file for many images, boxes as ``[x, y, width, height]`` in pixels.

CEPDOF and its like hold rotated boxes, ``[centre x, centre y, width, height, degrees clockwise]``: the extent of the
rotated box is the box.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, ReadError
from ssl_domains_fisheye.annotations.annotation import Annotation, declared_size
from ssl_domains_fisheye.annotations.box import Box, number
from ssl_domains_fisheye.annotations.text import read_text

__all__ = ["CocoFile", "looks", "read"]

_KEYS = re.compile(rb"\"(images|annotations)\"\s*:\s*[\[n]")
_LARGEST = 4 << 30


@dataclass
class CocoFile:
    """The content of one file.

    Attributes:
        images: What it says of each image, in the file's order. An image with no annotation has no boxes.
        crowds: How many crowd regions were left out.
        unnamed: How many boxes have their category's number as class, since the category has no name.
        encoding: Of the file, where it is not UTF-8.
    """

    images: list[Annotation] = field(default_factory=list)
    crowds: int = 0
    unnamed: int = 0
    encoding: str | None = None


def looks(path: Path) -> bool:
    """Whether a JSON file has a key of this format, so that it must be decoded. A damaged file may have one only.

    Raises:
        OSError: When it can't be read.
    """
    return _KEYS.search(path.read_bytes()) is not None


def read(path: Path, problems: Problems) -> CocoFile | None:
    """The boxes of every image; None for a file that is something else. A bad entry is a problem, the others are kept.

    Raises:
        ReadError: When it is damaged: no JSON, or no lists where COCO has them.
    """
    text, encoding = read_text(path, _LARGEST)
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ReadError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise ReadError("not COCO: the JSON is nested too deeply") from error
    if not isinstance(content, dict) or not {"images", "annotations"} <= set(content):
        return None
    if not isinstance(content["images"], list) or not isinstance(content["annotations"], list):
        raise ReadError("not COCO: 'images' and 'annotations' must be lists")
    if _has_no_boxes(content["annotations"]):
        return None
    images = _images(path, content["images"], problems)
    result = CocoFile(encoding=encoding)
    boxes = _boxes(path, content, images, result, problems)
    for key, (name, size) in images.items():
        if name is not None:
            rotated = sum(turned for _, turned in boxes[key])
            made = tuple(box for box, _ in boxes[key])
            result.images.append(Annotation(path, "coco", made, picture=name, size=size, rotated=rotated))
    return result


def _has_no_boxes(annotations: list[Any]) -> bool:
    """Whether a whole file is about something else than boxes, such as captions."""
    about_images = [entry for entry in annotations if isinstance(entry, dict) and "image_id" in entry]
    return bool(about_images) and not any("bbox" in entry or _is_polygon(entry) for entry in about_images)


def _images(path: Path, entries: list[Any], problems: Problems) -> dict[Any, tuple[str | None, Any]]:
    """File name and declared size by image id; the name is None where an id stands for several images."""
    images: dict[Any, tuple[str | None, Any]] = {}
    for count, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            problems.add(path, f"image {count}: not an object")
            continue
        key, name = entry.get("id"), entry.get("file_name")
        if not _is_id(key) or not isinstance(name, str) or not name.strip():
            what = "its id is no number or text" if not _is_id(key) else "it has no file_name"
            problems.add(path, f"image {count}: {what}")
            continue
        if key in images and images[key][0] != name:
            problems.add(path, f"image id {_shown(key)} stands for several images: its boxes belong to none of them")
            images[key] = (None, None)
            continue
        images[key] = (name, declared_size(entry.get("width"), entry.get("height")))
    return images


def _categories(path: Path, content: dict[str, Any], problems: Problems) -> dict[Any, str | None]:
    """Names by category id; None where a category has no name, or two."""
    entries = content.get("categories", [])
    if not isinstance(entries, list):
        problems.add(path, "'categories' is no list: classes keep their numbers")
        return {}
    names: dict[Any, str | None] = {}
    for count, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not _is_id(entry.get("id")):
            problems.add(path, f"category {count}: its id is no number or text")
            continue
        key, name = entry["id"], entry.get("name")
        text = str(name).strip() if isinstance(name, str | int | float) and not isinstance(name, bool) else ""
        if key in names and names[key] != (text or None):
            problems.add(path, f"category id {_shown(key)} has several names: its class is its number")
            text = ""
        names[key] = text or None
    return names


def _boxes(
    path: Path, content: dict[str, Any], images: dict[Any, tuple[str | None, Any]], result: CocoFile, problems: Problems
) -> dict[Any, list[tuple[Box, bool]]]:
    names = _categories(path, content, problems)
    boxes: dict[Any, list[tuple[Box, bool]]] = defaultdict(list)
    ids: set[tuple[Any, str]] = set()
    homeless: Counter[str] = Counter()
    for count, entry in enumerate(content["annotations"], start=1):
        where = f"annotation {_shown(entry.get('id', count)) if isinstance(entry, dict) else count}"
        try:
            if not isinstance(entry, dict):
                raise ReadError("not an object")
            if entry.get("iscrowd"):
                result.crowds += 1
                continue
            image, category = entry.get("image_id"), entry.get("category_id")
            if not _is_id(image) or image not in images:
                raise ReadError(f"image_id {_shown(image)} is in no image")
            if images[image][0] is None:
                homeless[_shown(image)] += 1
                continue
            if not _is_id(category) or (names and category not in names):
                raise ReadError(f"category_id {_shown(category)} is in no category")
            name = names.get(category)
            key = str(entry.get("id", count))
            polygon = not entry.get("bbox") and _is_polygon(entry)
            edges, turned = _extent(entry["segmentation"]) if polygon else _edges(entry.get("bbox"))
            if (image, key) in ids:
                raise ReadError("this id was there before")
        except ReadError as error:
            problems.add(path, f"{where}: {error}")
            continue
        ids.add((image, key))
        result.unnamed += name is None
        boxes[image].append((Box(key, name or str(category), *edges, path, where), turned))
    for image, number_of in homeless.items():
        problems.add(path, f"{plural(number_of, 'box', 'boxes')} of image id {image}, which stands for several images")
    return boxes


def _is_polygon(entry: dict[str, Any]) -> bool:
    """Whether an entry has a segmentation of polygons, each a flat list of x and y; masks of runs are none."""
    parts = entry.get("segmentation")
    return isinstance(parts, list) and bool(parts) and all(isinstance(part, list) and len(part) >= 6 for part in parts)


def _extent(polygons: list[list[Any]]) -> tuple[tuple[float, float, float, float], bool]:
    """Left, top, right and bottom of some polygons, as `_edges` gives them."""
    if any(len(polygon) % 2 for polygon in polygons):
        raise ReadError("segmentation has a polygon with an x and no y")
    xs, ys = (
        [_number(value, "segmentation") for polygon in polygons for value in polygon[start::2]] for start in (0, 1)
    )
    return (min(xs), min(ys), max(xs), max(ys)), True


def _number(value: Any, what: str) -> float:
    return number(str(value) if isinstance(value, str | int | float) else "", what)


def _edges(bbox: Any) -> tuple[tuple[float, float, float, float], bool]:
    """Left, top, right and bottom of a box, and whether it was rotated, so that this is its extent only."""
    if not isinstance(bbox, list) or len(bbox) not in (4, 5):
        raise ReadError("bbox is not [x, y, width, height], nor [cx, cy, width, height, degrees]")
    values = [_number(value, "bbox") for value in bbox]
    x, y, w, h = values[:4]
    if len(values) == 4:
        return (x, y, x + w, y + h), False
    if w <= 0 or h <= 0:
        raise ReadError(f"the rotated box has the sides {w:g} and {h:g}")
    # The extent of a rectangle is the same whether it is turned clockwise or back.
    across, down = abs(math.cos(math.radians(values[4]))), abs(math.sin(math.radians(values[4])))
    half_width, half_height = (w * across + h * down) / 2, (w * down + h * across) / 2
    return (x - half_width, y - half_height, x + half_width, y + half_height), True


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= 40 else text[:39] + "…"
