"""Which files the predicted masks of a table are written to: volumes as NIfTI, everything else as PNG."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ssl_domains.prediction import MapFile, MapPlan, PngMask, distinct_names
from ssl_domains.quantities import plural
from ssl_domains.samples import IdentifierKey, ReadError, SampleTable, Unreadable, read_guarded
from ssl_domains_medical.dicom.frames import frames_of
from ssl_domains_medical.dicom.header.headers import read_header
from ssl_domains_medical.dicom.header.quiet import quiet
from ssl_domains_medical.dicom.pixel_format import frame_count
from ssl_domains_medical.file_kind import kind_of
from ssl_domains_medical.predictions.grid import NoGrid, SlicePlace, grid_of, places_of
from ssl_domains_medical.predictions.volumes import DicomMask, NiftiMask, UnreadableMask, axes_of

__all__ = ["map_files"]

_COLUMNS = ("sample", "path", "reader", "volume", "slice", "axis", "frame", "spacing_mm")
_PSEUDONYM = re.compile(r"[0-9a-f]{16}(-\d+)?")

Row = Mapping[str, Any]


def map_files(table: SampleTable, root: Path | None) -> MapPlan:
    """The files of the masks of a table.

    Files are named by pseudonyms, as the names of medical files may be those of patients; the index of the masks says
    which mask belongs to which source file.

    Args:
        table: The samples, with the columns of the reader.
        root: Folder that was scanned; not used, as no name follows it.
    """
    frame = table.frame.select(name for name in _COLUMNS if name in table.columns)
    rows: Sequence[Row] = frame.to_dicts()
    name_of = _names()
    groups: defaultdict[tuple[str, Hashable], list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        kind = str(row.get("reader") or kind_of(Path(str(row["path"]))))
        group: Hashable = row.get("volume") or row["path"]
        if kind == "nifti":
            group = row["path"], row.get("frame") or 0
        groups[kind, group].append(at)
    volumes: list[MapFile] = []
    pictures: list[int] = []
    reasons: Counter[str] = Counter()
    for (kind, _), members in groups.items():
        here = [rows[at] for at in members]
        name = name_of(str(here[0].get("volume") or here[0]["sample"]))
        try:
            if kind == "nifti":
                volumes.append(_nifti(name, members, here))
                continue
            if kind == "dicom":
                volumes.append(_dicom(name, members, here))
                continue
        except ReadError as error:
            volumes.append(UnreadableMask(name, tuple(members), str(error)))
            continue
        except NoGrid as reason:
            reasons[str(reason)] += 1
        pictures += members
    names = distinct_names([file.name for file in volumes], ".nii.gz")
    named = [replace(file, name=name) for file, name in zip(volumes, names, strict=True)]
    slices = distinct_names([_picture_name(rows[at], name_of) for at in pictures], ".png")
    masks = [PngMask(name, (at,)) for name, at in zip(slices, pictures, strict=True)]
    notes = [
        f"{plural(count, 'DICOM volume is', 'DICOM volumes are')} written as PNG masks, not as NIfTI: {why}"
        for why, count in reasons.items()
    ]
    return MapPlan((*named, *masks), tuple(notes))


def _nifti(name: str, members: Sequence[int], rows: Sequence[Row]) -> MapFile:
    slices = tuple(int(row["slice"]) for row in rows)
    return NiftiMask(name, tuple(members), Path(rows[0]["path"]), axes_of(rows), slices)


def _dicom(name: str, members: Sequence[int], rows: Sequence[Row]) -> MapFile:
    files: dict[str, list[SlicePlace | None]] = {}
    places = []
    for row in rows:
        path = str(row["path"])
        if path not in files:
            files[path] = _places(path)
        frame = int(row.get("frame") or 0)
        places.append(files[path][frame] if frame < len(files[path]) else None)
    return DicomMask(name, tuple(members), grid_of(places, rows[0].get("spacing_mm")))


def _places(path: str) -> list[SlicePlace | None]:
    """Where the frames of a file lie.

    Raises:
        ReadError: When its header can't be read.
    """

    def read() -> list[SlicePlace | None]:
        header = read_header(Path(path))
        return places_of(list(frames_of(header, frame_count(header))))

    with quiet():
        found = read_guarded(read, path)
    if isinstance(found, Unreadable):
        raise ReadError(found.cause)
    return found


def _picture_name(row: Row, name_of: Callable[[str], str]) -> str:
    if row.get("volume") and row.get("slice") is not None:
        return f"{name_of(str(row['volume']))}/{int(row['slice']):04d}"
    return name_of(str(row["sample"]))


def _names() -> Callable[[str], str]:
    """A function that leaves the pseudonyms of a scan as they are, and hashes ids of other tables."""
    key: list[IdentifierKey] = []

    def name_of(text: str) -> str:
        if _PSEUDONYM.fullmatch(text):
            return text
        if not key:
            key.append(IdentifierKey.load())
        return key[0].digest(text)

    return name_of
