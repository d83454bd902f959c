"""From DICOM files to rows of the sample table: one a frame, by headers only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ssl_domains.samples import ReadError
from ssl_domains_medical.dicom.dicomdir import dicomdir_note
from ssl_domains_medical.dicom.frames import Frame, frames_of, number, text
from ssl_domains_medical.dicom.geometry import plane_name
from ssl_domains_medical.dicom.headers import Header, read_header
from ssl_domains_medical.dicom.patients import constant_ids, names_nobody, qualified
from ssl_domains_medical.dicom.pixels import why_not_decodable
from ssl_domains_medical.dicom.quiet import quiet
from ssl_domains_medical.dicom.series import Member, Volume, split_series
from ssl_domains_medical.found import Found, counted, plural

__all__ = ["scan_dicom"]


@dataclass(frozen=True)
class _File:
    header: Header
    relative: str
    uid: str | None
    series: str
    patient_id: str | None
    frames: tuple[Frame, ...]


def scan_dicom(paths: Iterable[Path], root: Path, digest: Callable[[str], str], burned_in: bool = False) -> Found:
    """Index DICOM files.

    Args:
        paths: Candidates, sorted.
        root: The folder that is scanned; tells equal PatientIDs of two sources apart where no issuer is given.
        digest: Keyed hash for identifiers.
        burned_in: Whether to keep images that declare burned-in annotation.
    """
    with quiet():
        return _scan(paths, root, digest, burned_in)


def _scan(paths: Iterable[Path], root: Path, digest: Callable[[str], str], burned_in: bool) -> Found:
    found = Found()
    dicomdirs = 0
    uids: dict[str, list[Path]] = defaultdict(list)
    files: list[_File] = []
    for path in paths:
        try:
            header = read_header(path)
            if header.is_dicomdir:
                dicomdirs += 1
                continue
            if (uid := text(header.get("SOPInstanceUID"))) is not None:
                uids[uid].append(path)
            files.append(_image(header, root, burned_in))
        except (ReadError, OSError) as error:
            found.problems.add(path, error)
    if dicomdirs:
        found.notes.append(dicomdir_note(dicomdirs))

    _report_shared_uids(uids, found)
    files = _without_copies(files, found)
    nobody = _placeholders(files, found)
    first_day = _first_days(files, nobody)
    for volume_files in _by_series(files).values():
        found.rows.extend(_rows_of_series(volume_files, root, digest, nobody, first_day))
    _report_geometry(found)
    return found


def _image(header: Header, root: Path, burned_in: bool) -> _File:
    if not header.has_pixels:
        kind = header.get("SOPClassUID")
        raise ReadError("no pixel data" + (f" ({kind.name})" if kind is not None and hasattr(kind, "name") else ""))
    for keyword in ("Rows", "Columns", "BitsAllocated"):
        if not number(header.get(keyword)):
            raise ReadError(f"pixel data without {keyword}")
    if header.missing_bytes:
        raise ReadError(f"truncated: the last {header.missing_bytes:,} bytes of the pixel data are missing")
    frames = tuple(frames_of(header))
    expected = _expected_bytes(header, len(frames))
    if header.pixel_bytes is not None and header.pixel_bytes < expected:
        raise ReadError(f"truncated: {header.pixel_bytes:,} bytes of pixel data where {expected:,} are expected")
    if reason := why_not_decodable(header.transfer_syntax):
        raise ReadError(reason)
    if str(header.get("BurnedInAnnotation", "")).strip().upper() == "YES" and not burned_in:
        raise ReadError("burned-in annotation: the pixels may name the patient (--burned-in keeps such images)")
    relative = header.path.relative_to(root).as_posix() if header.path.is_relative_to(root) else header.path.name
    series = text(header.get("SeriesInstanceUID")) or text(header.get("SOPInstanceUID")) or relative
    return _File(header, relative, text(header.get("SOPInstanceUID")), series, text(header.get("PatientID")), frames)


def _expected_bytes(header: Header, frames: int) -> int:
    samples, bits = int(header.get("SamplesPerPixel", 1)), int(header.get("BitsAllocated"))
    pixels = int(header.get("Rows")) * int(header.get("Columns")) * frames
    if header.get("PhotometricInterpretation") == "YBR_FULL_422":
        return pixels * 2  # two pixels share their chroma
    return (pixels * samples * bits + 7) // 8


def _report_shared_uids(uids: dict[str, list[Path]], found: Found) -> None:
    shared = [paths for paths in uids.values() if len(paths) > 1]
    if shared:
        names = plural(len(shared), "SOPInstanceUID is", "SOPInstanceUIDs are")
        found.notes.append(f"{names} shared by {sum(map(len, shared)):,} files: copies, or UIDs that aren't unique")


def _without_copies(files: Sequence[_File], found: Found) -> list[_File]:
    """Leave out files that repeat an instance: same UID, and the same place, shape and series in the header."""
    seen: set[Any] = set()
    result = []
    for file in files:
        header = file.header
        identity = (
            file.uid, file.series, file.frames, header.get("Rows"), header.get("Columns"), header.get("BitsAllocated"),
            header.get("SamplesPerPixel"), text(header.get("Modality")),
        )  # fmt: skip
        if file.uid is not None and identity in seen:
            found.problems.add(header.path, "a copy of another file: same SOPInstanceUID, same header")
            continue
        seen.add(identity)
        result.append(file)
    return result


def _placeholders(files: Sequence[_File], found: Found) -> frozenset[str]:
    """PatientIDs that can't be a group, each kind with a note."""
    missing = sum(file.patient_id is None for file in files)
    if missing:
        found.notes.append(f"{plural(missing, 'image has', 'images have')} no PatientID: patient is null there")
    known = [(file.patient_id, text(file.header.get("StudyInstanceUID"))) for file in files if file.patient_id]
    anonymous = {patient for patient, _ in known if names_nobody(patient)}
    if anonymous:
        count = sum(patient in anonymous for patient, _ in known)
        found.notes.append(
            f"{plural(count, 'image has', 'images have')} a placeholder for PatientID, which names nobody: "
            "patient is null there, for such images are not one patient's"
        )
    constant = constant_ids((patient, study) for patient, study in known if patient not in anonymous)
    if constant and not anonymous and not missing:
        found.notes.append(
            "every image has the same PatientID over several studies, so it is no group: patient is null"
        )
        return frozenset(constant)
    return frozenset(anonymous)


