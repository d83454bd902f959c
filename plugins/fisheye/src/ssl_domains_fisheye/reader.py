"""The fisheye reader: images with boxes, one row an object; plain images, one row an image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import Problems, ReadError, SampleTable, ScanResult, TableMeta
from ssl_domains_fisheye.annotations import Annotations, Box, clip, find_annotations, key_of
from ssl_domains_fisheye.images import SUFFIXES, Header, decode, read_header
from ssl_domains_fisheye.lens import IN_SOURCE, Calibrations, Camera
from ssl_domains_fisheye.naming import Name, names_of
from ssl_domains_fisheye.regions import LENS, PLACE, lens_columns, place, unimaged, unread_terms

__all__ = ["FisheyeReader"]

_OPTIONS = ("annotations", "calibration", "format", "margin")
_TEXT = ("sample", "path", "image", "recording", "frame", "camera", "class")
_BOX = ("left", "top", "right", "bottom", "width", "height")
_WHOLE = ("image_width", "image_height", "channels", "crop_left", "crop_top", "crop_right", "crop_bottom")
_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(_TEXT, pl.String),
    **dict.fromkeys(_BOX, pl.Float64),
    **dict.fromkeys(_WHOLE, pl.Int64),
    **dict.fromkeys((*PLACE, *LENS), pl.Float64),
}


class FisheyeReader:
    """Reads images, their boxes and the calibration of their lens; sizes come from headers, no pixel is decoded."""

    version = "1"

    def scan(
        self,
        source: Path,
        *,
        annotations: Path | None = None,
        format: str | None = None,
        calibration: Path | None = None,
        margin: float = 0.0,
        **unknown: Any,
    ) -> ScanResult:
        """Index a folder of images, or one image.

        Args:
            source: The folder or the image.
            annotations: COCO file or folder of annotation files; None looks in the source.
            format: ``woodscape``, ``coco``, ``yolo`` or ``voc``; None tells it by what the files hold.
            calibration: JSON or YAML file, or folder of them matched by the name of image, camera or folder; None takes
                the source's folder ``calibration`` or file ``calibration.json`` or ``.yaml``, and says so.
            margin: Context around each box in the crop, as a share of its larger side, on each side.
            **unknown: Refused.

        Raises:
            UsageError: For options that don't fit the files, or a calibration that is none.
        """
        if unknown:
            raise UsageError(f"the fisheye scan has no option {min(unknown)!r}", did_you_mean(min(unknown), _OPTIONS))
        if not source.exists():
            raise UsageError(f"there is no {source}", "SOURCE is a folder of images, or one image")
        if not 0 <= margin <= 5:
            raise UsageError(f"margin is {margin:g}", "it is the context on each side as a share of the box, say 0.2")
        problems, notes = Problems(), []
        base = source if source.is_dir() else source.parent
        files = _images(source)
        found = find_annotations(source, annotations, format, problems) if source.is_dir() or annotations else None
        cameras, note = _calibrations(base, calibration)
        notes += [note] if note else []
        notes += cameras.notes if cameras else ()
        if files and cameras is None:
            notes.append("no calibration: radius is measured from the image centre, theta and distortion are unknown")
        if files and found is None:
            notes.append("no boxes: one row an image, which has no place on the lens")
        relative = [file.relative_to(base) for file in files]
        names = names_of(relative, cameras.names if cameras else ())
        if files and all(name.recording is None for name in names):
            notes.append("file names tell no recording: split by frame, or --join a table that has one")
        rows, clipped = [], 0
        for file, image, name in zip(files, relative, names, strict=True):
            try:
                header = read_header(file)
                size = header.size
                camera = _camera_of(cameras, image, name, size)
            except (ReadError, OSError) as error:
                problems.add(file, error)
                continue
            common: dict[str, Any] = {
                "path": str(file.resolve()),
                "image": image.as_posix(),
                **_columns(name),
                **_sizes(header),
            }
            # A digest, as reports show the id: the names of files and folders stay in the table.
            stem = hashlib.blake2b(image.as_posix().encode(), digest_size=6).hexdigest()
            if found is None:
                rows.append({**common, "sample": stem, **_crop((0, 0, *size), 0.0, size)})
                continue
            for box, inside in _boxes(found, file, image, size, problems):
                clipped += inside != box
                rows.append(
                    {
                        **common,
                        "sample": f"{stem}#{box.number}",
                        "class": box.name,
                        **_edges(inside),
                        **_crop((inside.left, inside.top, inside.right, inside.bottom), margin, size),
                        **place(inside, camera, *size),
                        **lens_columns(camera),
                    }
                )
        if found is not None:
            notes += [f"annotations: {found.format}", *found.notes]
            keys = frozenset(key_of(image) for image in relative)
            for missing in found.leftover(keys):
                problems.add(missing, "annotates an image that is not here")
        if clipped:
            notes.append(f"{clipped} boxes reach beyond their image and were clipped to it")
        frame = pl.DataFrame(rows, schema=_SCHEMA)
        notes += unimaged(frame)
        options = {"margin": margin, "annotations": found.format if found else None, "calibrated": cameras is not None}
        table = SampleTable(frame.drop(unread_terms(frame)), TableMeta(domain="fisheye", options=options))
        return ScanResult(table, problems.frame(), tuple(notes))

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """The crop of one row, ``[H, W, C]`` in the file's own type; the whole image when the row has no box.

        Raises:
            ReadError: When the image can't be decoded, or the crop is outside it.
        """
        return _cut(decode(row["path"]), row)

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[NDArray[np.generic]]:
        """The crops of the given rows of one image, which is decoded once."""
        pixels = decode(path)
        return [_cut(pixels, row) for row in rows]


def _images(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return sorted(
        path
        for path in source.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )


def _calibrations(base: Path, given: Path | None) -> tuple[Calibrations | None, str]:
    if given is not None:
        return Calibrations(given), ""
    for name in IN_SOURCE:
        if (base / name).exists():
            return Calibrations(base / name), f"calibration: found in the source as {name}"
    return None, ""


def _camera_of(cameras: Calibrations | None, image: Path, name: Name, size: tuple[int, int]) -> Camera | None:
    if cameras is None:
        return None
    camera = cameras.of(image.stem, name.camera, image.parts[:-1])
    if camera is None:
        known = ", ".join(sorted(cameras.names)[:6])
        raise ReadError(f"no calibration for camera {name.camera or image.stem!r} (there are {known})")
    if not camera.is_resized_to(*size):
        raise ReadError(f"its {size[0]}×{size[1]} px are no resize of the calibration's {camera.width}×{camera.height}")
    return camera if size == (camera.width, camera.height) else camera.scaled(*size)


def _boxes(
    found: Annotations, file: Path, image: Path, size: tuple[int, int], problems: Problems
) -> Iterator[tuple[Box, Box]]:
    boxes = found.boxes(image, size, problems)
    if boxes is None:
        problems.add(file, "no annotation of this image")
        return
    for box in boxes:
        try:
            yield box, clip(box, *size)
        except ReadError as error:
            problems.add(box.file, error)


def _columns(name: Name) -> dict[str, str | None]:
    return {"recording": name.recording, "frame": name.frame, "camera": name.camera}


def _sizes(header: Header) -> dict[str, int]:
    return {"image_width": header.width, "image_height": header.height, "channels": header.channels}


def _edges(box: Box) -> dict[str, float]:
    return {
        "left": box.left,
        "top": box.top,
        "right": box.right,
        "bottom": box.bottom,
        "width": box.right - box.left,
        "height": box.bottom - box.top,
    }


def _crop(edges: tuple[float, float, float, float], margin: float, size: tuple[int, int]) -> dict[str, int]:
    left, top, right, bottom = edges
    extra = margin * max(right - left, bottom - top)
    return {
        "crop_left": max(0, int(np.floor(left - extra))),
        "crop_top": max(0, int(np.floor(top - extra))),
        "crop_right": min(size[0], int(np.ceil(right + extra))),
        "crop_bottom": min(size[1], int(np.ceil(bottom + extra))),
    }


def _cut(pixels: NDArray[np.generic], row: Mapping[str, Any]) -> NDArray[np.generic]:
    height, width = pixels.shape[:2]
    edges = [row.get(f"crop_{edge}", row.get(edge)) for edge in ("left", "top", "right", "bottom")]
    if any(edge is None for edge in edges):
        return pixels
    left, top = int(np.floor(edges[0])), int(np.floor(edges[1]))
    right, bottom = int(np.ceil(edges[2])), int(np.ceil(edges[3]))
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise ReadError(f"the crop ({left}, {top}, {right}, {bottom}) is outside the image of {width}×{height}")
    return np.ascontiguousarray(pixels[top:bottom, left:right])
