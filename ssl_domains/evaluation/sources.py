"""What a run was trained on, found again: its sample table, its array store, its pre-training rows."""

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
        UsageError: When the run names none, or it is no longer there.
    """
    named = run.config.data.samples
    if named is None:
        raise UsageError("the run doesn't say which sample table it was trained on", "hand the table over")
    if not Path(named).is_file():
        raise UsageError(
            f"the run's sample table {Path(named).name!r} is no longer where it was", "hand the table over"
        )
    return read_table(Path(named))


def run_store(run: Run) -> ArrayStore:
    """The array store that the run was fed from.

    Raises:
        UsageError: When the run names neither a store nor a sample table to find one beside.
        DataError: When it is no longer there.
    """
    named, samples = run.config.data.store, run.config.data.samples
    if named is None and samples is None:
        raise UsageError("the run doesn't say which array store it was fed from", "hand the store over")
    return ArrayStore.open(Path(named) if named is not None else default_store(Path(str(samples))))
