"""What one annotation says of one picture: its boxes, and which picture of which size it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ssl_domains_fisheye.annotations.box import Box

__all__ = ["Annotation", "declared_size"]


@dataclass(frozen=True)
class Annotation:
    """The boxes of one picture, read from a file of its own or from one entry of a COCO file.

    Attributes:
        file: The file it was read from.
        format: ``woodscape``, ``coco``, ``yolo`` or ``voc``; None for a file that could not be read.
        boxes: In pixels, or, where ``relative``, as shares of the picture's width and height.
        faults: Causes of the lines and objects that were left out.
        relative: Whether the boxes are shares.
        picture: Path or name of the picture, as the file declares it; None when it declares none.
        folder: Folder that the file declares apart from the name (Pascal VOC).
        size: Width and height of the picture, as the file declares them.
        encoding: Of the file, where it is not UTF-8.
        rotated: How many boxes are the extent of a rotated box or of a polygon.
    """

    file: Path
    format: str | None
    boxes: tuple[Box, ...] = ()
    faults: tuple[str, ...] = field(default=())
    relative: bool = False
    picture: str | None = None
    folder: str | None = None
    size: tuple[int, int] | None = None
    encoding: str | None = None
    rotated: int = 0

    def in_pixels(self, size: tuple[int, int]) -> tuple[Box, ...]:
        """The boxes in the pixels of a picture of this width and height."""
        if not self.relative:
            return self.boxes
        width, height = size
        return tuple(
            replace(b, left=b.left * width, right=b.right * width, top=b.top * height, bottom=b.bottom * height)
            for b in self.boxes
        )

    def to_json(self) -> dict[str, Any]:
        """As a journal holds it, without the file's path."""
        boxes = [[b.number, b.name, b.left, b.top, b.right, b.bottom, b.where] for b in self.boxes]
        return {
            "format": self.format, "boxes": boxes, "faults": list(self.faults), "relative": self.relative,
            "picture": self.picture, "folder": self.folder, "size": self.size, "encoding": self.encoding,
            "rotated": self.rotated,
        }  # fmt: skip

    @classmethod
    def from_json(cls, file: Path, value: Mapping[str, Any]) -> Annotation:
        """The annotation of `to_json`."""
        boxes = tuple(Box(n, c, left, t, r, b, file, w) for n, c, left, t, r, b, w in value["boxes"])
        rest = {key: value[key] for key in ("format", "relative", "picture", "folder", "encoding", "rotated")}
        size = (value["size"][0], value["size"][1]) if value["size"] else None
        return cls(file=file, boxes=boxes, faults=tuple(value["faults"]), size=size, **rest)


def declared_size(width: Any, height: Any) -> tuple[int, int] | None:
    """Width and height that a file declares; None unless both are whole numbers above 0."""
    sides = []
    for value in (width, height):
        try:
            side = float(value)
        except (TypeError, ValueError, OverflowError):
            return None
        if not 0 < side < 1e9 or side != int(side):
            return None
        sides.append(int(side))
    return sides[0], sides[1]
