"""Fill a store file by file: decode the rows that are missing or out of date."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import ResourceError, SslDomainsError, UsageError
from ssl_domains.samples import FileReader, Reader, ReadError, SampleTable
from ssl_domains.stores.declared import DeclaredArrays, differing_channels, usual_channels
from ssl_domains.stores.fingerprint import WatchedRow, declared_columns, file_stat, row_digest, row_digests
from ssl_domains.stores.journal import Entry, Journal, Line

__all__ = ["Progress", "disk_errors", "fill_missing", "missing_rows", "refuse_differing", "rows_that_differ"]

Progress = Callable[[int, int], None]
ROWS_AT_A_TIME = 4096
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


def missing_rows(table: SampleTable, lines: Sequence[Line], *, retry: bool = False) -> NDArray[np.int64]:
    """Positions of the rows without a current array or problem in the journal; rows of one file are neighbours.

    Args:
        table: The rows to look for.
        lines: The lines of the journal.
        retry: Whether rows that couldn't be decoded count as missing.
    """
    latest: dict[str, tuple[Line, Entry]] = {}
    for line in lines:
        for entry in line.entries:
            latest[entry.sample] = (line, entry)
    missing = np.ones(len(table), dtype=np.bool_)
    by_columns: dict[tuple[str, ...], list[tuple[int, Line, Entry]]] = {}
    for row, sample in enumerate(table.frame["sample"]):
        stored = latest.get(sample)
        if stored is not None and not (retry and stored[1].cause):
            by_columns.setdefault(stored[0].columns, []).append((row, *stored))
    stats: dict[str, list[int] | None] = {}
    for columns, known in by_columns.items():
        digests = row_digests(table, [row for row, _, _ in known], columns)
        for (row, line, entry), digest in zip(known, digests, strict=True):
            if digest != entry.digest:
                continue
            if line.path not in stats:
                stats[line.path] = file_stat(line.path)
            missing[row] = stats[line.path] != line.stat
    rows = np.flatnonzero(missing)
    if "path" in table.columns and len(rows):
        paths = table.frame["path"].fill_null("").to_numpy()[rows]
        _, first, code = np.unique(paths.astype(str), return_index=True, return_inverse=True)
        rows = rows[np.argsort(first[code], kind="stable")]
    return rows.astype(np.int64)


def fill_missing(
    table: SampleTable, rows: NDArray[np.int64], reader: Reader, journal: Journal, progress: Progress | None
) -> None:
    """Decode the rows, a file at a time, and append them to the journal."""
    declared, form = declared_columns(reader), DeclaredArrays.of(reader)
    done = 0
    for path, values in _files(table, rows):
        stat = file_stat(path) if path else None
        columns_read: set[str] = set()
        watched = values if declared is not None else [WatchedRow(row, columns_read) for row in values]
        arrays = _decode(reader, form, path, watched)
        columns = declared if declared is not None else tuple(sorted(columns_read - {"sample", "path"}))
        names = [(str(row["sample"]), row_digest(row, columns)) for row in values]
        journal.append(path, stat, columns, [(*name, array) for name, array in zip(names, arrays, strict=True)])
        done += len(values)
        if progress is not None:
            progress(done, len(rows))
    journal.sync()


def rows_that_differ(table: SampleTable, lines: Sequence[Line], reader: Reader) -> list[tuple[Line, Entry, str]]:
    """Stored rows of the table whose number of channels is not the usual one: line, entry and cause.

    A single channel fits any number. With axes without channels, no row differs.
    """
    if not DeclaredArrays.of(reader).axes.endswith("c"):
        return []
    wanted = set(table.frame["sample"])
    latest = {entry.sample: (line, entry) for line in lines for entry in line.entries if entry.sample in wanted}
    stored = [(line, entry) for line, entry in latest.values() if not entry.cause]
    usual = usual_channels(entry.shape[-1] for _, entry in stored)
    causes = ((line, entry, differing_channels(entry.shape[-1], usual)) for line, entry in stored)
    return [(line, entry, cause) for line, entry, cause in causes if cause is not None]


def refuse_differing(table: SampleTable, reader: Reader, journal: Journal) -> None:
    """Record as problems the rows of the table whose number of channels is not the usual one.

    This is done when all rows are decoded, as only then the usual number is known.
    """
    for line, entry, cause in rows_that_differ(table, journal.lines, reader):
        journal.append(line.path, line.stat, line.columns, [(entry.sample, entry.digest, cause)])


def _files(table: SampleTable, rows: NDArray[np.int64]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Path and rows of each file, in the order of ``rows``, where rows of one file are neighbours."""
    if "path" not in table.columns:
        for row in rows:
            yield "", table.frame[[int(row)]].to_dicts()
        return
    paths = table.frame["path"].fill_null("").gather(rows).cast(pl.String).to_list()
    starts = [row for row in range(1, len(paths)) if paths[row] != paths[row - 1]]
    bounds = [0, *starts, len(rows)]
    files = [(start, stop) for start, stop in itertools.pairwise(bounds) if stop > start]
    at = 0
    while at < len(files):
        first, until = files[at][0], at + 1
        while until < len(files) and files[until][1] <= first + ROWS_AT_A_TIME:
            until += 1
        values = table.frame[rows[first : files[until - 1][1]]].to_dicts()
        block, at = files[at:until], until
        for start, stop in block:
            yield paths[start], values[start - first : stop - first]


