"""From NIfTI files to rows of the sample table: one a slice and a time point."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from ssl_domains.samples import Unreadable, each_file, read_guarded
from ssl_domains_medical.found import Found, plural
from ssl_domains_medical.nifti.header import NiftiHeader, agree, read_header, stacked_dtype
from ssl_domains_medical.nifti.masks import Masks
from ssl_domains_medical.nifti.naming import (
    Channels,
    Subject,
    channels_of_cases,
    mask_word,
    masks_beside_images,
    subjects_of,
)
from ssl_domains_medical.nifti.slicing import Slicing, slicing_of
from ssl_domains_medical.nifti.volumes import open_volume, stem_of

__all__ = ["scan_nifti"]


@dataclass(frozen=True)
class _Volume:
    """One file, or the files of one case whose channels are stacked.

    Attributes:
        path: The file, or that of the first channel.
        header: Its header.
        name: File name without suffix, or the case; with its folders where the name repeats.
        subject: Whose it is.
        channels: Numbers of stacked channels, such as ``("0000", "0001")``.
        dtype: Type of decoded slices.
    """

    path: Path
    header: NiftiHeader
    name: str
    subject: Subject
    channels: tuple[str, ...]
    dtype: str


def scan_nifti(
    paths: Sequence[Path],
    root: Path,
    digest: Callable[[str], str],
    axis: str = "coronal",
    masks: Masks | None = None,
) -> Found:
    """Index NIfTI volumes, slice by slice; voxels are read only of masks.

    Args:
        paths: Volumes, sorted.
        root: The folder that is scanned.
        digest: Keyed hash: a file's name may be a patient's.
        axis: ``"coronal"``, ``"sagittal"``, ``"axial"``, or a voxel axis ``"0"``, ``"1"``, ``"2"``.
        masks: Label masks that become columns.
    """
    found = Found()
    files = [_below(path, root) for path in paths]
    left_out = set(masks_beside_images(files, [stem_of(file) for file in files]))
    if left_out:
        words = Counter(str(word[1]) for file in (files[at] for at in left_out) if (word := mask_word(stem_of(file))))
        kinds = ", ".join(f"{count:,} *{word}" for word, count in sorted(words.items()))
        found.notes.append(
            f"passed over as masks beside their images: {kinds} (--masks FOLDER reads a folder of masks)"
        )
    images = [path for at, path in enumerate(paths) if at not in left_out]
    headers = {path: NiftiHeader(values) for path, values in each_file(images, read_header, found.problems, "NIfTI")}
    volumes = _volumes(images, headers, root, found)
    with_masks = None if masks is None else _areas(volumes, axis, masks, found)
    for volume in volumes:
        rows = read_guarded(partial(_rows, volume, axis, digest), volume.path)
        if isinstance(rows, Unreadable):
            found.problems.add(volume.path, rows.cause)
            continue
        if masks is not None and with_masks is not None:
            _add_mask_columns(rows, volume, masks, with_masks)
        found.rows.extend(rows)
    in_time = sum(volume.header.in_time for volume in volumes)
    if in_time:
        found.notes.append(f"{plural(in_time, 'NIfTI file holds', 'NIfTI files hold')} several time points: each is a "
                           "volume of its own, numbered by the column time")  # fmt: skip
    if volumes:
        patients = len({volume.subject.patient for volume in volumes})
        found.notes.append(f"the names of {plural(len(volumes), 'NIfTI volume')} give {plural(patients, 'patient')}")
    if with_masks is not None and (unmasked := len(volumes) - len(with_masks)):
        found.notes.append(
            f"{plural(unmasked, 'volume has', 'volumes have')} no usable mask: slice_class is null there"
        )
    return found


def _below(path: Path, root: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name)


def _volumes(images: Sequence[Path], headers: dict[Path, NiftiHeader], root: Path, found: Found) -> list[_Volume]:
    """The volumes of the files that could be read, in their order; channels of one case are one volume."""
    files = [_below(path, root) for path in images]
    cases = channels_of_cases(files, _declared_folders(files, root))
    stacked, dropped = _stacked(cases, images, headers, found)
    case_of = {at: case.case for case in cases for at in case.numbers.values()}
    subjects = subjects_of(files, case_of)
    names = [stacked[at].case if at in stacked else stem_of(file) for at, file in enumerate(files)]
    first = {at for at, path in enumerate(images) if path in headers and at not in dropped}
    repeated = {name for name, count in Counter(names[at] for at in first).items() if count > 1}
    made = []
    for at in sorted(first):
        channels = tuple(stacked[at].numbers) if at in stacked else ()
        # The name alone where it is unique, so that a table can be joined by it.
        name = files[at].with_name(names[at]).as_posix() if names[at] in repeated else names[at]
        header = headers[images[at]]
        dtypes = (
            [headers[images[other]].dtype for other in stacked[at].numbers.values()] if channels else [header.dtype]
        )
        made.append(_Volume(images[at], header, name, subjects[at], channels, str(stacked_dtype(dtypes))))
    return made


def _stacked(
    cases: Sequence[Channels],
    images: Sequence[Path],
    headers: dict[Path, NiftiHeader],
    found: Found,
) -> tuple[dict[int, Channels], set[int]]:
    """Cases whose channels are stacked, by the position of the first file; and positions that stand for no volume."""
    stacked: dict[int, Channels] = {}
    dropped: set[int] = set()
    apart = 0
    usual_of = _usual_numbers(cases, images)
    for case in cases:
        positions = list(case.numbers.values())
        paths = [images[at] for at in positions]
        usual = usual_of[paths[0].parent]
        broken = [number for number, path in zip(case.numbers, paths, strict=True) if path not in headers]
        missing = [number for number in usual if number not in case.numbers]
        if len(usual) < 2 and len(case.numbers) < 2:
            continue
        if broken or missing:
            lost = ", ".join(sorted((*broken, *missing)))
            for at, path in zip(positions, paths, strict=True):
                dropped.add(at)
                if path in headers:
                    found.problems.add(path, f"channel {lost} of its case can't be read or is not there")
        elif agree([headers[path] for path in paths]):
            stacked[positions[0]] = case
            dropped.update(positions[1:])
        else:
            apart += 1
    if stacked:
        counts = Counter(len(case.numbers) for case in stacked.values())
        sizes = ", ".join(
            f"{plural(count, 'case')} of {channels} channels" for channels, count in sorted(counts.items())
        )
        found.notes.append(f"files numbered _0000, _0001 … are the channels of a case, stacked to one volume: {sizes}")
    if apart:
        found.notes.append(
            f"{plural(apart, 'case has', 'cases have')} channels of different shape or place: each channel is a volume "
            "of its own, and the column patient holds them together"
        )
    return stacked, dropped


def _usual_numbers(cases: Sequence[Channels], images: Sequence[Path]) -> dict[Path, tuple[str, ...]]:
    """The numbers of channels that most cases of a folder have; of equally common ones the most numbers."""
    counts: defaultdict[Path, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for case in cases:
        counts[images[next(iter(case.numbers.values()))].parent][tuple(case.numbers)] += 1
    return {
        folder: max(of_folder, key=lambda numbers: (of_folder[numbers], len(numbers)))
        for folder, of_folder in counts.items()
    }


def _declared_folders(files: Sequence[PurePosixPath], root: Path) -> list[PurePosixPath]:
    """Folders beside whose parent's ``dataset.json`` channels are declared."""
    declared = []
    for folder in dict.fromkeys(file.parent for file in files):
        for place in (folder, folder.parent):
            try:
                values = json.loads((root / place / "dataset.json").read_text(encoding="utf-8"))
                named = values.get("channel_names") or values.get("modality")
            except (OSError, ValueError, AttributeError, RecursionError):
                continue
            if isinstance(named, dict) and len(named) > 1:
                declared.append(folder)
                break
    return declared


