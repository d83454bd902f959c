"""Edges of a file or table as an adjacency between the rows of a sample table, for `linked`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, ResourceError, UsageError, did_you_mean
from ssl_domains.pairs.binding.csr import runs
from ssl_domains.pairs.rules.linked import Linked
from ssl_domains.samples import IdentifierKey, SampleTable, as_frame, read_frame

__all__ = ["Adjacency", "read_adjacency"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST = 2**30  # edges between rows: 16 GB of positions and grades


@dataclass(frozen=True, eq=False)
class Adjacency:
    """Undirected edges between positions of a table as CSR, without an edge of a position with itself.

    Attributes:
        starts: int64 ``[size + 1]``.
        neighbours: int64 ``[starts[-1]]``, positions, ascending and distinct within a row.
        grades: float64 ``[starts[-1]]``, above 0 and finite; 1 where the edges have no grades.
        known: bool ``[size]``, False where the key is missing.
    """

    starts: Ints
    neighbours: Ints
    grades: Floats
    known: NDArray[np.bool_]


def read_adjacency(rule: Linked, table: SampleTable, given: Any | None = None) -> Adjacency:
    """Read the edges of a `linked` rule.

    Args:
        rule: The rule.
        table: The rows.
        given: The edges as a frame or mapping of columns; None reads the rule's file.

    Raises:
        UsageError: When the file or a column is missing, or the grades are not numbers.
        DataError: When the file can't be read, or a grade is missing or infinite.
        ResourceError: When keys that many rows share would link more than 2^30 pairs of rows.
    """
    frame = _read(rule) if given is None else as_frame(given)
    ends = [_column(frame, rule, name) for name in (rule.a, rule.b)]
    grades = _grades(frame, rule)
    key = table.column(rule.key)
    codes = table.codes(rule.key)
    if given is None and rule.key in table.meta.identifiers:
        ends = [_pseudonyms(end, key) for end in ends]
    a, b = (_codes(end, key, codes) for end in ends)
    kept = (a >= 0) & (b >= 0) & (a != b) & (grades > 0)
    size = max(int(codes.max(initial=-1)) + 1, 1)
    starts, neighbours, weights = _adjacency(a[kept], b[kept], grades[kept], size)
    return _expanded(starts, neighbours, weights, codes, rule)


def _read(rule: Linked) -> pl.DataFrame:
    path = Path(rule.file)
    if not path.is_file():
        hint = "a relative path counts from the working directory; bind(edges={name: frame}) needs no file"
        raise UsageError(f"linked reads {rule.file!r}, and there is no such file", hint)
    return read_frame(path)


def _column(frame: pl.DataFrame, rule: Linked, name: str) -> pl.Series:
    if name not in frame.columns:
        raise UsageError(f"the edges of {rule.file!r} have no column {name!r}", did_you_mean(name, frame.columns))
    column = frame[name]
    if column.dtype.is_nested():
        raise UsageError(f"column {name!r} of the edges {rule.file!r} holds {column.dtype}", "one value an edge")
    return column


def _grades(frame: pl.DataFrame, rule: Linked) -> Floats:
    if rule.grade is None:
        return np.ones(len(frame))
    column = _column(frame, rule, rule.grade)
    if not (column.dtype.is_numeric() or column.dtype == pl.Null):
        raise UsageError(
            f"column {rule.grade!r} of the edges {rule.file!r} holds {column.dtype}, not numbers", "a grade is a number"
        )
    grades = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    wrong = int((~np.isfinite(grades)).sum())
    if wrong:
        message = f"edges of {rule.file!r} without a finite {rule.grade!r}: {wrong}"
        raise DataError(message, "give every edge a grade, 0 for no edge")
    return grades


def _pseudonyms(end: pl.Series, key: pl.Series) -> pl.Series:
    """Identifiers hashed as in the table; values that are pseudonyms of the table already are kept."""
    text = end.cast(pl.String).str.strip_chars()
    digest = IdentifierKey.load().digest
    hashed = text.map_elements(digest, return_dtype=pl.String, skip_nulls=True)
    return text.zip_with(text.is_in(key.implode()).fill_null(False), hashed)


def _codes(end: pl.Series, key: pl.Series, codes: Ints) -> Ints:
    """The code of the key that each end equals, int64 ``[edges]``; −1 where no row has that key."""
    kind = _common_kind(end.dtype, key.dtype)
    known = pl.DataFrame({"id": key.cast(kind, strict=False), "code": codes}).filter(pl.col("code") >= 0)
    joined = pl.DataFrame({"id": end.cast(kind, strict=False)}).join(
        known.unique("id"), on="id", how="left", maintain_order="left"
    )
    return joined["code"].fill_null(-1).to_numpy().astype(np.int64)


def _common_kind(end: pl.DataType, key: pl.DataType) -> pl.DataType:
    """The type in which ids of a file and keys of a table are compared."""
    if end == key:
        return key
    if key.is_numeric() and (end.is_numeric() or end in (pl.String, pl.Null)):
        return pl.Int64() if key.is_integer() and not end.is_float() else pl.Float64()
    return pl.String()


def _adjacency(a: Ints, b: Ints, grades: Floats, size: int) -> tuple[Ints, Ints, Floats]:
    """Undirected edges between codes as CSR, the largest grade of each."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    edges, edge = np.unique(low * size + high, return_inverse=True)
    best = np.zeros(len(edges))
    np.maximum.at(best, edge.reshape(-1), grades)
    low, high, grades = edges // size, edges % size, best
    source, target = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.argsort(source * size + target)
    return _starts(source, size), target[order], np.concatenate([grades, grades])[order]


def _expanded(starts: Ints, neighbours: Ints, grades: Floats, codes: Ints, rule: Linked) -> Adjacency:
    """The adjacency of codes as one of rows: the rows of a code are joined with all rows of its neighbours."""
    known = codes >= 0
    rows = np.argsort(codes, kind="stable")[len(codes) - int(known.sum()) :]
    first = _starts(codes[known], len(starts) - 1)
    sizes = np.diff(first)
    source = np.repeat(np.arange(len(sizes)), np.diff(starts))
    reach = sizes[neighbours]
    degrees = np.bincount(source, weights=reach, minlength=len(sizes)).astype(np.int64)
    total = int((degrees * sizes).sum())
    if total > _MOST:
        raise ResourceError(f"{rule} links {total} pairs of rows", f"column {rule.key!r} has too few values to link by")
    beside = rows[runs(first[neighbours], reach)]
    order = np.argsort(np.repeat(source, reach) * len(codes) + beside)
    beside, weights = beside[order], np.repeat(grades, reach)[order]
    code = np.maximum(codes, 0)
    counts = np.where(known, degrees[code], 0)
    taken = runs((np.cumsum(degrees) - degrees)[code], counts)
    row_starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Adjacency(row_starts, beside[taken], weights[taken], known)


def _starts(codes: Ints, size: int) -> Ints:
    """Where each code starts when codes are sorted, int64 ``[size + 1]``."""
    return np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=size))]).astype(np.int64)