def _decode(
    reader: Reader, form: DeclaredArrays, path: str, rows: Sequence[Mapping[str, Any]]
) -> list[NDArray[np.generic] | str]:
    """Decode the rows of one file: for each row its array, or the cause why there is none."""
    if isinstance(reader, FileReader) and path:
        try:
            arrays: Sequence[Any] = reader.load_file(path, rows)
            if len(arrays) != len(rows):
                raise ReadError(f"the reader gave {len(arrays)} arrays for {len(rows)} rows")
            return [_checked(array, form) for array in arrays]
        except Exception as error:
            cause = _cause(error)
            if len(rows) == 1:
                return [cause]
    # Row by row when reading the whole file failed, so that the good rows of the file are still decoded.
    return [_load(reader, form, row) for row in rows]


def _load(reader: Reader, form: DeclaredArrays, row: Mapping[str, Any]) -> NDArray[np.generic] | str:
    try:
        return _checked(reader.load(row), form)
    except Exception as error:
        return _cause(error)


def _cause(error: Exception) -> str:
    """The cause to record for a row. Errors that don't come from the file are raised again."""
    if isinstance(error, SslDomainsError):
        raise error
    if isinstance(error, MemoryError):
        raise ResourceError(
            "out of memory while decoding a file", "close other programs, or use smaller files"
        ) from error
    if isinstance(error, OSError) and error.errno in _FULL:
        raise error
    text = str(error) if isinstance(error, ReadError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split()) or "unreadable"


def _checked(array: Any, form: DeclaredArrays) -> NDArray[np.generic] | str:
    """The array in the machine's byte order, or the cause why it is refused."""
    if isinstance(array, ReadError):  # `load_file` may return an error for a single row
        return _cause(array)
    array = np.asarray(array)
    refusal = form.refusal(array)
    if refusal is not None:
        return refusal
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def disk_errors(error: OSError, folder: Path) -> SslDomainsError | None:
    """The user's error for a full disk or a folder that can't be written to; None for other errors."""
    if error.errno in _FULL:
        return ResourceError(
            f"the disk is full: filling the store {folder.name} stopped",
            "free some space and run again: what was filled is kept, and filling goes on from there",
        )
    if error.errno in _FORBIDDEN:
        return UsageError(
            f"the store {folder.name} can't be written: {error.strerror}", "give a folder you may write to"
        )
    return None
