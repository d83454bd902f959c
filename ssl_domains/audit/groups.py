"""Find groups (patients, volumes, recordings) and samples that are on both sides of a split."""

from __future__ import annotations

import polars as pl

from ssl_domains.audit.finding import Finding, percent
from ssl_domains.audit.sides import Side
from ssl_domains.errors import UsageError

__all__ = ["compared_groups", "shared_groups", "shared_samples"]

_SHOWN = 10


def compared_groups(a: Side, b: Side, column: str, *, names: bool = False) -> tuple[Finding | None, str | None]:
    """(finding as by `shared_groups`, or None; a note, or None).

    Keyed hashes of two tables can be equal only if one key made them. Where another key did, or an earlier version
    whose ids also depended on the scanned folder, that none is shared says nothing: there is a note and no finding.
    """
    finding = shared_groups(a, b, column, names=names)
    remark = _incomparable(a, b, column)
    if remark is None:
        return finding, None
    return (finding, remark) if finding.leak else (None, f"{remark}, so nothing is known of shared groups")


def _incomparable(a: Side, b: Side, column: str) -> str | None:
    """Why the ids of two sides can't be compared; None when they can, or are no hashes."""
    metas = [(side.name, side.table.meta) for side in (a, b) if column in side.table.meta.identifiers]
    if not metas or a.table.meta is b.table.meta:
        return None
    where = f"the ids in {column!r} of {a.name} and of {b.name}"
    if len(metas) == 1:
        other = b.name if metas[0][0] == a.name else a.name
        return f"{where} can't be compared: the table of {other} doesn't say by which key its ids are hashed"
    keys = {meta.key for _, meta in metas}
    old = [name for name, meta in metas if meta.old_identifiers]
    if old:
        return (
            f"{where} can't be compared: those of {' and '.join(old)} were made by an earlier version and also depend "
            "on the scanned folder (scan again)"
        )
    if len(keys) > 1:
        return (
            f"{where} can't be compared: they were hashed by different keys, {' and '.join(sorted(keys))} (scan both "
            "with one SSL_DOMAINS_HASH_KEY)"
        )
    flags = _differing_options(a, b)
    return f"{where} can't be compared: the tables were scanned with different {flags}" if flags else None


def _differing_options(a: Side, b: Side) -> str:
    """Flags of the scan options that name an identifier (``--site``, ``--patient-ids``) and differ; mostly empty."""
    one, other = a.table.meta, b.table.meta
    named = {
        option
        for option in {*one.options, *other.options}
        if any(name in option for name in (*one.identifiers, *other.identifiers))
        and one.options.get(option) != other.options.get(option)
    }
    return " and ".join(f"--{option.replace('_', '-')}" for option in sorted(named))


def shared_groups(a: Side, b: Side, column: str, *, names: bool = False) -> Finding:
    """Finding on groups that are on both sides; rows with a missing value have no group.

    Values are compared as text, so that patient 7 of a CSV file equals patient "7" of another table.

    Args:
        a: One side.
        b: The other side.
        column: Column of the groups.
        names: Whether to list the shared values; identifiers are never listed.

    Raises:
        UsageError: When a side has no such column.
    """
    left, right = _counts(a, column), _counts(b, column)
    both = left.join(right, on="value", suffix="_b").sort("value")
    rows_a, rows_b = int(both["rows"].sum()), int(both["rows_b"].sum())
    shared = len(both)
    hidden = column in a.table.meta.identifiers or column in b.table.meta.identifiers
    details = {
        "groups_a": len(left),
        "groups_b": len(right),
        "examples": [
            {"a": one, "b": other} for one, other in both.select("sample", "sample_b").head(_SHOWN).iter_rows()
        ],
    }
    shown = ""
    if names and not hidden:
        details["names"] = both["value"].to_list()
        listed = both["value"].head(_SHOWN).to_list()
        shown = f" ({', '.join(listed)}{', …' if shared > _SHOWN else ''})" if listed else ""
    if shared:
        sentence = (
            f"{shared:,} of {len(right):,} groups of {column!r} in {b.name} are in {a.name} as well{shown}: "
            f"{rows_a:,} rows of {a.name} ({percent(rows_a, len(a))}) and {rows_b:,} of {b.name} "
            f"({percent(rows_b, len(b))})"
        )
    else:
        sentence = f"{a.name} and {b.name} share none of their {len(left):,} and {len(right):,} groups of {column!r}"
    return Finding(
        "group", column, a.name, b.name, shared, rows_a, rows_b, len(a), len(b), shared > 0, sentence, details
    )


def shared_samples(a: Side, b: Side) -> Finding:
    """Finding on sample ids that are on both sides. Within one table ids are unique, so this compares two tables."""
    both = set(a.table.frame["sample"]) & set(b.table.frame["sample"])
    shared = len(both)
    sentence = (
        f"{shared:,} samples of {b.name} ({percent(shared, len(b))}) are in {a.name} as well"
        if shared
        else f"{a.name} and {b.name} share no sample id"
    )
    details = {"examples": sorted(both)[:_SHOWN]}
    return Finding(
        "sample", "sample", a.name, b.name, shared, shared, shared, len(a), len(b), shared > 0, sentence, details
    )


def _counts(side: Side, column: str) -> pl.DataFrame:
    """Data frame with one line for each group: ``value``, number of ``rows``, and its first ``sample``."""
    values = side.table.column(column)
    if values.dtype.is_nested():
        raise UsageError(f"column {column!r} holds lists, not one group a row", "give a column of single values")
    if values.dtype.is_float():
        values = values.fill_nan(None)
    frame = pl.DataFrame({"value": _text(values), "sample": side.table.frame["sample"]})
    return frame.drop_nulls("value").group_by("value").agg(pl.len().alias("rows"), pl.col("sample").first())


def _text(values: pl.Series) -> pl.Series:
    # An integer column with missing values may be stored as float: 7.0 means 7.
    if values.dtype.is_float() and values.drop_nulls().eq(values.drop_nulls().round()).all():
        values = values.cast(pl.Int64)
    return values.cast(pl.String)
