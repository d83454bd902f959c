"""YOLO's text: one object a line, ``class x y width height`` or ``class x1 y1 x2 y2 …``, relative to the image."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.quantities import plural
from ssl_domains.samples import ReadError
from ssl_domains_fisheye.annotations.annotation import Annotation
from ssl_domains_fisheye.annotations.box import Box, number

__all__ = ["is_line", "parse"]

# Programs round 1 to 1.0000001, and a polygon's corner may lie a little beyond the image; pixels are far beyond.
_TOLERANCE = 0.01
_MOST_CLASSES = 1_000_000


def is_line(line: str) -> bool:
    """Whether a line is one of this format: a class number, and a box or polygon of shares."""
    try:
        _box(line.split(), 1, Path())
    except ReadError:
        return False
    return True


def parse(path: Path, text: str, keypoints: int = 0) -> Annotation:
    """The boxes of one file, as shares of the picture's sides; the class is the number, as text.

    The extent of a polygon is its box. Lines of both kinds may stand in one file. A bad line is a fault with its
    number, the others are kept.

    Args:
        path: The file.
        text: Its content.
        keypoints: How many numbers of key points follow each box, as the data set declares; they are no polygon.
    """
    boxes, faults, polygons = [], [], 0
    for count, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        if keypoints and len(fields) == 5 + keypoints:
            fields = fields[:5]
        try:
            boxes.append(_box(fields, count, path))
            polygons += len(fields) != 5
        except ReadError as error:
            faults.append(f"line {count}: {error}")
    return Annotation(path, "yolo", tuple(boxes), tuple(faults), relative=True, rotated=polygons)


def _box(fields: list[str], count: int, path: Path) -> Box:
    polygon = len(fields) >= 7 and len(fields) % 2 == 1
    if len(fields) != 5 and not polygon:
        raise ReadError(f"{plural(len(fields), 'field')}, not the 5 of class x y width height, and no polygon")
    code, *places = (number(field, "a field") for field in fields)
    if code != int(code) or not 0 <= code < _MOST_CLASSES:
        raise ReadError(f"the class {fields[0]!r} is not a number of a class")
    if not all(-_TOLERANCE <= place <= 1 + _TOLERANCE for place in places):
        raise ReadError("coordinates must be relative to the image, 0 to 1")
    if polygon:
        left, right, top, bottom = min(places[::2]), max(places[::2]), min(places[1::2]), max(places[1::2])
    else:
        x, y, w, h = places
        left, right, top, bottom = x - w / 2, x + w / 2, y - h / 2, y + h / 2
    return Box(str(count), str(int(code)), left, top, right, bottom, path, f"line {count}")
