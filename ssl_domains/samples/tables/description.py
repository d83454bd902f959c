"""Description of a sample table: its columns and what they are for, its split, its paths and its problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ssl_domains.errors import DataError, UsageError
from ssl_domains.quantities import plural
from ssl_domains.samples.files import problems_path, read_frame, read_noted_table
from ssl_domains.samples.identifiers import IdentifierKey, outdated_note
from ssl_domains.samples.table import SampleTable
from ssl_domains.samples.tables.places import missing_files

__all__ = ["TableDescription", "describe_table", "undecoded_hint"]

_CAUSES = 3


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name.
        type: Its type.
        values: Number of distinct values; None for lists.
        missing: Number of rows without a value.
        role: What it is for, such as "identifier (hashed)"; empty for a column of the reader without a role.
    """

    name: str
    type: str
    values: int | None
    missing: int
    role: str


@dataclass(frozen=True)
class TableDescription:
    """What a table holds.

    Attributes:
        rows: Number of samples.
        domain: Domain that scanned it; empty when that is not known.
        columns: One entry for each column.
        group: Column whose groups the split keeps whole; None when that is not known.
        split: Name of a side → number of rows and of groups; empty without a split.
        identifiers: Columns of keyed hashes.
        key: Fingerprint of the key that made them; empty when that is not known.
        folder: The folder that relative paths count from.
        missing_files: Number of files that are not there.
        first_missing: One of them; None when all are there.
        problems: Number of entries that the scan left out; None when the file of problems is not there.
        causes: The commonest causes, with their numbers.
        notes: Warnings and remarks, one line each.
    """

    rows: int
    domain: str
    columns: tuple[Column, ...]
    group: str | None
    split: dict[str, dict[str, int | None]]
    identifiers: tuple[str, ...]
    key: str
    folder: str
    missing_files: int
    first_missing: str | None
    problems: int | None
    causes: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """All values as JSON."""
        return asdict(self)


def describe_table(path: str | Path, key: IdentifierKey | None = None) -> TableDescription:
    """Describe the table of a file.

    Args:
        path: The file.
        key: The key of this machine, compared with the one that hashed the identifiers; None loads it when needed.

    Raises:
        UsageError: When the file is missing or is no table.
        DataError: When it can't be parsed, or its metadata is damaged.
    """
    path = Path(path)
    table, warnings = read_noted_table(path)
    meta, notes = table.meta, list(warnings)
    gone = missing_files(table.frame)
    if gone:
        notes.append(missing_sentence(gone, path))
    if meta.group is not None and meta.group not in table.columns:
        notes.append(f"it was split by {meta.group!r}, and this column is gone: a probe can't keep groups whole")
    if meta.identifiers:
        notes += _key_notes(table, key)
    problems, causes = _problems(path)
    return TableDescription(
        rows=len(table),
        domain=meta.domain,
        columns=tuple(_column(table, name) for name in table.columns),
        group=meta.group,
        split=_split(table),
        identifiers=meta.identifiers,
        key=meta.key,
        folder=str(path.resolve().parent),
        missing_files=len(gone),
        first_missing=gone[0] if gone else None,
        problems=problems,
        causes=causes,
        notes=tuple(notes),
    )


def missing_sentence(gone: Sequence[str], path: Path) -> str:
    """The sentence for files that are not where a table says, and from where its paths count."""
    folder = path.resolve().parent
    return (
        f"{plural(len(gone), 'file')} of {path.name} not found, such as {gone[0]}: its relative paths count from "
        f"{folder}. Copy the files too, or write the copy by `ssl-domains tables filter ORIGINAL -o COPY`, which keeps "
        "paths right"
    )


def undecoded_hint(table: SampleTable) -> str:
    """The hint for a table of which no row can be decoded: it was not made by a scan, its files are gone, or else."""
    if "path" not in table.columns:
        return (
            "it has no column 'path': scan the files first, and join the labels: ssl-domains DOMAIN scan FOLDER "
            "-o samples.parquet --join LABELS --on COLUMN"
        )
    if missing_files(table.frame, first=1):
        return "do the table's paths lead to the files? ssl-domains tables describe TABLE says from where they count"
    return "the reader and what it declares must agree, or the files are damaged: mend them and run again"


def _column(table: SampleTable, name: str) -> Column:
    column, meta = table.frame[name], table.meta
    missing = column.null_count() + (int(column.is_nan().sum()) if column.dtype.is_float() else 0)
    values = None if column.dtype.is_nested() else column.drop_nulls().n_unique()
    roles = []
    if name in meta.identifiers:
        roles.append("identifier (hashed)")
    if name == meta.group:
        roles.append("group of the split")
    if name == "split":
        roles.append("split")
    elif not meta.made_by_reader(name):
        roles.append("joined")
    return Column(name, str(column.dtype), values, missing, ", ".join(roles))


def _split(table: SampleTable) -> dict[str, dict[str, int | None]]:
    if "split" not in table.columns:
        return {}
    group = table.meta.group
    counted = [pl.len().alias("rows")]
    if group is not None and group in table.columns:
        counted.append(pl.col(group).drop_nulls().n_unique().alias("groups"))
    named = table.frame.with_columns(table.text("split").fill_null("neither"))
    sides = named.group_by("split").agg(counted).sort("split")
    return {side["split"]: {"rows": side["rows"], "groups": side.get("groups")} for side in sides.iter_rows(named=True)}


def _key_notes(table: SampleTable, key: IdentifierKey | None) -> list[str]:
    meta = table.meta
    if meta.old_identifiers:
        return [outdated_note(meta)]
    try:
        here = (key or IdentifierKey.load()).fingerprint
    except UsageError as error:
        return [f"{error.message}: {error.hint}"]
    if here != meta.key:
        return [
            f"its ids were hashed by the key {meta.key}, and the key here is {here}: joins by an id need the first "
            "(SSL_DOMAINS_HASH_KEY)"
        ]
    return []


def _problems(path: Path) -> tuple[int | None, tuple[tuple[str, int], ...]]:
    file = problems_path(path)
    try:
        frame = read_frame(file, ("path", "cause"))
    except (UsageError, DataError):
        return None, ()
    if "cause" not in frame.columns:
        return None, ()
    causes = frame.group_by("cause", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    return len(frame), tuple(causes.head(_CAUSES).iter_rows())
