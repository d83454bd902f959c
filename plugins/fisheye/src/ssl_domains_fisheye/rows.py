"""Rows of the sample table: one for each box of a picture, or one for a picture without boxes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, ReadError
from ssl_domains_fisheye.annotations import Annotation, Box, clip
from ssl_domains_fisheye.images import Header
from ssl_domains_fisheye.lens import Camera
from ssl_domains_fisheye.pictures import crop_columns
from ssl_domains_fisheye.pictures.naming import Name
from ssl_domains_fisheye.regions import LENS, PLACE, lens_columns, place, unimaged, unread_terms

__all__ = ["SCHEMA", "Picture", "RowMaker"]

_TEXT = ("sample", "path", "image", "recording", "frame", "camera", "class")
_BOX = ("left", "top", "right", "bottom", "width", "height")
_WHOLE = ("image_width", "image_height", "channels", "orientation", "crop_left", "crop_top", "crop_right",
          "crop_bottom")  # fmt: skip
SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(_TEXT, pl.String),
    **dict.fromkeys(_BOX, pl.Float64),
    **dict.fromkeys(_WHOLE, pl.Int64),
    **dict.fromkeys((*PLACE, *LENS), pl.Float64),
}


@dataclass(frozen=True)
class Picture:
    """A picture of the source: its file, its path relative to the source, what its name and its header say."""

    file: Path
    relative: Path
    name: Name
    header: Header


@dataclass
class RowMaker:
    """Makes the rows of pictures, and counts what the notes of the scan say.

    Attributes:
        camera_of: The camera of a picture of this width and height; None without a calibration.
        margin: Context around each box, as a share of its larger side.
        problems: Takes boxes that can't be used.
        rows: The rows made so far.
        clipped: How many boxes reached beyond their picture.
        turned: How many pictures are turned by their orientation tag.
        kept: How many pictures with such a tag stay as they are stored.
    """

    camera_of: Callable[[Picture, tuple[int, int]], Camera | None]
    margin: float
    problems: Problems
    rows: list[dict[str, Any]] = field(default_factory=list)
    clipped: int = 0
    turned: int = 0
    kept: int = 0

    def add(self, picture: Picture, annotation: Annotation | None) -> None:
        """Add the rows of one picture: of its boxes, or, when ``annotation`` is None, of all of it.

        Raises:
            ReadError: When the annotation is for a picture of another size, or the calibration is.
        """
        size, orientation = _as_drawn(picture.header, annotation)
        # A whole picture has no place on the lens, so that one without a calibration is as good as the others.
        camera = None if annotation is None else self.camera_of(picture, size)
        common = {
            "path": str(picture.file.resolve()),
            "image": picture.relative.as_posix(),
            "recording": picture.name.recording,
            "frame": picture.name.frame,
            "camera": picture.name.camera,
            "image_width": size[0],
            "image_height": size[1],
            "channels": picture.header.channels,
            "orientation": orientation,
        }
        # A digest, as reports show the id: the names of files and folders stay in the table.
        stem = hashlib.blake2b(picture.relative.as_posix().encode(), digest_size=6).hexdigest()
        self.turned += orientation != 1
        self.kept += orientation == 1 != picture.header.orientation
        if annotation is None:
            self.rows.append({**common, "sample": stem, **crop_columns((0, 0, *size), 0.0, size)})
            return
        for fault in annotation.faults:
            self.problems.add(annotation.file, fault)
        for box in annotation.in_pixels(size):
            try:
                inside = clip(box, *size)
            except ReadError as error:
                self.problems.add(box.file, error)
                continue
            self.clipped += inside != box
            edges = (inside.left, inside.top, inside.right, inside.bottom)
            self.rows.append(
                {
                    **common,
                    "sample": f"{stem}#{box.number}",
                    "class": box.name,
                    **_edges(inside),
                    **crop_columns(edges, self.margin, size),
                    **place(inside, camera, *size),
                    **lens_columns(camera),
                }
            )

    def frame(self) -> pl.DataFrame:
        """The rows as a table; columns that say nothing of any row are left out."""
        frame = pl.DataFrame(self.rows, schema=SCHEMA)
        empty = unread_terms(frame)
        return frame.drop(empty if self.turned else [*empty, "orientation"])

    def notes(self) -> list[str]:
        """Notes on boxes that were clipped or lie outside the image circle, and on turned pictures."""
        notes = list(unimaged(pl.DataFrame(self.rows, schema=SCHEMA)))
        if self.clipped:
            notes.append(f"{plural(self.clipped, 'box reaches', 'boxes reach')} beyond the image: clipped to it")
        if self.turned:
            notes.append(f"{plural(self.turned, 'picture')} with an orientation tag: turned as viewers show it")
        if self.kept:
            notes.append(
                f"{plural(self.kept, 'picture')} with an orientation tag stored in the size that the annotation "
                "states: not turned"
            )
        return notes


def _as_drawn(header: Header, annotation: Annotation | None) -> tuple[tuple[int, int], int]:
    """Size of the picture on which the boxes were drawn, and the orientation tag to apply for it.

    Programs that draw boxes show pictures turned. So the tag is applied, unless the annotation states the stored size
    and the two differ.
    """
    declared = annotation.size if annotation is not None and annotation.boxes else None
    if declared is None or declared == header.shown:
        return header.shown, header.orientation
    if declared == header.size:
        return header.size, 1
    raise ReadError(
        f"its annotation is for {declared[0]}×{declared[1]} px and it has {header.shown[0]}×{header.shown[1]} px: "
        "the boxes would be misplaced"
    )


def _edges(box: Box) -> dict[str, float]:
    return {
        "left": box.left,
        "top": box.top,
        "right": box.right,
        "bottom": box.bottom,
        "width": box.right - box.left,
        "height": box.bottom - box.top,
    }
