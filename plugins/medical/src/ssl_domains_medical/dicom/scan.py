"""From DICOM files to rows of the sample table: one a frame, by headers only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ssl_domains_medical.dicom.dicomdir import dicomdir_note
from ssl_domains_medical.dicom.frames import text
from ssl_domains_medical.dicom.geometry import plane_name
from ssl_domains_medical.dicom.headers import read_header
from ssl_domains_medical.dicom.instance import Instance, instance_of
from ssl_domains_medical.dicom.patients import constant_ids, names_nobody, qualified
from ssl_domains_medical.dicom.quiet import quiet
from ssl_domains_medical.dicom.series import Member, Volume, split_series
from ssl_domains_medical.found import Found, counted, plural

__all__ = ["scan_dicom"]


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
    files: list[Instance] = []
    for path in paths:
        try:
            header = read_header(path)
            if header.is_dicomdir:
                dicomdirs += 1
                continue
            if (uid := text(header.get("SOPInstanceUID"))) is not None:
                uids[uid].append(path)
            files.append(instance_of(header, root, burned_in))
        except Exception as error:  # whatever a damaged header makes of its values, the scan goes on
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


def _report_shared_uids(uids: dict[str, list[Path]], found: Found) -> None:
    shared = [paths for paths in uids.values() if len(paths) > 1]
    if shared:
        names = plural(len(shared), "SOPInstanceUID is", "SOPInstanceUIDs are")
        found.notes.append(f"{names} shared by {sum(map(len, shared)):,} files: copies, or UIDs that aren't unique")


def _without_copies(files: Sequence[Instance], found: Found) -> list[Instance]:
    """Leave out files that repeat an instance: same UID, and the same place, shape and series in the header."""
    seen: set[Any] = set()
    result = []
    for file in files:
        columns = {**file.columns, "transfer_syntax": None, "photometric": None}  # may differ between copies
        identity = file.uid, file.series, file.frames, tuple(columns.items())
        if file.uid is not None and identity in seen:
            found.problems.add(file.path, "a copy of another file: same SOPInstanceUID, same header")
            continue
        seen.add(identity)
        result.append(file)
    return result


def _placeholders(files: Sequence[Instance], found: Found) -> frozenset[str]:
    """PatientIDs that can't be a group, each kind with a note."""
    missing = sum(file.patient_id is None for file in files)
    if missing:
        found.notes.append(f"{plural(missing, 'image has', 'images have')} no PatientID: patient is null there")
    known = [(file.patient_id, file.study) for file in files if file.patient_id]
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


def _first_days(files: Sequence[Instance], nobody: frozenset[str]) -> dict[tuple[str, str | None], date]:
    first: dict[tuple[str, str | None], date] = {}
    for file in files:
        if file.patient_id is not None and file.patient_id not in nobody and file.day is not None:
            who = file.patient_id, file.issuer
            first[who] = min(file.day, first.get(who, file.day))
    return first


def _by_series(files: Sequence[Instance]) -> dict[str, list[Instance]]:
    groups: dict[str, list[Instance]] = defaultdict(list)
    for file in files:
        groups[file.series].append(file)
    return groups


def _rows_of_series(
    files: Sequence[Instance],
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
        for frame in file.frames:
            row = {"sample": digest(f"{own}#{frame.index}"), **common}
            members.append(Member(frame, file.shape, f"{file.relative}#{frame.index:06d}", row))
    rows = []
    for volume in split_series(members):
        rows.extend(_volume_rows(volume, digest(f"{files[0].series}#{volume.key}")))
    return rows


def _file_columns(
    file: Instance,
    root: Path,
    digest: Callable[[str], str],
    nobody: frozenset[str],
    first_day: dict[tuple[str, str | None], date],
) -> dict[str, Any]:
    patient = None if file.patient_id in nobody else file.patient_id
    start = first_day.get((patient, file.issuer)) if patient is not None else None
    return {
        "path": str(file.path),
        "reader": "dicom",
        "patient": None if patient is None else digest(qualified(patient, file.issuer, root.name)),
        "patient_id": None if patient is None else digest(patient),
        "study": None if file.study is None else digest(file.study),
        "series": digest(file.series),
        "days": None if file.day is None or start is None else (file.day - start).days,
        **file.columns,
    }


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
