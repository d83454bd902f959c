"""The reader of the domain: SEG-Y files and ``.npy`` volumes, whose sections or patches are the samples."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
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
    Region,
    SampleTable,
    ScanResult,
    TableMeta,
    Unreadable,
    current_session,
    each_file,
    read_guarded,
    walk,
)
from ssl_domains_seismic.interpretation import OPTIONS as INTERPRETATION
from ssl_domains_seismic.interpretation import SampledSurvey, attach, find_label_files, request_of
from ssl_domains_seismic.labels import open_label_volume, read_mask
from ssl_domains_seismic.patches import Cut, patches_of
from ssl_domains_seismic.places import Places, places_of_array, places_of_survey
from ssl_domains_seismic.reading import OPTIONS as READING
from ssl_domains_seismic.reading import Reading, reading_of
from ssl_domains_seismic.report.summary import one_line
from ssl_domains_seismic.sampling import OPTIONS as SAMPLING
from ssl_domains_seismic.sampling import Sampling, sampling_of
from ssl_domains_seismic.survey import Survey, examine, open_survey

__all__ = ["SUFFIXES", "SeismicReader"]

SUFFIXES = (".sgy", ".segy", ".seg")
_OPTIONS = tuple(sorted((*READING, *SAMPLING, *INTERPRETATION)))
_INDEX = "index_path"
_LABELS = re.compile(r"(^|[_-])(labels?|masks?)$")
_EMPTY: dict[str, Any] = {
    "sample": pl.String,
    "path": pl.String,
    "array": pl.String,
    "region": pl.List(pl.Int64),
    "survey": pl.String,
}


class SeismicReader:
    """Reads stacked seismic data; an array is a whole volume ``[inline, crossline, sample]``, read in place."""

    version = "1"
    axes = "zyx"
    missing = True  # IEEE samples may be NaN
    columns = (*READING, _INDEX)

    def scan(self, source: Path, **options: Any) -> ScanResult:
        """Index a folder or a file from its headers.

        Args:
            source: Folder or file.
            options: Those of `reading_of`, `sampling_of` and `request_of`; None stands for the default.

        Raises:
            UsageError: When the source doesn't exist, an option is unknown or can't be read, no sample fits into a
                block, or labels fit several surveys.
        """
        if unknown := sorted(set(options) - set(_OPTIONS)):
            raise UsageError(f"seismic scan has no option {unknown[0]!r}", did_you_mean(unknown[0], _OPTIONS))
        given = {name: options[name] for name in _OPTIONS if options.get(name) is not None}
        reading = reading_of(*(given.get(name) for name in READING))
        sampling, request = sampling_of(given), request_of(given)
        source = Path(source).resolve()
        if not source.exists():
            raise UsageError(f"there is no {str(source)!r}", "give a folder or a file")
        root = source if source.is_dir() else source.parent
        problems, notes = Problems(), list[str]()
        labels = find_label_files(request.labels, source, problems, notes)
        volumes = _volumes(source, {file.path for file in labels}, problems, notes)
        surveys = _surveys(volumes, root, reading, sampling, problems, notes)
        attached = attach(surveys, labels, request, problems, notes)
        frames = attached.frames
        frame = pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame(schema=_EMPTY)
        if "blocks" in given and len(frame) and not frame["block"].count():
            cause = f"no sample lies inside one block of --blocks {given['blocks']}"
            raise UsageError(cause, "cut patches that are smaller than a block (--patch), or fewer blocks")
        return ScanResult(
            SampleTable(frame, TableMeta(options=given | attached.options)), problems.frame(), tuple(notes)
        )

    def open(self, row: Mapping[str, Any]) -> LazyArray:
        """The volume of a row, not yet read.

        Raises:
            ReadError: With the cause.
        """
        path = str(row["path"])
        if not Path(path).is_file():
            raise ReadError("the file is gone")
        if path.lower().endswith(".npy"):
            return _npy(path)
        reading = reading_of(*(row.get(name) for name in READING))
        return open_survey(path, replace(reading, index=row.get(_INDEX))).volume

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """The whole volume of a row, ``[inline, crossline, sample]``; holes and dead traces are 0.

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

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[NDArray[np.uint8]]:
        """`load_mask` for rows of one label volume, which is opened once.

        Raises:
            ReadError: When the volume can't be read, or a row has no place in it.
        """
        volume = open_label_volume(path)
        return [read_mask(volume, row) for row in rows]

    def nbytes(self, row: Mapping[str, Any]) -> int:
        """0: every volume is read in place."""
        return 0


def _mask_path(row: Mapping[str, Any]) -> str:
    if row.get("mask_path") is None:
        raise ReadError("the row has no label volume")
    return str(row["mask_path"])


