"""Scan source files and write the sample table; for ``scan``, and for ``pretrain`` when it is given files."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.work.joining import joined, one_writer
from ssl_domains.errors import DataError, PluginError, SslDomainsError, UsageError, did_you_mean, disk_is_full
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    from ssl_domains.samples import SampleTable, ScanResult, TableFiles

__all__ = ["Scanned", "Split", "is_table", "nothing_to_read", "read_source", "scan_to"]

_TABLES = (".parquet", ".csv", ".tsv", ".xlsx")


@dataclass(frozen=True)
class Split:
    """Settings of a group-disjoint split: a share ``test`` of the groups of ``column`` is held out."""

    column: str
    test: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class Scanned:
    """The result of a scan.

    Attributes:
        path: File of the sample table.
        result: Samples, problems and notes, as written to the files.
        problems: File of the problems.
        kept: Number of problems of files that have samples in the table all the same.
    """

    path: Path
    result: ScanResult
    problems: Path
    kept: int = 0


def is_table(source: Path) -> bool:
    """Whether the suffix of a source is that of a table."""
    return source.suffix.lower() in _TABLES


def scan_to(
    domain: Domain,
    source: Path,
    out: Path,
    *,
    options: Mapping[str, Any] | None = None,
    join: Path | None = None,
    on: str | None = None,
    split: Split | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Scanned:
    """Scan ``source`` and write the sample table to ``out``, with a file of problems beside it.

    Args:
        domain: Domain whose reader scans.
        source: Folder or file, or a table with a column ``path``.
        out: File of type ``.parquet`` (which keeps the metadata of the scan), ``.csv`` or ``.xlsx``.
        options: Scan options of the domain.
        join: Table whose columns are added, by the values of column ``on``.
        on: Column that both tables have.
        split: Group-disjoint split to write.
        progress: Called as ``progress("reading KIND", done, total)`` for each kind of files.

    What was read stands in a journal beside the table until the table is written: a scan that was killed and is started
    again doesn't read the same files again.

    Raises:
        UsageError: When the source or a column is missing, or the table can't be written, or another process writes it.
        DataError: When nothing could be read; the file of problems is written all the same.
        PluginError: When the reader itself fails, which has to list a bad file as a problem.
    """
    from ssl_domains.samples import TableFiles, require_target

    if not source.exists():
        raise UsageError(f"there is no source {str(source)!r}", "name a folder, a file, or a table with a path column")
    if (join is None) != (on is None):
        raise UsageError("--join and --on belong together", "--join labels.csv --on COLUMN")
    if out.suffix.lower() not in _TABLES or out.suffix.lower() == ".tsv":
        raise UsageError(f"can't write a table as {out.name!r}", "name it .parquet, .csv or .xlsx")
    require_target(out, inputs=[source, join])
    with one_writer(out), TableFiles(out).kept() as files:
        return _write_table(domain, source, out, dict(options or {}), join, on, split, progress, files)


def _write_table(
    domain: Domain,
    source: Path,
    out: Path,
    options: dict[str, Any],
    join: Path | None,
    on: str | None,
    split: Split | None,
    progress: Callable[[str, int, int], None] | None,
    files: TableFiles,
) -> Scanned:
    from ssl_domains.samples import fold_split, group_split, write_portable, write_problems

    journal = out.with_name(f".scanning-{out.name}")
    result = read_source(domain, source, options, journal, progress, files)
    problems = write_problems(result.problems, out)
    table, notes = result.samples, list(result.notes)
    if len(table) == 0:
        raise _nothing(domain, source, result, problems)
    kept = int(result.problems["path"].is_in(table.frame["path"].unique().implode()).sum())
    columns = {name: str(dtype) for name, dtype in table.frame.schema.items()}
    if is_table(source):
        columns = dict(table.meta.columns)
    recorded = {**table.meta.options, **_recorded(options, split)}
    meta = replace(table.meta, domain=domain.name, options=recorded, columns=columns, whole_groups=domain.whole_groups)
    table = replace(table, meta=meta)
    if join is not None and on is not None:
        table, remarks = joined(table, join, on)
        notes += remarks
    if split is not None:
        table = group_split(table, split.column, test=split.test, seed=split.seed)
        notes += _cut_groups(table, [name for name in domain.coarser_groups if name != split.column])
    elif result.folds and "split" not in table.columns:
        table, said = fold_split(table, result.folds)
        notes += [said] if said else []
    table = write_portable(table, out)
    journal.unlink(missing_ok=True)
    return Scanned(out, replace(result, samples=table, notes=tuple(notes)), problems, kept)


def _cut_groups(table: SampleTable, columns: list[str]) -> list[str]:
    """Notes on the coarser groups that the split of a table cuts."""
    from ssl_domains.audit import cut_groups, sides_of

    return cut_groups(sides_of(table, "split"), columns) if columns else []


def read_source(
    domain: Domain,
    source: Path,
    options: dict[str, Any],
    journal: Path,
    progress: Callable[[str, int, int], None] | None,
    files: TableFiles | None = None,
) -> ScanResult:
    """Scan ``source`` without writing a table; arguments and errors are those of `scan_to`.

    Args:
        domain: Domain whose reader scans.
        source: Folder or file, or a table with a column ``path``.
        options: Scan options of the domain.
        journal: File in which what was read stands, from which a killed scan goes on.
        progress: Called as ``progress("reading KIND", done, total)``.
        files: Takes the files that the reader writes for the table; None where no table is written.
    """
    from ssl_domains.samples import ScanSession, TableReader, scan_session

    reader = domain.reader()
    table = _from_table(source, getattr(reader, "text_columns", ())) if is_table(source) else None
    if table is not None and not isinstance(reader, TableReader):
        return table
    # Values that were read with other options are not those of this scan.
    request = json.dumps([domain.name, reader.version, str(source.resolve()), _recorded(options, None)])
    try:
        with scan_session(ScanSession(journal, request, _reading(progress), files)):
            if table is not None and isinstance(reader, TableReader):
                return reader.complete_table(table, **options)
            return reader.scan(source, **options)
    except (SslDomainsError, MemoryError):
        raise
    except Exception as error:
        if disk_is_full(error):
            raise
        frame = traceback.extract_tb(error.__traceback__)[-1]
        cause = f"{type(error).__name__}: {error} (line {frame.lineno} of {frame.filename})"
        raise PluginError(
            f"the reader of {domain.name} can't scan {str(source)!r}: {cause}",
            "ssl-domains --debug … shows the traceback; a reader lists a bad file as a problem and goes on",
        ) from error


def _reading(progress: Callable[[str, int, int], None] | None) -> Callable[[str, int, int], None] | None:
    return None if progress is None else lambda what, done, total: progress(f"reading {what}", done, total)


def _from_table(source: Path, running: Collection[str]) -> ScanResult:
    """Read a table with a column ``path`` as the result of a scan; rows whose file is missing become problems.

    Args:
        source: The table.
        running: Its columns of running text, see `TableReader`.
    """
    import polars as pl

    from ssl_domains.samples import Problems, ScanResult, missing_files, read_noted_table

    table, read_notes = read_noted_table(source, scanned=False, running=running)
    if "path" not in table.columns:
        hint = did_you_mean("path", table.columns)
        raise UsageError(f"{source.name!r} has no column 'path'", f"a table needs one to be a source; {hint}")
    paths = table.frame["path"]
    gone = missing_files(table.frame)
    kept = paths.is_not_null() & ~paths.is_in(pl.Series(gone, dtype=pl.String).implode())
    problems = Problems()
    for path in paths.filter(~kept):
        problems.add(path or source, "no such file" if path else "the row has no path")
    notes = list(read_notes)
    if gone:
        notes.append(f"relative paths of {source.name} count from {source.resolve().parent}")
    return ScanResult(replace(table, frame=table.frame.filter(kept)), problems.frame(), tuple(notes))


def _recorded(options: Mapping[str, Any], split: Split | None) -> dict[str, Any]:
    made = {} if split is None else {"split_by": split.column, "split_test": split.test, "split_seed": split.seed}
    given = {name: value for name, value in options.items() if value is not None}
    return {name: _written(value) for name, value in (given | made).items()}


def _written(value: Any) -> Any:
    """A value of an option as JSON holds it: paths as text, those of an option that is given several times too."""
    if isinstance(value, list):
        return [_written(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def nothing_to_read(domain: Domain, source: Path, notes: Sequence[str] = ()) -> DataError:
    """The error for a source without any file of the domain.

    Args:
        domain: The domain.
        source: The source.
        notes: What the scan says, such as which files it passed over.
    """
    files = f"{domain.name} reads {domain.files}" if domain.files else "is it the right folder?"
    return DataError(f"{str(source)!r} holds nothing that {domain.name} reads", "; ".join([files, *notes]))


def _nothing(domain: Domain, source: Path, result: ScanResult, file: Path) -> DataError:
    problems = result.problems
    if len(problems) == 0:
        return nothing_to_read(domain, source, result.notes)
    first = problems["cause"][0]
    return DataError(
        f"none of the {len(problems)} entries of {str(source)!r} could be read, the first because: {first}",
        f"every cause is in {file}",
    )
