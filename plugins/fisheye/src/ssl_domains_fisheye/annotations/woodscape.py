"""WoodScape's box text: one object a line, ``name,index,left,top,right,bottom`` in pixels."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.quantities import plural
from ssl_domains.samples import ReadError
from ssl_domains_fisheye.annotations.annotation import Annotation
from ssl_domains_fisheye.annotations.box import Box, number

__all__ = ["is_line", "parse"]

_FIELDS = ("name", "index", "left", "top", "right", "bottom")


def is_line(line: str) -> bool:
    """Whether a line is one of this format: a name, and five numbers, parted by commas."""
    try:
        _box(line, 1, Path())
    except ReadError:
        return False
    return True


def parse(path: Path, text: str) -> Annotation:
    """The boxes of one file; a bad line is a fault with its number, the others are kept."""
    boxes, faults = [], []
    for count, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            boxes.append(_box(line, count, path))
        except ReadError as error:
            faults.append(f"line {count}: {error}")
    return Annotation(path, "woodscape", tuple(boxes), tuple(faults))


def _box(line: str, count: int, path: Path) -> Box:
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != len(_FIELDS):
        raise ReadError(f"{plural(len(fields), 'field')}, not the {len(_FIELDS)} of {','.join(_FIELDS)}")
    if not fields[0]:
        raise ReadError("the class name is empty")
    left, top, right, bottom = (number(fields[i], _FIELDS[i]) for i in range(2, 6))
    # The second field numbers the class, not the object: the line does that.
    return Box(str(count), fields[0], left, top, right, bottom, path, f"line {count}")
