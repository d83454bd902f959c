"""Inputs of an audit: a function that decodes rows, and the rows of a pre-training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.progress import showing_progress
from ssl_domains.errors import DataError, PluginError, UsageError
from ssl_domains.extending import Domain, Registry
from ssl_domains.quantities import plural

if TYPE_CHECKING:
    from ssl_domains.audit import Decode, PlaceRegions
    from ssl_domains.samples import SampleTable

__all__ = ["audited_domain", "decode_of", "place_of", "pretraining_rows"]


def decode_of(
    registry: Registry, table: SampleTable, domain: str | None, *, needed: bool
) -> tuple[Decode | None, list[str]]:
    """(function that decodes rows of the table, notes); None when neither the table nor the user names a domain.

    Args:
        registry: The plugins.
        table: The audited table.
        domain: Domain given by the user, or None.
        needed: Whether a missing domain is an error.

    Raises:
        UsageError: When the table and the user name different domains.
        PluginError: When the domain is not installed, and the user named it or it is needed.
    """
    from ssl_domains.audit import decoding

    scanned_by = table.meta.domain
    if domain and scanned_by and domain != scanned_by:
        raise UsageError(f"the table was scanned by {scanned_by}, not {domain}", "leave --domain out")
    name = domain or scanned_by
    if not name:
        return None, []
    try:
        decode = decoding(registry.domain(name).reader())
    except PluginError as error:
        if domain or needed:
            raise
        return None, [f"nothing can be decoded: {error.message}"]

    def counted(rows: SampleTable) -> Iterator[tuple[int, Any]]:
        with showing_progress() as progress:
            for done, pair in enumerate(decode(rows), start=1):
                progress("reading pictures", done, len(rows))
                yield pair

    return counted, []


def place_of(registry: Registry, table: SampleTable, domain: str | None) -> PlaceRegions:
    """How the samples of a table are placed: by its domain, or each array by itself where the domain doesn't say.

    A domain that is not installed is no error here, because regions of one array can be compared without it.
    """
    from ssl_domains.samples import regions_of

    known = audited_domain(registry, table, domain)
    return (known and known.place_regions) or regions_of


def audited_domain(registry: Registry, table: SampleTable, domain: str | None) -> Domain | None:
    """The domain of a table; None for a table without one, and where it is not installed."""
    name = domain or table.meta.domain
    try:
        return registry.domain(name) if name else None
    except PluginError:
        return None


def pretraining_rows(source: Path, table: SampleTable) -> tuple[SampleTable, list[str]]:
    """(rows that an encoder was pre-trained on, notes).

    Args:
        source: A run folder, or a table. Of a table with a column ``split``, the training rows are taken, as by
            `pretrain`.
        table: The audited table; it is used when the sample table of a run is missing.

    Raises:
        UsageError: When ``source`` is neither.
        DataError: When no pre-training sample is in the table.
    """
    import polars as pl

    from ssl_domains.samples import read_noted_table

    if not source.is_dir():
        rows, notes = read_noted_table(source)
        if "split" not in rows.columns:
            return rows, list(notes)
        train = rows.take(rows.rows_of("train"))
        return train, [
            *notes,
            f"pre-training: the {len(train):,} training rows of {len(rows):,}, by its column 'split'",
        ]
    from ssl_domains.engine import Run
    from ssl_domains.evaluation import find_table

    run = Run.open(source)
    ids = pl.Series(sorted(run.training_samples), dtype=pl.String)
    remarks: list[str] = []
    try:
        found = find_table(run)
        rows, read_notes = read_noted_table(found.path)
        remarks = [*read_notes, *([found.note] if found.note else [])]
    except UsageError as error:
        rows, remarks = table, [f"{error.message}: its rows are looked up in the audited table"]
    known = rows.take(rows.frame["sample"].is_in(ids.implode()).to_numpy())
    if len(known) < len(ids):
        remarks.append(
            f"no table holds {len(ids) - len(known):,} of {plural(len(ids), 'pre-training sample')}: not compared"
        )
    if not len(known):
        raise DataError(f"none of the {len(ids):,} samples of {source.name} is known", "hand its sample table over")
    return known, remarks
