"""WoodScape's box text: one object a line, ``name,index,left,top,right,bottom`` in pixels."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.samples import Problems, ReadError
from ssl_domains_fisheye.annotations.box import Box, number

__all__ = ["SUFFIX", "looks", "read"]

SUFFIX = ".txt"
_FIELDS = ("name", "index", "left", "top", "right", "bottom")


def looks(content: str) -> bool:
    """Whether a file's first line is one of this format."""
    return content.strip().partition("\n")[0].count(",") >= 2


def read(path: Path, size: tuple[int, int], problems: Problems) -> list[Box]:
    """The boxes of one file; a bad line is a problem with its number, the others are kept."""
    boxes = []
    for count, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        fields = [field.strip() for field in line.split(",")]
        try:
            if len(fields) != len(_FIELDS):
                raise ReadError(f"{len(fields)} fields, not the {len(_FIELDS)} of {','.join(_FIELDS)}")
            if not fields[0]:
                raise ReadError("the class name is empty")
            left, top, right, bottom = (number(fields[i], _FIELDS[i]) for i in range(2, 6))
        except ReadError as error:
            problems.add(path, f"line {count}: {error}")
            continue
        # The second field numbers the class, not the object: the line does that.
        boxes.append(Box(str(count), fields[0], left, top, right, bottom, path, f"line {count}"))
    return boxes
