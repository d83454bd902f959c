"""Find duplicates under different names: digests of files or arrays, and small pictures for near duplicates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.audit.decoding import Decode
from ssl_domains.audit.finding import Finding, percent
from ssl_domains.audit.perceptual import Looks
from ssl_domains.audit.sides import Side
from ssl_domains.samples.scanning.guard import is_special
from ssl_domains.samples.table import SampleTable

__all__ = [
    "Contents",
    "NearPicture",
    "array_contents",
    "file_contents",
    "scanned_contents",
    "shared_contents",
    "without_flat",
]

NearPicture = Callable[[NDArray[Any], Mapping[str, Any]], NDArray[Any]]
"""Gives the picture by which near duplicates are found, ``[H, W]``, for an array and its row of the table."""

_SHOWN = 10
_COLUMN = "content"


@dataclass(frozen=True)
class Contents:
    """Digests of the contents of the rows of a side.

    Attributes:
        kind: How contents are compared: "byte for byte", or "decoded" (equal arrays of equal dtype).
        digests: One for each row; None when the row could not be read.
        flat: bool ``[n]``: the row holds one constant value, such as padding or a black picture; it is not compared.
        looks: Perceptual hashes, when near duplicates are searched for.
    """

    kind: str
    digests: Sequence[str | None]
    flat: NDArray[np.bool_]
    looks: Looks | None = None


def scanned_contents(sides: Sequence[Side]) -> list[Contents] | None:
    """Digests that a scan of every table wrote into the column ``content``; None where one has none.

    A reader that decodes everything anyway writes this column: equal text for equal decoded contents, in whatever
    container, and null where it is one constant value or not known.
    """
    tables = [side.table for side in sides]
    if not all(_COLUMN in table.columns and table.meta.columns.get(_COLUMN) == "String" for table in tables):
        return None
    return [
        Contents("decoded", table.frame[_COLUMN].to_list(), np.zeros(len(table), dtype=np.bool_)) for table in tables
    ]


def array_contents(side: Side, decode: Decode, *, near: bool = False, picture: NearPicture | None = None) -> Contents:
    """Digests of the decoded arrays: equal for one picture under two names or in two file formats.

    Args:
        side: The rows.
        decode: Decodes the rows.
        near: Whether to compute perceptual hashes too.
        picture: Gives the picture that is hashed; None takes the array itself.
    """
    digests: list[str | None] = [None] * len(side)
    flat = np.zeros(len(side), dtype=np.bool_)
    looks = Looks.unknown(len(side)) if near else None
    for row, array in decode(side.table):
        if array is None:
            continue
        digests[row] = _array_digest(array)
        flat[row] = _is_flat(array)
        if looks is not None and not flat[row]:
            shown = array if picture is None else picture(array, side.table.frame.row(row, named=True))
            looks.fill(row, shown)
    return Contents("decoded", digests, flat, looks)


def file_contents(sides: Sequence[Side]) -> list[Contents]:
    """Digests of the files' bytes. A file whose size no other file has is not read: it can't have a duplicate."""
    sizes: list[list[int | None]] = [[_size(path) for path in _paths(side.table)] for side in sides]
    counts: dict[int, int] = {}
    for of in sizes:
        for size in of:
            if size is not None:
                counts[size] = counts.get(size, 0) + 1
    known: dict[str, str | None] = {}
    contents = []
    for side, of in zip(sides, sizes, strict=True):
        digests: list[str | None] = []
        for path, size in zip(_paths(side.table), of, strict=True):
            if path is None or size is None:
                digests.append(None)
            elif counts[size] == 1:
                digests.append(f"alone {size}")
            else:
                if path not in known:
                    known[path] = _file_digest(path)
                digests.append(known[path])
        contents.append(Contents("byte for byte", digests, np.zeros(len(side), dtype=np.bool_)))
    return contents


def without_flat(sides: Sequence[Side], contents: Sequence[Contents], decode: Decode) -> list[Contents]:
    """Mark flat file contents. Of each content that occurs on several sides, one file is decoded."""
    sides_of: dict[str, set[int]] = {}
    first: dict[str, tuple[int, int]] = {}
    for number, of in enumerate(contents):
        for row, digest in enumerate(of.digests):
            if digest is not None:
                sides_of.setdefault(digest, set()).add(number)
                first.setdefault(digest, (number, row))
    flat: set[str | None] = set()
    for number, side in enumerate(sides):
        rows = [(row, digest) for digest, (at, row) in first.items() if at == number and len(sides_of[digest]) > 1]
        for position, array in decode(side.table.take([row for row, _ in rows])):
            if array is not None and _is_flat(array):
                flat.add(rows[position][1])
    return [replace(of, flat=np.array([digest in flat for digest in of.digests], dtype=np.bool_)) for of in contents]


def shared_contents(a: Side, of_a: Contents, b: Side, of_b: Contents) -> Finding:
    """Finding on rows of two sides with equal contents."""
    left, right = _rows(a, of_a), _rows(b, of_b)
    firsts = right.group_by("digest").agg(pl.col("sample").first(), pl.len().alias("rows"))
    both = left.group_by("digest").agg(pl.col("sample").first(), pl.len().alias("rows")).join(firsts, on="digest")
    both = both.sort("sample")
    rows_a, rows_b = int(both["rows"].sum()), int(both["rows_right"].sum())
    shared = len(both)
    how = of_a.kind
    sentence = (
        f"{rows_b:,} samples of {b.name} ({percent(rows_b, len(b))}) are duplicates of {rows_a:,} of {a.name} ({how})"
        if shared
        else f"no sample of {b.name} is a duplicate of one of {a.name} ({how})"
    )
    flat = int(of_a.flat.sum()), int(of_b.flat.sum())
    details = {
        "flat_a": flat[0],
        "flat_b": flat[1],
        "unread_a": sum(digest is None for digest in of_a.digests),
        "unread_b": sum(digest is None for digest in of_b.digests),
        "examples": [
            {"a": one, "b": other} for one, other in both.select("sample", "sample_right").head(_SHOWN).iter_rows()
        ],
    }
    return Finding(
        "content", how, a.name, b.name, shared, rows_a, rows_b, len(a), len(b), shared > 0, sentence, details
    )


def _rows(side: Side, contents: Contents) -> pl.DataFrame:
    frame = pl.DataFrame({"digest": pl.Series(contents.digests, dtype=pl.String), "sample": side.table.frame["sample"]})
    return frame.filter(pl.Series(~contents.flat)).drop_nulls("digest")


def _paths(table: SampleTable) -> list[str | None]:
    if "path" not in table.columns:
        return [None] * len(table)
    return table.frame["path"].cast(pl.String).to_list()


def _is_flat(array: NDArray[np.generic]) -> bool:
    values = array.ravel()
    return values.size == 0 or bool((values == values[0]).all()) or bool((values != values).all())  # only NaN


def _array_digest(array: NDArray[np.generic]) -> str:
    digest = hashlib.blake2b(f"{array.dtype.str} {array.shape} ".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _file_digest(path: str) -> str | None:
    if is_special(path):
        return None
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _size(path: str | None) -> int | None:
    try:
        return Path(path).stat().st_size if path else None
    except (OSError, ValueError):
        return None