def _first_days(files: Sequence[_File], nobody: frozenset[str]) -> dict[tuple[str, str | None], date]:
    first: dict[tuple[str, str | None], date] = {}
    for file in files:
        day = _day(file.header)
        if file.patient_id is None or file.patient_id in nobody or day is None:
            continue
        who = file.patient_id, text(file.header.get("IssuerOfPatientID"))
        first[who] = min(day, first.get(who, day))
    return first


def _day(header: Header) -> date | None:
    for keyword in ("StudyDate", "AcquisitionDate"):
        digits = str(header.get(keyword, "")).replace(".", "")
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
        except ValueError:
            continue
    return None


def _by_series(files: Sequence[_File]) -> dict[str, list[_File]]:
    groups: dict[str, list[_File]] = defaultdict(list)
    for file in files:
        groups[file.series].append(file)
    return groups


def _rows_of_series(
    files: Sequence[_File],
    root: Path,
    digest: Callable[[str], str],
    nobody: frozenset[str],
    first_day: dict[tuple[str, str | None], date],
) -> list[dict[str, Any]]:
    members = []
    uses: dict[str | None, int] = defaultdict(int)
    for file in files:
        uses[file.uid] += 1
        # A UID that two different images share can't tell them apart: there the place in the folder does.
        own = file.uid if file.uid is not None and uses[file.uid] == 1 else f"{file.uid}#{file.relative}"
        common = _file_columns(file, root, digest, nobody, first_day)
        shape = int(file.header.get("Rows")), int(file.header.get("Columns"))
        for frame in file.frames:
            row = {"sample": digest(f"{own}#{frame.index}"), **common}
            members.append(Member(frame, shape, f"{file.relative}#{frame.index:06d}", row))
    rows = []
    for volume in split_series(members):
        rows.extend(_volume_rows(volume, digest(f"{files[0].series}#{volume.key}")))
    return rows


