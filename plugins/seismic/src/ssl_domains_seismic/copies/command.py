"""``ssl-domains seismic copy``: the surveys of a table, or one file, each as a depth-major copy."""

from __future__ import annotations

import shlex
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from ssl_domains.durations import duration
from ssl_domains.errors import DataError, ResourceError, UsageError
from ssl_domains.quantities import data_size
from ssl_domains.samples import ReadError, read_noted_table, write_errors
from ssl_domains_seismic.copies.copy_file import copy_place
from ssl_domains_seismic.copies.write import copy_bytes, copy_seconds, write_copy
from ssl_domains_seismic.reading import Reading, reading_of
from ssl_domains_seismic.segy.volume import SegyVolume
from ssl_domains_seismic.stacks.column import COLUMN, OtherStack, other_stacks
from ssl_domains_seismic.survey import open_survey

__all__ = ["copy_surveys"]

_TABLES = (".parquet", ".csv", ".tsv", ".xlsx")
_READ_BY = ("lines", "samples_as", "coordinates", "vertical")


def copy_surveys(
    source: Path,
    out: Path | None,
    options: Mapping[str, str | None],
    say: Callable[[str], None],
    progress: Callable[[str, int, int], None],
) -> None:
    """Write the copies that a table reads from, and are missing or outdated.

    Args:
        source: Sample table, or SEG-Y file.
        out: For a file, the folder of the table that is or will be scanned from it; None for a table.
        options: How a file is read: ``lines``, ``samples_as``, ``coordinates``, ``vertical``.
        say: Takes a sentence for each survey: the size of its copy and about the time, before anything is written.
        progress: Called as ``progress("copying NAME, MB", done, total)``.

    Raises:
        UsageError: For a source that isn't there, options that don't fit it, or a folder that can't be written to.
        DataError: When a survey can't be read.
        ResourceError: When the disk has too little space.
    """
    if not source.is_file():
        raise UsageError(f"there is no file {str(source)!r}", "give a sample table or a SEG-Y file")
    if source.suffix.lower() in _TABLES:
        if out is not None or any(options.values()):
            cause = "a table says itself where its copies lie and how its surveys are read"
            raise UsageError(cause, f"ssl-domains seismic copy {shlex.quote(str(source))}")
        surveys = list(_of_table(source, say))
    else:
        if out is None:
            hint = f"ssl-domains seismic copy {shlex.quote(str(source))} -o FOLDER, that of its table"
            raise UsageError("a file says no folder for its copy", hint)
        reading = reading_of(*(options.get(name) for name in _READ_BY))
        path = source.resolve()
        surveys = [(path, replace(reading, copy=copy_place(out.resolve(), path)))]
    wanted = [(path, volume, Path(str(volume.reading.copy))) for path, volume in map(_opened, surveys)]
    missing = [one for one in wanted if not _fits(one[1])]
    for path, _, copy in wanted:
        if all(copy != other for _, _, other in missing):
            say(f"{path.name}: its copy is there and fits")
    with write_errors("the copy"):
        for _, _, copy in missing:
            copy.parent.mkdir(parents=True, exist_ok=True)
        _require_space(missing)
        for path, volume, copy in missing:
            size = copy_bytes(volume.shape, volume.dtype)
            seconds = duration(copy_seconds(volume, copy.parent))
            say(f"{path.name}: {data_size(size)} to {copy.parent.name}/{copy.name}, in about {seconds}")
            what = f"copying {path.name}, MB"
            write_copy(volume, copy, lambda done, total: progress(what, done // 10**6, total // 10**6))  # noqa: B023


def _of_table(source: Path, say: Callable[[str], None]) -> Iterator[tuple[Path, Reading]]:
    """The SEG-Y files of a table with the places of their copies."""
    table, notes = read_noted_table(source)
    for text in notes:
        say(f"note: {text}")
    frame = table.frame
    if "copy_path" not in frame.columns or not frame["copy_path"].count():
        raise UsageError(
            f"{source.name} has no time slices or cubes of SEG-Y files that a copy would serve",
            "a table of sections needs no copy; scan with --along depth",
        )
    named = [name for name in ("index_path", COLUMN, *_READ_BY) if name in frame.columns]
    rows = frame.filter(pl.col("copy_path").is_not_null()).select("path", "copy_path", *named)
    for row in rows.unique(maintain_order=True).iter_rows(named=True):
        reading = reading_of(*(row.get(name) for name in _READ_BY))
        first = OtherStack(row["path"], row.get("index_path"), row["copy_path"])
        for one in (first, *_further(row, first)):
            if one.copy is not None:
                yield Path(one.path), replace(reading, index=one.index, copy=one.copy)


def _further(row: Mapping[str, str | None], first: OtherStack) -> list[OtherStack]:
    try:
        return other_stacks(first.path, row.get(COLUMN), first.index, first.copy)
    except ReadError as error:
        raise DataError(f"{Path(first.path).name}: {error}", "scan again") from error


def _opened(survey: tuple[Path, Reading]) -> tuple[Path, SegyVolume]:
    path, reading = survey
    try:
        return path, open_survey(path, reading).volume
    except ReadError as error:
        raise DataError(
            f"{path.name}: {error}", f"ssl-domains seismic header {shlex.quote(str(path))} shows what it is"
        ) from error


def _fits(volume: SegyVolume) -> bool:
    """Whether the copy is there and fits; one that is outdated is made anew, so nothing is said of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return volume.copy is not None


def _require_space(missing: list[tuple[Path, SegyVolume, Path]]) -> None:
    """Refuse copies for which the disk has no space, before the first is written."""
    if not missing:
        return
    needed = sum(copy_bytes(volume.shape, volume.dtype) for _, volume, _ in missing)
    free = shutil.disk_usage(missing[0][2].parent).free
    if needed > free:
        cause = f"the copies need {data_size(needed)}, the disk has {data_size(free)} free"
        raise ResourceError(cause, "free some space; nothing was written")
