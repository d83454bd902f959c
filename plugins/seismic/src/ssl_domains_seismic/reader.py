"""The reader of the domain: SEG-Y files and ``.npy`` volumes, whose sections or patches are the samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.samples import (
    LazyArray,
    Problems,
    ReadError,
    SampleTable,
    ScanResult,
    TableMeta,
    current_session,
    each_file,
)
from ssl_domains_seismic.copies.offer import copy_beside_table, offers
from ssl_domains_seismic.interpretation import OPTIONS as INTERPRETATION
from ssl_domains_seismic.interpretation import SampledSurvey, attach, find_label_files, request_of
from ssl_domains_seismic.labels import open_label_volume, read_mask
from ssl_domains_seismic.places import Places
from ssl_domains_seismic.reading import OPTIONS as READING
from ssl_domains_seismic.reading import Reading, reading_of
from ssl_domains_seismic.report.summary import one_line
from ssl_domains_seismic.sampling import OPTIONS as SAMPLING
from ssl_domains_seismic.sampling import Sampling, sampling_of
from ssl_domains_seismic.scanning import SUFFIXES, npy_volume, survey_samples, volume_files
from ssl_domains_seismic.stacks import (
    OtherStack,
    StackedVolume,
    Stacks,
    other_stacks,
    stack_groups,
    stacks_of,
    stacks_text,
)
from ssl_domains_seismic.stacks.column import COLUMN as STACKS
from ssl_domains_seismic.stacks.groups import OPTIONS as STACKING
from ssl_domains_seismic.survey import examine, open_survey

__all__ = ["SUFFIXES", "SeismicReader"]

_OPTIONS = tuple(sorted((*READING, *SAMPLING, *STACKING, *INTERPRETATION)))
_INDEX, _COPY = "index_path", "copy_path"
_EMPTY: dict[str, Any] = {
    "sample": pl.String,
    "path": pl.String,
    "array": pl.String,
    "region": pl.List(pl.Int64),
    "survey": pl.String,
}


class SeismicReader:
    """Reads stacked seismic data, in place; an array is a whole volume ``[inline, crossline, sample, stack]``."""

    version = "1"
    axes = "zyxc"
    missing = True  # IEEE samples may be NaN
    columns = (*READING, _INDEX, _COPY, STACKS)

    def scan(self, source: Path, **options: Any) -> ScanResult:
        """Index a folder or a file from its headers.

        Args:
            source: Folder or file.
            options: Those of `reading_of`, `sampling_of`, `stacks_of` and `request_of`; None stands for the default.

        Raises:
            UsageError: When the source doesn't exist, an option is unknown or can't be read, no sample fits into a
                block, or labels fit several surveys.
        """
        if unknown := sorted(set(options) - set(_OPTIONS)):
            raise UsageError(f"seismic scan has no option {unknown[0]!r}", did_you_mean(unknown[0], _OPTIONS))
        given = {name: options[name] for name in _OPTIONS if options.get(name) is not None}
        reading = reading_of(*(given.get(name) for name in READING))
        sampling, request, stacks = sampling_of(given), request_of(given), stacks_of(given.get("stacks"))
        source = Path(source).resolve()
        if not source.exists():
            raise UsageError(f"there is no {str(source)!r}", "give a folder or a file")
        root = source if source.is_dir() else source.parent
        problems, notes = Problems(), list[str]()
        labels = find_label_files(request.labels, source, problems, notes)
        volumes = volume_files(source, {file.path for file in labels}, problems, notes)
        groups = stack_groups(stacks, _names(volumes, root), problems)
        surveys = _surveys(groups, root, reading, sampling, problems, notes)
        attached = attach(surveys, labels, request, problems, notes)
        frames = attached.frames
        frame = pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame(schema=_EMPTY)
        return ScanResult(
            SampleTable(frame, TableMeta(options=given | attached.options)), problems.frame(), tuple(notes)
        )

    def open(self, row: Mapping[str, Any]) -> LazyArray:
        """The volume of a row, not yet read.

        Raises:
            ReadError: With the cause.
        """
        path, reading, index = str(row["path"]), reading_of(*(row.get(name) for name in READING)), row.get(_INDEX)
        copy = row.get(_COPY)
        others = other_stacks(path, row.get(STACKS), index, copy)
        if not others and path.lower().endswith(".npy") and Path(path).is_file():
            return npy_volume(path)[..., None]
        first = _volume(path, replace(reading, index=index, copy=copy))
        further = (_volume(one.path, replace(reading, index=one.index, copy=one.copy)) for one in others)
        return StackedVolume((first, *further))

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """The whole volume of a row, ``[inline, crossline, sample, stack]``; holes and dead traces are 0.

        Raises:
            ReadError: With the cause.
        """
        lazy = self.open(row)
        try:
            return lazy.read(tuple(slice(0, side) for side in lazy.shape))[0]
        except DataError as error:
            raise ReadError(str(error)) from error

    def load_mask(self, row: Mapping[str, Any]) -> NDArray[np.uint8]:
        """The class numbers of a sample's middle section, uint8 ``[H, W]`` as in its picture; 255 is unlabelled.

        Raises:
            ReadError: When the row names no label volume, or it can't be read.
        """
        return read_mask(open_label_volume(_mask_path(row)), row)

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[NDArray[np.uint8]]:
        """`load_mask` for rows of one label volume, which is opened once; masks are read one by one.

        Raises:
            ReadError: When the volume can't be read, or a row has no place in it.
        """
        volume = open_label_volume(path)
        return (read_mask(volume, row) for row in rows)

    def nbytes(self, row: Mapping[str, Any]) -> int:
        """0: every volume is read in place."""
        return 0


def _volume(path: str, reading: Reading) -> LazyArray:
    """A file as ``[inline, crossline, sample]``, not yet read."""
    if not Path(path).is_file():
        raise ReadError("the file is gone")
    return npy_volume(path) if path.lower().endswith(".npy") else open_survey(path, reading).volume


def _mask_path(row: Mapping[str, Any]) -> str:
    if row.get("mask_path") is None:
        raise ReadError("the row has no label volume")
    return str(row["mask_path"])


def _surveys(
    groups: list[Stacks], root: Path, reading: Reading, sampling: Sampling, problems: Problems, notes: list[str]
) -> list[SampledSurvey]:
    """Each survey that can be sampled, with its rows.

    Raises:
        UsageError: When no sample of any survey lies inside one block.
    """
    surveys: list[SampledSurvey] = []
    remarks: dict[str, list[str]] = {}
    across: list[tuple[str, str]] = []
    lines: list[str] = []
    volumes = [path for group in groups for path in group.files]
    names = _names(volumes, root)
    of_file = {path: _reading_of_file(path, reading, sampling) for path in volumes}
    facts = dict(each_file(volumes, lambda path: _facts(path, of_file[path]), problems, "volumes"))
    for group in groups:
        path, name = group.files[0], group.name
        lost = [other for other in group.files if other not in facts]
        if lost:
            for other in group.files:
                if other in facts:
                    problems.add(other, f"the stack {names[lost[0]]} of its survey can't be sampled")
            continue
        made = survey_samples(group, names, of_file, sampling)
        if isinstance(made, str):
            for file in group.files:
                problems.add(file, made)
            continue
        places, cut = made
        for file in group.files:
            lines.append(f"{names[file]}: {facts[file]['summary']}")
            for sentence in facts[file]["notes"]:
                remarks.setdefault(sentence, []).append(names[file])
            if facts[file]["truncated"] is not None:
                problems.add(file, facts[file]["truncated"])
        if cut.empty:
            share = f"less than {100 * sampling.live:g} % of their traces have data"
            remarks.setdefault(f"{cut.empty:,} samples are left out: {share}", []).append(name)
        if not len(cut.frame):
            cause = "no section or patch of this size fits into the part that is asked for"
            problems.add(path, "no sample has enough traces with data" if cut.empty else cause)
            continue
        others = [OtherStack(str(file), of_file[file].index, of_file[file].copy) for file in group.files[1:]]
        frame = _with_names(cut.frame, path, name, places, of_file[path], stacks_text(path, others))
        surveys.append(SampledSurvey(frame, name, path, places, of_file[path]))
        across += [] if cut.across is None else [(name, cut.across)]
    if across and len(across) == len(surveys):
        where = "" if len(across) == 1 else f" ({across[0][0]})"
        raise UsageError(across[0][1] + where, "cut patches that are smaller than a block (--patch), or fewer blocks")
    for name, sentence in across:
        remarks.setdefault(f"{sentence}; its samples are in no block", []).append(name)
    notes += lines[:10] + ([f"… and {len(lines) - 10:,} more files"] if len(lines) > 10 else [])
    notes += [f"{_some(files)}: {sentence}" for sentence, files in remarks.items()]
    sampled = {one.name for one in surveys}
    files = [path for group in groups if group.name in sampled for path in group.files]
    notes += offers({path: of_file[path] for path in files if path.suffix.lower() != ".npy"}, sampling)
    return surveys


def _facts(path: Path, reading: Reading) -> dict[str, Any]:
    """What a scan says of a file; raises `ReadError` for one that can't be sampled."""
    if path.suffix.lower() == ".npy":
        region = npy_volume(str(path))
        return {
            "summary": f"{' × '.join(map(str, region.shape))}, {region.dtype.name}, times unknown",
            "notes": [],
            "truncated": None,
        }
    session = current_session()
    told = None if session is None else session.progress
    progress = None if told is None else lambda done, total: told("trace headers", done, total)
    survey = examine(path, reading, progress=progress)
    survey.require()
    notes = [*survey.choice.evidence, *survey.notes]
    return {"summary": one_line(survey), "notes": notes, "truncated": survey.layout.truncated}


