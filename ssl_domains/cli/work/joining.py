"""Join, filter and mend tables: read them, keep what their metadata says, and write them with paths that stay right."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.console import error
from ssl_domains.errors import DataError, UsageError

if TYPE_CHECKING:
    from ssl_domains.samples import SampleTable, TableMeta

__all__ = ["Written", "filter_table", "join_table", "joined", "one_writer", "unite_ids"]


@dataclass(frozen=True)
class Written:
    """A table that was written.

    Attributes:
        path: Its file.
        table: Its contents.
        before: Number of rows of the table that it was made from.
        notes: Remarks, one line each.
    """

    path: Path
    table: SampleTable
    before: int
    notes: tuple[str, ...]


@contextmanager
def one_writer(out: Path) -> Iterator[None]:
    """Keep other processes from writing the same table, during a block; the lock file is there only meanwhile.

    Raises:
        UsageError: When another process writes it; the message names its process id.
    """
    from ssl_domains.samples import only_one

    lock = out.with_name(f".busy-{out.name}")
    with only_one(lock, f"the table {out.name} is being written", "name another -o", keep=False):
        yield


def joined(table: SampleTable, labels: Path, on: str, update: bool = False) -> tuple[SampleTable, tuple[str, ...]]:
    """(the table with the columns of the file ``labels``, notes).

    Raises:
        UsageError: When a column is missing or in both tables.
        DataError: When the file can't be read, repeats a value of ``on``, or matches no sample.
    """
    from ssl_domains.samples import join_noted, names_of_join, read_noted_frame

    texts = [right for _, right in names_of_join(on, table.columns)]
    frame, notes = read_noted_frame(labels, texts)
    made = join_noted(table, frame, on, update=update)
    return made.table, (*notes, *made.notes)


def join_table(
    source: Path, labels: Path, on: str, out: Path | None = None, *, like: Path | None = None, update: bool = False
) -> Written:
    """Add the columns of ``labels`` to a table, and write it.

    Args:
        source: The sample table.
        labels: Table with the new columns.
        on: Column that both have, or ``COLUMN=OTHER``.
        out: File to write; None replaces ``source``.
        like: Table, sidecar or run whose group, identifiers and scan are put back, where ``source`` has lost its own.
        update: Replace columns that an earlier join added.
    """
    table = _opened(source, like)
    made, remarks = joined(table, labels, on, update)
    return _written(made, out or source, len(table), remarks)


def filter_table(source: Path, conditions: Sequence[str], out: Path, *, like: Path | None = None) -> Written:
    """Write the rows of a table that fulfil all conditions; see `ssl_domains.samples.matching_rows`.

    Raises:
        UsageError: When a condition is none.
        DataError: When no row fulfils them.
    """
    from ssl_domains.samples import matching_rows

    table = _opened(source, like)
    rows = matching_rows(table, conditions)
    if not rows.any():
        raise DataError(
            f"no row of {source.name} fulfils {' and '.join(conditions)}",
            f"ssl-domains tables describe {shlex.quote(str(source))} shows its columns",
        )
    kept, notes = table.take(rows), []
    for side in ("train", "test"):
        if "split" in table.columns and len(table.rows_of(side)) and not len(kept.rows_of(side)):
            notes.append(f"no row of the split's side {side!r} is kept")
    return _written(kept, out, len(table), notes)


def unite_ids(source: Path, ids: Sequence[str], out: Path, *, like: Path | None = None) -> Written:
    """Write a table in which two ids are one group; see `ssl_domains.samples.united`.

    Raises:
        UsageError: When a text of ``ids`` is none, or the table has no such column or id.
    """
    from ssl_domains.samples import united

    table = _opened(source, like)
    made, notes = united(table, ids)
    return _written(made, out, len(table), notes)


def _opened(source: Path, like: Path | None) -> SampleTable:
    """The table, with the metadata of ``like``; what it lacks is printed at once, as it may explain a later error."""
    from ssl_domains.samples import TableMeta, absolute_from, missing_files, read_noted_table
    from ssl_domains.samples.tables.description import missing_sentence

    table, warnings = read_noted_table(source)
    notes = list(warnings)
    if like is not None:
        meta, folder = _meta_of(like)
        if table.meta not in (TableMeta(), meta):
            raise UsageError(f"{source.name} has metadata of its own, which differs from that of {like}",
                             "leave --like out")  # fmt: skip
        kept = tuple(name for name in meta.identifiers if name in table.columns)
        table = replace(table, meta=replace(meta, identifiers=kept))
        notes = [f"domain, group and identifiers were taken from {like}"]
        if folder is not None:
            table = replace(table, frame=absolute_from(table.frame, source.resolve().parent, folder))
    gone = missing_files(table.frame)
    if gone:
        notes.append(missing_sentence(gone, source))
    for text in notes:
        error("note", text, "")
    return table


def _meta_of(like: Path) -> tuple[TableMeta, Path | None]:
    """(metadata of a table, sidecar or run; folder that paths of the table count from, if it is known)."""
    from ssl_domains.samples import TableMeta, read_noted_table, sidecar_meta

    if like.is_dir():
        from ssl_domains.engine.record.run import Run

        meta, folder = Run.open(like).table_meta, None
    elif like.suffix == ".json":
        found = sidecar_meta(like.with_suffix(""))
        if found is None:
            raise UsageError(f"there is no sidecar {str(like)!r}", "--like takes a table, its sidecar, or a run")
        meta, folder = found, like.resolve().parent
    else:
        meta, folder = read_noted_table(like)[0].meta, like.resolve().parent
    if meta == TableMeta():
        raise UsageError(f"{str(like)!r} doesn't say what its table was", "--like takes a scanned table, or a run")
    return meta, folder


def _written(table: SampleTable, out: Path, before: int, notes: Sequence[str]) -> Written:
    from ssl_domains.samples import require_target, write_portable

    if out.suffix.lower() not in (".parquet", ".csv", ".xlsx"):
        raise UsageError(f"can't write a table as {out.name!r}", "name it .parquet, .csv or .xlsx")
    require_target(out)
    with one_writer(out):
        return Written(out, write_portable(table, out), before, tuple(notes))