def _rows(volume: _Volume, axis: str, digest: Callable[[str], str]) -> list[dict[str, Any]]:
    slicing = slicing_of(volume.header.affine, volume.header.shape, axis)
    name = digest(volume.name)
    whose = {
        "patient": digest(volume.subject.patient),
        "patient_id": digest(volume.subject.patient),
        "session": None if volume.subject.session is None else digest(volume.subject.session),
        "series": name,
    }
    rows = []
    for time in range(volume.header.times):
        of_time = digest(f"{volume.name}#{time}") if volume.header.in_time else name
        # Never null: decoding reads them, and a column of nulls would be dropped and could come from a joined table.
        numbers = {"frame": time, "channel_numbers": ",".join(volume.channels)}
        numbers["time"] = time if volume.header.in_time else None
        for index in range(slicing.count):
            rows.append(_row(volume, slicing, axis, of_time, index) | whose | numbers)
    return rows


def _row(volume: _Volume, slicing: Slicing, axis: str, name: str, index: int) -> dict[str, Any]:
    return {
        "sample": f"{name}-{index:04d}",
        "path": str(volume.path),
        "reader": "nifti",
        "volume": name,
        "axis": axis,
        "slice": index,
        "position": slicing.relative[index],
        "position_mm": float(slicing.mm[index]),
        "spacing_mm": slicing.spacing_mm,
        "pixel_spacing_mm": slicing.pixel_mm[0],
        "rows": slicing.shape[0],
        "columns": slicing.shape[1],
        "channels": len(volume.channels) or volume.header.channels,
        "dtype": volume.dtype,
    }


def _areas(volumes: Sequence[_Volume], axis: str, masks: Masks, found: Found) -> dict[Path, dict[str, Any]]:
    """The areas of the classes in the slices of each volume that has a usable mask, by the volume's path."""
    volumes_of: defaultdict[Path, list[_Volume]] = defaultdict(list)
    for volume in volumes:
        mask = masks.of(volume.path)
        if mask is not None:
            volumes_of[mask].append(volume)

    def read(mask: Path) -> list[dict[str, list[float]]]:
        made = []
        for volume in volumes_of[mask]:
            slicing = slicing_of(volume.header.affine, volume.header.shape, axis)
            areas = masks.areas(mask, open_volume(volume.path), slicing)
            made.append({str(number): area.tolist() for number, area in areas.items()})
        return made

    return {
        volume.path: {"mask": mask, "areas": {int(number): area for number, area in areas.items()}}
        for mask, of_volumes in each_file(list(volumes_of), read, found.problems, "masks")
        for volume, areas in zip(volumes_of[mask], of_volumes, strict=True)
    }


def _add_mask_columns(rows: list[dict[str, Any]], volume: _Volume, masks: Masks, areas: dict[Path, Any]) -> None:
    found = areas.get(volume.path)
    if found is None:
        return
    for row in rows:
        row["mask_path"] = str(found["mask"])
        row.update(masks.columns(found["areas"], row["slice"]))