def _volumes(source: Path, labels: set[Path], problems: Problems, notes: list[str]) -> list[Path]:
    """The files that are volumes, in a fixed order; the others are counted in a note."""
    found: list[Path] = []
    other: Counter[str] = Counter()
    for path in walk(source, problems):
        if path in labels:
            continue
        suffix = path.suffix.lower()
        if suffix in SUFFIXES or path == source:
            found.append(path)
        elif suffix == ".npy":
            other["label volumes (.npy; --labels FILE uses one)"] += _is_labels(path)
            found += [] if _is_labels(path) else [path]
        else:
            other[suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else "of another kind"] += 1
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(other.items()) if count)
    if kinds:
        notes.append(f"passed over as no SEG-Y file or .npy volume: {kinds}")
    return found


def _is_labels(path: Path) -> bool:
    """Whether a name ends in ``labels`` or ``masks`` and a file of the same name without that word is beside it."""
    word = _LABELS.search(path.stem.lower())
    if word is None:
        return False
    stem = path.stem[: word.start()]
    return any(path.with_name(f"{name}.npy").is_file() for name in (stem, f"{stem}_seismic") if name)


def _surveys(
    volumes: list[Path], root: Path, reading: Reading, sampling: Sampling, problems: Problems, notes: list[str]
) -> list[SampledSurvey]:
    """Each file that can be sampled, with its rows."""
    surveys: list[SampledSurvey] = []
    remarks: dict[str, list[str]] = {}
    names = _names(volumes, root)
    lines: list[str] = []
    of_file = {path: replace(reading, index=_index(path)) for path in volumes}
    for path, said in each_file(volumes, lambda path: _facts(path, of_file[path]), problems, "volumes"):
        name = names[path]
        made = read_guarded(lambda path=path: _cut(path, of_file[path], sampling), path)  # type: ignore[misc]
        if isinstance(made, Unreadable):
            problems.add(path, made.cause)
            continue
        places, cut = made
        lines.append(f"{name}: {said['summary']}")
        for sentence in said["notes"]:
            remarks.setdefault(sentence, []).append(name)
        if cut.empty:
            share = f"less than {100 * sampling.live:g} % of their traces have data"
            remarks.setdefault(f"{cut.empty:,} samples are left out: {share}", []).append(name)
        if not len(cut.frame):
            cause = "no section or patch of this size fits into the part that is asked for"
            problems.add(path, "no sample has enough traces with data" if cut.empty else cause)
            continue
        frame = _with_names(cut.frame, path, name, places, of_file[path])
        surveys.append(SampledSurvey(frame, name, path, places, of_file[path]))
    notes += lines[:10] + ([f"… and {len(lines) - 10:,} more files"] if len(lines) > 10 else [])
    notes += [f"{_some(files)}: {sentence}" for sentence, files in remarks.items()]
    return surveys


def _facts(path: Path, reading: Reading) -> dict[str, Any]:
    """What a scan says of a file; raises `ReadError` for one that can't be sampled."""
    if path.suffix.lower() == ".npy":
        region = _npy(str(path))
        return {"summary": f"{' × '.join(map(str, region.shape))}, {region.dtype.name}, times unknown", "notes": []}
    session = current_session()
    told = None if session is None else session.progress
    progress = None if told is None else lambda done, total: told("trace headers", done, total)
    survey = examine(path, reading, progress=progress)
    survey.require()
    return {"summary": one_line(survey), "notes": [*survey.choice.evidence, *survey.notes]}


def _index(path: Path) -> str | None:
    """Where the header words of a large file are kept: beside the table that the scan under way writes."""
    session = current_session()
    if session is None or session.folder is None or path.suffix.lower() == ".npy":
        return None
    digest = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return str(session.folder.resolve() / "segy-headers" / f"{digest}.json")


def _cut(path: Path, reading: Reading, sampling: Sampling) -> tuple[Places, Cut]:
    if path.suffix.lower() == ".npy":
        region = _npy(str(path))
        places = places_of_array(region.shape, region.dtype)
    else:
        survey: Survey = open_survey(path, reading)
        places = places_of_survey(survey)
    return places, patches_of(places, sampling)


def _npy(path: str) -> Region:
    region = Region.npy(path)
    if len(region.shape) != 3 or 0 in region.shape:
        sides = " × ".join(map(str, region.shape)) or "one number"
        raise ReadError(f"the .npy file holds {sides}, not a volume of inline × crossline × depth")
    return region


def _with_names(frame: pl.DataFrame, path: Path, name: str, places: Places, reading: Reading) -> pl.DataFrame:
    """Add what all rows of a file share, and the id of each sample: file, axis, and where its region starts."""
    place = pl.concat_str([pl.col("region").list.get(axis).cast(pl.String) for axis in (0, 2, 4)], separator=".")
    words = None if reading.lines is None else f"{reading.lines[0]},{reading.lines[1]}"
    shared: dict[str, Any] = {
        "path": str(path), "array": name, "survey": name, "dtype": places.dtype,
    }  # fmt: skip
    chosen = {"lines": words, "samples_as": reading.samples_as}
    chosen["coordinates"] = None if reading.coordinates == "int" else reading.coordinates
    chosen["vertical"] = None if reading.vertical == "time" else reading.vertical
    chosen[_INDEX] = reading.index if reading.index is not None and Path(reading.index).is_file() else None
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