def _reading_of_file(path: Path, reading: Reading, sampling: Sampling) -> Reading:
    if path.suffix.lower() == ".npy":
        return reading
    return replace(reading, index=_index(path), copy=copy_beside_table(path, sampling))


def _index(path: Path) -> str | None:
    """Where the header words of a large file are kept: beside the table that the scan under way writes."""
    session = current_session()
    if session is None or session.folder is None:
        return None
    digest = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return str(session.folder.resolve() / "segy-headers" / f"{digest}.json")


def _with_names(
    frame: pl.DataFrame, path: Path, name: str, places: Places, reading: Reading, stacks: str | None
) -> pl.DataFrame:
    """Add what all rows of a file share, and the id of each sample: file, axis, and where its region starts."""
    place = pl.concat_str([pl.col("region").list.get(axis).cast(pl.String) for axis in (0, 2, 4)], separator=".")
    words = None if reading.lines is None else f"{reading.lines[0]},{reading.lines[1]}"
    shared: dict[str, Any] = {"path": str(path), "array": name, "survey": name, "dtype": places.dtype}
    chosen = {"lines": words, "samples_as": reading.samples_as, STACKS: stacks}
    chosen["coordinates"] = None if reading.coordinates == "int" else reading.coordinates
    chosen["vertical"] = None if reading.vertical == "time" else reading.vertical
    chosen[_INDEX] = reading.index if reading.index is not None and Path(reading.index).is_file() else None
    chosen[_COPY] = reading.copy
    shared |= {column: value for column, value in chosen.items() if value is not None}
    return frame.select(
        pl.concat_str([pl.lit(name), pl.col("along"), place], separator=":").alias("sample"),
        *[pl.lit(value).alias(column) for column, value in shared.items()],
        pl.concat_str(pl.lit(shared["survey"]), "block", separator=":").alias("block"),
        pl.all().exclude("block"),
    )


def _names(volumes: list[Path], root: Path) -> dict[Path, str]:
    """Name of each file relative to the scanned folder."""
    return {path: path.relative_to(root).as_posix() for path in volumes}


def _some(files: list[str]) -> str:
    return ", ".join(files[:3]) + (f" and {len(files) - 3:,} more" if len(files) > 3 else "")
