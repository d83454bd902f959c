"""The labels of a survey, from all its files, as one label volume beside the table."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import Problems, TableFiles, Unreadable, current_session, read_guarded
from ssl_domains_seismic.interpretation.sources import LabelSource
from ssl_domains_seismic.interpretation.surveys import SampledSurvey
from ssl_domains_seismic.labels import UNLABELLED, write_label_volume

__all__ = ["MergedLabels", "merge_labels", "unused_volumes"]

_FOLDER = "labels"


@dataclass(frozen=True)
class MergedLabels:
    """The labels of a survey.

    Attributes:
        path: The label volume.
        counts: Voxels of each class number, int64 ``[256]``; those of `UNLABELLED` last.
        contested: Voxels to which files give different classes; they are unlabelled.
        without_data: Labelled voxels of places without a trace; they are unlabelled.
    """

    path: Path
    counts: NDArray[np.int64]
    contested: int
    without_data: int


class _Fault(Exception):
    """A file that turned out to hold no class numbers."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(cause)
        self.path = path
        self.cause = cause


def merge_labels(
    survey: SampledSurvey, sources: Mapping[Path, LabelSource], files: TableFiles, problems: Problems
) -> MergedLabels | None:
    """Write the label volume of a survey; None when no file is left that can be read.

    Inlines are merged one after the other. A voxel with different classes in several files is unlabelled. A file whose
    values are no class numbers becomes a problem, and the others are merged without it. The name of the volume holds a
    digest of its contents, so a new table never changes the labels of an old one.

    Args:
        survey: The survey.
        sources: Its labels by file.
        files: Takes the volume, and those that the table named before.
        problems: Takes files that can't be read.
    """
    left = dict(sources)
    while left:
        try:
            return _merged(survey, left, files)
        except _Fault as fault:
            problems.add(fault.path, fault.cause)
            del left[fault.path]
    return None


def unused_volumes(files: TableFiles) -> None:
    """Mark the label volumes of the table as it was before this scan: they are removed when it is written."""
    folder = files.table.with_name(f"{files.table.stem}.{_FOLDER}")
    if folder.is_dir():
        files.old.update([folder, *folder.glob("*-" + 12 * "[0-9a-f]" + ".npy")])


def _merged(survey: SampledSurvey, sources: Mapping[Path, LabelSource], files: TableFiles) -> MergedLabels:
    shape = survey.places.shape
    live = survey.places.live
    session = current_session()
    progress = None if session is None else session.progress
    digest = hashlib.sha256(repr(shape).encode())
    counts = np.zeros(256, dtype=np.int64)
    lost = {"contested": 0, "without data": 0}

    def fill(volume: NDArray[np.uint8]) -> None:
        for place in range(shape[0]):
            plane, contested = _inline(sources, place, shape[1:])
            if live is not None:
                holes = ~live[place]
                lost["without data"] += int((plane[holes] != UNLABELLED).sum())
                plane[holes] = UNLABELLED
            lost["contested"] += contested
            counts[:] += np.bincount(plane.ravel(), minlength=256)
            digest.update(plane.tobytes())
            volume[place] = plane
            if progress is not None:
                progress("inlines of labels", place + 1, shape[0])

    folder = files.folder(_FOLDER)
    stem = re.sub(r"[^\w.-]", "_", survey.path.stem)
    unnamed = folder / f".{stem}.npy"
    files.new.append(unnamed)
    write_label_volume(unnamed, shape, fill)
    path = folder / f"{stem}-{digest.hexdigest()[:12]}.npy"
    files.old -= {path, folder}
    if not path.exists():
        files.new.append(path)
    os.replace(unnamed, path)
    return MergedLabels(path, counts, lost["contested"], lost["without data"])


def _inline(sources: Mapping[Path, LabelSource], place: int, shape: tuple[int, int]) -> tuple[NDArray[np.uint8], int]:
    """Class numbers of an inline from all files, and the number of voxels on which they disagree."""
    plane = np.full(shape, UNLABELLED, dtype=np.uint8)
    contested = np.zeros(shape, dtype=np.bool_)
    for path, source in sources.items():
        read = read_guarded(lambda source=source: source.inline(place), path)  # type: ignore[misc]
        if isinstance(read, Unreadable):
            raise _Fault(path, read.cause)
        if read is None:
            continue
        lines = slice(None) if read.crosslines is None else read.crosslines
        before = plane[lines]
        first = before == UNLABELLED
        contested[lines] |= (read.values != UNLABELLED) & ~first & (read.values != before)
        plane[lines] = np.where(first, read.values, before)
    plane[contested] = UNLABELLED
    return plane, int(contested.sum())