def _file_columns(
    file: _File,
    root: Path,
    digest: Callable[[str], str],
    nobody: frozenset[str],
    first_day: dict[tuple[str, str | None], date],
) -> dict[str, Any]:
    header, patient = file.header, file.patient_id
    if patient in nobody:
        patient = None
    issuer = text(header.get("IssuerOfPatientID"))
    study = text(header.get("StudyInstanceUID"))
    day = _day(header)
    start = first_day.get((patient, issuer)) if patient is not None else None
    maker = [name for name in (text(header.get("Manufacturer")), text(header.get("ManufacturerModelName"))) if name]
    signed = int(header.get("PixelRepresentation", 0)) == 1
    return {
        "path": str(header.path),
        "reader": "dicom",
        "patient": None if patient is None else digest(qualified(patient, issuer, root.name)),
        "patient_id": None if patient is None else digest(patient),
        "study": None if study is None else digest(study),
        "series": digest(file.series),
        "modality": text(header.get("Modality")),
        "scanner": " ".join(maker) or None,
        "days": None if day is None or start is None else (day - start).days,
        "rows": int(header.get("Rows")),
        "columns": int(header.get("Columns")),
        "channels": 3 if _is_colour(header) else 1,
        "bits": int(header.get("BitsStored", header.get("BitsAllocated"))),
        "dtype": f"{'int' if signed else 'uint'}{int(header.get('BitsAllocated'))}",
        "photometric": text(header.get("PhotometricInterpretation")),
        "transfer_syntax": header.transfer_syntax.name,
    }


def _is_colour(header: Header) -> bool:
    return int(header.get("SamplesPerPixel", 1)) == 3 or header.get("PhotometricInterpretation") == "PALETTE COLOR"


def _volume_rows(volume: Volume, name: str) -> list[dict[str, Any]]:
    rows = []
    for place, member in enumerate(volume.members):
        frame = member.frame
        rows.append(
            {
                **member.row,
                "frame": frame.index,
                "volume": name,
                "slice": place,
                "position": volume.relative[place],
                "position_mm": volume.positions_mm[place],
                "spacing_mm": volume.spacing.mm,
                "missing_slices": volume.spacing.gaps,
                "same_position": volume.spacing.duplicates,
                "pixel_spacing_mm": frame.pixel_spacing[0] if frame.pixel_spacing else None,
                "plane": plane_name(frame.orientation),
                "localizer": volume.localizer,
                "laterality": frame.laterality,
                "echo": frame.echo[0],
                "echo_time_ms": frame.echo[1],
                "temporal": frame.temporal,
                "b_value": frame.b_value,
                "acquisition": frame.acquisition,
                "image_type": frame.image_type,
                "window_center": frame.window[0],
                "window_width": frame.window[1],
            }
        )
    return rows


def _report_geometry(found: Found) -> None:
    volumes = {row["volume"]: row for row in found.rows}
    parts: dict[str, set[str]] = defaultdict(set)
    for row in volumes.values():
        parts[row["series"]].add(row["volume"])
    several = [len(names) for names in parts.values() if len(names) > 1]
    if several:
        found.notes.append(
            f"{plural(len(several), 'series holds', 'series hold')} several volumes "
            f"({sum(several)} in all): split by plane, echo, b-value, time, acquisition and ImageType"
        )
    scouts = sum(row["localizer"] for row in volumes.values())
    if scouts:
        found.notes.append(f"{plural(scouts, 'volume is a localizer', 'volumes are localizers')}, kept apart")
    for column, what in (("missing_slices", "gaps"), ("same_position", "slices at the same position")):
        bad = [f"{name} ({row[column]})" for name, row in volumes.items() if row[column]]
        if bad:
            found.notes.append(f"{plural(len(bad), 'volume has', 'volumes have')} {what}: {counted(bad)}")
