"""From DICOM files to rows of the sample table: one a frame, by headers only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ssl_domains.samples import IdentifierKey, each_file
from ssl_domains_medical.dicom.geometry import plane_name
from ssl_domains_medical.dicom.header.quiet import quiet
from ssl_domains_medical.dicom.identity import Identities
from ssl_domains_medical.dicom.instance import DICOMDIR_KIND, RECORD, Instance, Request, record_of
from ssl_domains_medical.dicom.series import Member, Volume, split_series
from ssl_domains_medical.found import Found, counted, plural

__all__ = ["scan_dicom"]

_PROJECTIONS = frozenset({"CR", "DX", "GM", "IO", "MG", "PX", "RG", "SM", "XC"})


def scan_dicom(
    paths: Sequence[Path],
    root: Path,
    key: IdentifierKey,
    *,
    burned_in: bool = False,
    patient_ids: str = "auto",
    site: str | None = None,
) -> Found:
    """Index DICOM files.

    Args:
        paths: Candidates, sorted.
        root: The folder that is scanned; names of files count from it.
        key: Hashes identifiers.
        burned_in: Whether to keep images that declare burned-in annotation.
        patient_ids: ``auto``, ``keep`` or ``folder[:LEVEL]``, see `Identities`.
        site: Attribute or ``folder[:LEVEL]`` that tells sites apart, see `Identities`.

    Raises:
        UsageError: When ``patient_ids`` or ``site`` is none of these.
    """
    identities = Identities(root, key.digest, patient_ids, site)
    request = Request(key.digest, burned_in, identities.site_keyword)
    found = Found()
    passed: Counter[str] = Counter()
    files: list[Instance] = []
    with quiet():
        read = each_file(
            paths,
            lambda path: record_of(path, request),
            found.problems,
            what="DICOM files",
            version=f"{RECORD} {key.fingerprint}",
        )
        for path, record in read:
            if "passed" in record:
                passed[record["passed"]] += 1
            else:
                files.append(Instance.from_record(path, record))
    _say_passed(passed, found)
    files = _without_sheets(files, found)
    _report_shared_uids(files, found)
    files = _without_copies(files, found)
    bare = sum(file.bare for file in files)
    if bare:
        found.notes.append(
            f"{plural(bare, 'file lacks', 'files lack')} the preamble or file meta information of a DICOM file: "
            "read as uncompressed data"
        )
    identities.learn(files)
    found.notes.extend(identities.notes)
    _rows(files, root, key, identities, found)
    _report_geometry(found)
    return found


def _say_passed(passed: Counter[str], found: Found) -> None:
    if dicomdirs := passed.pop(DICOMDIR_KIND, 0):
        found.notes.append(f"{plural(dicomdirs, 'DICOMDIR file')} recognised: an index of the medium, not an image")
    if passed:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(passed.items()))
        found.notes.append(f"not taken, since they are no images by their kind: {kinds}")


def _without_sheets(files: Sequence[Instance], found: Found) -> list[Instance]:
    """Leave out secondary captures and derived sheets of a study that has a volume series."""
    volumes = {
        (file.person.patient, file.study)
        for file in files
        if not file.secondary and (file.frames[0].position is not None or len(file.frames) > 1)
    }
    kept = [f for f in files if not f.secondary or f.study is None or (f.person.patient, f.study) not in volumes]
    left = len(files) - len(kept)
    if left:
        found.notes.append(
            f"{plural(left, 'secondary capture or derived sheet', 'secondary captures or derived sheets')} beside the "
            "volumes of the same study not taken: they often show names"
        )
    return kept


def _report_shared_uids(files: Sequence[Instance], found: Found) -> None:
    shared = [count for count in Counter(file.uid for file in files if file.uid).values() if count > 1]
    if shared:
        names = plural(len(shared), "SOPInstanceUID is", "SOPInstanceUIDs are")
        found.notes.append(f"{names} shared by {sum(shared):,} files: copies, or UIDs that aren't unique")


def _without_copies(files: Sequence[Instance], found: Found) -> list[Instance]:
    """Leave out files that repeat an instance: same UID, and the same patient, place, shape and series."""
    uses = Counter(file.uid for file in files)
    known: set[Any] = set()
    result = []
    for file in files:
        if file.uid is not None and uses[file.uid] > 1:
            columns = {**file.columns, "transfer_syntax": None, "photometric": None}  # may differ between copies
            identity = file.uid, file.person.patient, file.series, file.frames, tuple(columns.items())
            if identity in known:
                found.problems.add(file.path, "a copy of another file: same SOPInstanceUID, same header")
                continue
            known.add(identity)
        result.append(file)
    return result


def _rows(files: Sequence[Instance], root: Path, key: IdentifierKey, identities: Identities, found: Found) -> None:
    uses = Counter(file.uid for file in files)
    series: dict[Any, list[Member]] = defaultdict(list)
    for file in files:
        relative = file.path.relative_to(root).as_posix() if file.path.is_relative_to(root) else file.path.name
        # A UID that two different images share can't tell them apart: there the place in the folder does.
        own = file.uid if file.uid is not None and uses[file.uid] == 1 else f"{file.uid}#{relative}"
        common = {"path": str(file.path), "reader": "dicom", **identities.columns(file), **file.columns}
        common["series"] = file.series or key.digest(f"series {own}")
        alone = len(file.frames) > 1 or _is_projection(file)
        where = file.person.patient, common["patient"], file.study, common["series"], own if alone else None
        for place, frame in enumerate(file.frames):
            row = {"sample": key.digest(f"{own}#{frame.index}"), **common}
            row["dtype"] = file.dtypes[place] if len(file.dtypes) > 1 else file.dtypes[0]
            order = f"{relative}#{frame.index:06d}"
            series[where].append(Member(frame, file.shape, file.kind, order, row))
    for members in series.values():
        for volume in split_series(members):
            name = key.digest("volume " + min(member.row["sample"] for member in volume.members))
            found.rows.extend(_volume_rows(volume, name))
            for path, count in Counter(member.row["path"] for member in volume.repeated).items():
                what = "it lies" if count == 1 else f"{count:,} of its frames lie"
                found.problems.add(
                    path, f"{what} at the position of another slice of its series, and no tag tells the two apart"
                )


def _is_projection(file: Instance) -> bool:
    """Whether it is a radiograph or photograph without a place in the body: views of a series are no slices."""
    return file.columns["modality"] in _PROJECTIONS and file.frames[0].position is None


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
                "echo": frame.echo,
                "echo_time_ms": frame.echo_time,
                "temporal": frame.trigger if frame.temporal is None else frame.temporal,
                "b_value": frame.b_value,
                "acquisition": frame.acquisition,
                "image_type": "\\".join(frame.image_type) or None,
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
            f"{plural(len(several), 'series holds', 'series hold')} several volumes ({sum(several)} in all), by "
            "patient, geometry and ImageType, and where positions repeat by diffusion, echo, time, acquisition"
        )
    scouts = sum(row["localizer"] for row in volumes.values())
    if scouts:
        found.notes.append(f"{plural(scouts, 'volume is a localizer', 'volumes are localizers')}, kept apart")
    for column, what in (("missing_slices", "gaps"), ("same_position", "slices at the same position")):
        bad = [f"{name} ({row[column]})" for name, row in volumes.items() if row[column]]
        if bad:
            found.notes.append(f"{plural(len(bad), 'volume has', 'volumes have')} {what}: {counted(bad)}")
