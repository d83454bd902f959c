"""Open the sample table and the array store that a run was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ssl_domains.errors import SslDomainsError, UsageError
from ssl_domains.samples import Reader, SampleTable, read_frame, read_table
from ssl_domains.stores import ArrayStore, default_store

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["FoundTable", "find_table", "run_store", "run_table"]

_SUFFIXES = (".parquet", ".csv", ".xlsx")
_MOST_TABLES = 50


@dataclass(frozen=True)
class FoundTable:
    """The sample table of a run.

    Attributes:
        path: Its file.
        note: A sentence when it is not where the run says, or does not hold all samples of the run; else empty.
    """

    path: Path
    note: str = ""


def find_table(run: Run) -> FoundTable:
    """Find the table that a run was trained on: the one that holds its training samples.

    It is looked for where the run's configuration says, counted from the working folder and from the folders above the
    run, and then among the tables of the working folder and of the two folders above the run.

    Raises:
        UsageError: When the run names no table, or none that is there holds its training samples.
    """
    named = run.config.data.samples
    if named is None:
        raise UsageError("the run doesn't say which sample table it was trained on", "name it with --samples")
    wanted = pl.Series(sorted(run.training_samples), dtype=pl.String)
    partly: tuple[int, Path] | None = None
    here = Path(named)
    for path in _candidates(run.folder.resolve(), here):
        held = _held(path, wanted, {"sample"} if path.name == here.name else {"sample", "path"})
        if held == len(wanted):
            moved = not _same(path, here)
            note = f"the run's table {str(named)!r} is not there: {path} holds the same samples and is used"
            return FoundTable(path, note if moved else "")
        # A table of the right name that lacks some samples may be an edit of the one that was trained on.
        if held and path.name == here.name and (partly is None or held > partly[0]):
            partly = held, path
    if partly is not None:
        held, path = partly
        missing = len(wanted) - held
        return FoundTable(path, f"{path} lacks {missing:,} of the {len(wanted):,} samples that the run was trained on")
    # The message stands in reports, which show no folders; the hint is for the terminal.
    what = "holds other samples than it was trained on" if here.is_file() else "is no longer where it was"
    folders = ", ".join(map(str, _near(run.folder.resolve(), here)))
    raise UsageError(
        f"the run's sample table {here.name!r} {what}",
        f"no table with its samples lies in {folders}: name it with --samples TABLE",
    )


def run_table(run: Run) -> SampleTable:
    """The sample table that the run was trained on; see `find_table`.

    Raises:
        UsageError: When the run names no table, or it can't be found.
    """
    return read_table(find_table(run).path)


def run_store(run: Run, reader: Reader | None = None) -> ArrayStore:
    """The array store that the run was trained from.

    Args:
        run: The run.
        reader: The reader of its domain; needed where that opens arrays in place in a way of its own, as of recordings.

    Raises:
        UsageError: When the run names neither a store nor a sample table beside which it would be.
        DataError: When the store is missing, or needs a reader.
    """
    named, samples = run.config.data.store, run.config.data.samples
    if named is None and samples is None:
        raise UsageError("the run doesn't say which array store it was trained from", "pass the store")
    return ArrayStore.open(Path(named) if named is not None else default_store(find_table(run).path), reader)


def _candidates(run: Path, named: Path) -> Iterator[Path]:
    """Files that may be the table, the likeliest first, each once."""
    places = [named]
    if not named.is_absolute():
        places += [folder / named for folder in (run, *run.parents)]
    near = _near(run, named)
    places += [folder / named.name for folder in near]
    listed = [path for folder in near for path in _tables(folder)][:_MOST_TABLES]
    met = set()
    for path in (*places, *listed):
        full = path.resolve()
        if full not in met and path.is_file():
            met.add(full)
            yield path


def _near(run: Path, named: Path) -> list[Path]:
    """The folders in which any table is looked at."""
    folders = (named.parent, run.parent, run.parent.parent, Path())
    return list(dict.fromkeys(folder.resolve() for folder in folders))


def _tables(folder: Path) -> list[Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return []
    return [path for path in paths if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")]


def _held(path: Path, wanted: pl.Series, columns: set[str]) -> int:
    """How many of the ids a table holds; 0 for one without the columns, such as one of embeddings."""
    try:
        if path.suffix.lower() == ".parquet":
            if not columns <= pl.read_parquet_schema(path).keys():
                return 0
            ids = pl.read_parquet(path, columns=["sample"])["sample"]
        else:
            frame = read_frame(path, ("sample",))
            if not columns <= set(frame.columns):
                return 0
            ids = frame["sample"]
        return int(wanted.is_in(ids.cast(pl.String).implode()).sum())
    except (SslDomainsError, OSError, pl.exceptions.PolarsError):
        return 0


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False
