"""The fisheye reader: images with boxes, one row an object; plain images, one row an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import Problems, ReadError, SampleTable, ScanResult, TableMeta
from ssl_domains.samples.scanning.each_file import each_file
from ssl_domains.samples.scanning.guard import Unreadable, read_guarded
from ssl_domains.samples.scanning.walk import walk
from ssl_domains_fisheye.annotations import Annotations, find_annotations
from ssl_domains_fisheye.images import SUFFIXES, Header, decode, read_header
from ssl_domains_fisheye.lens import IN_SOURCE, Calibrations, Camera
from ssl_domains_fisheye.pictures import cut, without_masks
from ssl_domains_fisheye.pictures.naming import Name, names_of
from ssl_domains_fisheye.rows import Picture, RowMaker

__all__ = ["FisheyeReader"]

_OPTIONS = ("annotations", "calibration", "format", "margin")
_ANNOTATIONS = frozenset({".txt", ".xml", ".json"})


class FisheyeReader:
    """Reads images, their boxes and the calibration of their lens; sizes come from headers, no pixel is decoded."""

    version = "2"

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
            format: ``woodscape``, ``coco``, ``yolo`` or ``voc``; ``none`` makes one row an image, whatever lies beside
                it; None takes the format that the contents of the files show.
            calibration: JSON or YAML file, or folder of them matched by the name of image, camera or folder; None takes
                the source's folder ``calibration`` or file ``calibration.json`` or ``.yaml``, and says so.
            margin: Context around each box in the crop, as a share of its larger side, on each side.
            **unknown: Refused.

        Raises:
            UsageError: For options that don't fit the files, or a calibration that is none.
        """
        source, annotations = Path(source), Path(annotations) if annotations is not None else None
        if unknown:
            raise UsageError(f"the fisheye scan has no option {min(unknown)!r}", did_you_mean(min(unknown), _OPTIONS))
        if not source.exists():
            raise UsageError(f"there is no {source}", "SOURCE is a folder of images, or one image")
        if not 0 <= margin <= 5:
            raise UsageError(f"margin is {margin:g}", "it is the context on each side as a share of the box, say 0.2")
        problems, notes = Problems(), []
        base = source if source.is_dir() else source.parent
        files = list(walk(source, problems))
        if calibration is not None and Path(calibration).is_file():
            # It is used, and neither a picture nor an annotation.
            files = [file for file in files if file.name != Path(calibration).name or not file.samefile(calibration)]
        relative = [file.relative_to(base) for file in files if file == source or file.suffix.lower() in SUFFIXES]
        relative, passed = without_masks(relative)
        annotated, of_boxes = _boxes(source, relative, files, annotations, format, problems)
        cameras, note = _calibrations(base, calibration)
        notes += [note] if note else []
        notes += cameras.notes if cameras else ()
        if relative and cameras is None:
            notes.append("no calibration: radius is measured from the image centre, theta and distortion are unknown")
        if relative and annotated is None:
            notes.append("no boxes: one row an image, which has no place on the lens")
        known, rig = (cameras.names, cameras.rig) if cameras else ((), ())
        names = dict(zip(relative, names_of(relative, known, rig), strict=True))
        if relative and all(name.recording is None for name in names.values()):
            notes.append("file names show no recording: split by frame, or --join a table that has one")
        maker = RowMaker(
            lambda picture, size: _camera_of(cameras, picture.relative, picture.name, size), margin, problems
        )
        for file, header in each_file([base / path for path in relative], _header, problems, "pictures"):
            path = file.relative_to(base)
            picture = Picture(file, path, names[path], Header(*header))
            annotation = annotated.of_picture.get(path) if annotated is not None else None
            if annotated is not None and annotation is None:
                problems.add(file, annotated.unclear.get(path, "no annotation of this image"))
                continue
            made = read_guarded(partial(maker.add, picture, annotation), file)
            if isinstance(made, Unreadable):
                problems.add(file, made.cause)
        for missing, cause in annotated.leftover if annotated is not None else ():
            problems.add(missing, cause)
        notes += [*(annotated.notes if annotated is not None else ()), *of_boxes, *passed, *maker.notes()]
        options = {
            "margin": margin,
            "annotations": annotated.format if annotated else None,
            "calibrated": cameras is not None,
        }
        table = SampleTable(maker.frame(), TableMeta(domain="fisheye", options=options))
        return ScanResult(table, problems.frame(), tuple(notes))

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """The crop of one row, ``[H, W, C]`` in the file's own type; the whole image when the row has no box.

        Raises:
            ReadError: When the image can't be decoded, or the crop is outside it.
        """
        return cut(decode(row["path"], row.get("orientation") or 1), row)

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[NDArray[np.generic]]:
        """The crops of the given rows of one image, which is decoded once."""
        tags = {row.get("orientation") or 1 for row in rows}
        pixels = {tag: decode(path, tag) for tag in tags}
        return [cut(pixels[row.get("orientation") or 1], row) for row in rows]


def _header(path: Path) -> list[int]:
    header = read_header(path)
    return [header.width, header.height, header.channels, header.orientation]


def _boxes(
    source: Path,
    pictures: list[Path],
    files: list[Path],
    annotations: Path | None,
    format: str | None,
    problems: Problems,
) -> tuple[Annotations | None, list[str]]:
    """The annotations of the pictures and notes on what was passed over; None for the annotations without boxes."""
    if format == "none" or (source.is_file() and annotations is None):
        return None, []
    if annotations is None:
        place = source
    elif annotations.exists():
        place = annotations
    else:
        raise UsageError(f"there are no annotations at {annotations.name}", "check --annotations")
    if place != source:
        within = source.is_dir() and place.resolve().is_relative_to(source.resolve())
        # A folder within the source was listed with it; what could not be listed is a problem already.
        files = list(walk(place, Problems() if within else problems))
    candidates = [file for file in files if file.suffix.lower() in _ANNOTATIONS]
    base = place if place.is_dir() else place.parent
    return find_annotations(pictures, candidates, base, format, problems, annotations)


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
