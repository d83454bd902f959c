"""Open the sample table and the array store that a run was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable, read_table
from ssl_domains.stores import ArrayStore, default_store

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["run_store", "run_table"]


def run_table(run: Run) -> SampleTable:
    """The sample table that the run's configuration names.

    Raises:
        UsageError: When the run names no table, or the file is missing.
    """
    named = run.config.data.samples
    if named is None:
        raise UsageError("the run doesn't say which sample table it was trained on", "pass the table")
    if not Path(named).is_file():
        raise UsageError(f"the run's sample table {Path(named).name!r} is no longer where it was", "pass the table")
    return read_table(Path(named))


def run_store(run: Run) -> ArrayStore:
    """The array store that the run was trained from.

    Raises:
        UsageError: When the run names neither a store nor a sample table beside which it would be.
        DataError: When the store is missing.
    """
    named, samples = run.config.data.store, run.config.data.samples
    if named is None and samples is None:
        raise UsageError("the run doesn't say which array store it was trained from", "pass the store")
    return ArrayStore.open(Path(named) if named is not None else default_store(Path(str(samples))))
