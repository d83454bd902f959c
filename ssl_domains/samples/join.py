"""Join: add the columns of another table to a sample table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.quantities import plural
from ssl_domains.samples.identifiers import IdentifierKey
from ssl_domains.samples.table import SampleTable, TableMeta
from ssl_domains.samples.tables.keys import Matches, match_values, shown

__all__ = ["Join", "join_columns", "join_noted", "names_of_join"]

_READ_BY_CORE = ("sample", "path", "array", "mask_path")


@dataclass(frozen=True)
class Join:
    """The result of a join.

    Attributes:
        table: The samples with the new columns.
        notes: What was matched in another way than as equal text, and what matched nothing; one line each.
    """

    table: SampleTable
    notes: tuple[str, ...] = ()


def join_columns(
    table: SampleTable, other: pl.DataFrame, on: str | Sequence[str], key: IdentifierKey | None = None
) -> SampleTable:
    """Add the columns of ``other`` to the rows with the same value of ``on``; unmatched rows get nulls.

    See `join_noted`, which also says what did not match.
    """
    return join_noted(table, other, on, key).table


def join_noted(
    table: SampleTable,
    other: pl.DataFrame,
    on: str | Sequence[str],
    key: IdentifierKey | None = None,
    *,
    update: bool = False,
) -> Join:
    """Add the columns of ``other`` to the rows with the same value of ``on``; unmatched rows get nulls.

    Where ``on`` is an identifier of the table, the other table's values are hashed first, with the same key. Values
    that are written differently (``007`` and ``7``, ``a/1.png`` and ``1.png``) match where only one value can be meant.

    Args:
        table: The samples, ``n`` rows; the result has the same rows in the same order.
        other: At most one row for each value of ``on``.
        on: Column name or names that both tables have; ``"COLUMN=OTHER"`` where the other table calls it ``OTHER``.
        key: The key that hashed the table's identifiers; loaded when needed and not given.
        update: Replace columns that an earlier join added.

    Raises:
        UsageError: When a column of ``on`` is missing, both tables have another column of the same name, or the table's
            identifiers were hashed by another key.
        DataError: When ``other`` repeats a value of ``on``, or no row matches at all.
    """
    names = names_of_join(on, table.columns)
    for left, right in names:
        _require_columns(table, other, left, right)
    on_right = [right for _, right in names]
    dropped = _clashes(table, [name for name in other.columns if name not in on_right], update)

    for name, dtype in [
        *((right, other.schema[right]) for _, right in names),
        *((left, table.frame.schema[left]) for left, _ in names),
    ]:
        if dtype in (pl.Binary, pl.Object) or dtype.is_nested():
            raise DataError(f"column {name!r} holds {dtype}, by which nothing can be joined", "join by text or numbers")
    other = other.with_columns(pl.col(name).cast(pl.String).str.strip_chars() for name in on_right)
    notes = []
    distinct = other.unique(maintain_order=True)
    if len(distinct) < len(other):
        notes.append(f"{plural(len(other) - len(distinct), 'row')} of the joined table left out, equal to another row")
    _require_unique(distinct, on_right)

    hashed = any(left in table.meta.identifiers for left, _ in names)
    digest = _digest(table, key) if hashed else None
    labels = distinct.with_columns(pl.lit(True).alias("__matched"))
    left_frame = table.frame.drop(dropped)
    matches = []
    for number, (left, name) in enumerate(names):
        values = table.frame[left].cast(pl.String)
        match = match_values(values, distinct[name], digest if left in table.meta.identifiers else None)
        matches.append(match)
        notes += [f"{left}: {note}" for note in match.notes]
        left_frame = left_frame.with_columns(values.alias(f"__on_{number}"))
        labels = labels.join(
            match.pairs.rename({"written": name, "value": f"__on_{number}"}), on=name, maintain_order="left"
        )
    on_keys = [f"__on_{number}" for number in range(len(names))]
    labels = labels.drop(on_right)
    joined = left_frame.join(labels, on=on_keys, how="left", maintain_order="left")
    if not joined["__matched"].any():
        raise _nothing_matches(table, distinct, names, matches)
    notes += _unmatched(joined, labels, distinct, names, matches, on_keys)
    return Join(replace(table, frame=joined.drop(*on_keys, "__matched")), tuple(notes))


def names_of_join(on: str | Sequence[str], columns: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Pairs (column of the samples, column of the other table): ``"a,b=c"`` is ``[("a", "a"), ("b", "c")]``.

    Args:
        on: Text of ``--on``, or one for each column.
        columns: Columns of the samples; a name of one of them is taken as it is, whatever letters it has.
    """
    parts = [on] if isinstance(on, str) else list(on)
    if isinstance(on, str) and on not in columns:
        parts = [part.strip() for part in on.split(",")]
    pairs = []
    for part in parts:
        left, equals, right = part.partition("=")
        pairs.append((part, part) if part in columns or not equals else (left.strip(), right.strip()))
    if not all(left and right for left, right in pairs):
        raise UsageError(f"--on {on!r} names no column", "--on COLUMN, --on COLUMN,COLUMN or --on COLUMN=OTHER_NAME")
    return pairs


def _require_columns(table: SampleTable, other: pl.DataFrame, left: str, right: str) -> None:
    if right not in other.columns:
        texts_first = sorted(other.columns, key=lambda name: other.schema[name] != pl.String)  # 1 matches 1.png too
        offers = (_offer(table, other[name], name) for name in texts_first)
        offered = next((offer for offer in offers if offer), "") if left == right else ""
        known = did_you_mean(right, other.columns)
        raise UsageError(f"the joined table has no column {right!r}", f"{known}; {offered}" if offered else known)
    if left not in table.columns:
        offered = _offer(table, other[right], right)
        raise UsageError(f"the sample table has no column {left!r}", offered or did_you_mean(left, table.columns))


def _offer(table: SampleTable, values: pl.Series, right: str, without: str = "") -> str:
    """A hint that names the column of the samples that most values of the other table match; empty if none does."""
    texts = values.cast(pl.String).str.strip_chars().head(1000)
    best, best_count = "", 0
    for name in table.columns:
        if name == without or table.frame.schema[name] != pl.String or name in table.meta.identifiers:
            continue
        count = len(match_values(table.frame[name], texts).pairs)
        if count > best_count:
            best, best_count = name, count
    if not best:
        return ""
    return f"its column {best!r} matches: --on {best}" + ("" if best == right else f"={right}")


def _clashes(table: SampleTable, names: Sequence[str], update: bool) -> list[str]:
    """The columns to be replaced. A name that the reader's own column or the core has is refused."""
    dropped = []
    for name in names:
        if name in _READ_BY_CORE or (table.meta.columns and name in table.meta.columns):
            whose = "the reader's own" if name in table.meta.columns or name in table.columns else "read by the program"
            hint = f"rename it in the joined table, such as {name + '_label'!r}"
            raise UsageError(f"the joined column {name!r} has the name of a column that is {whose}", hint)
        if name in table.columns:
            if not update:
                hint = "rename it in the joined table" + (", or add --update" if table.meta.columns else "")
                raise UsageError(f"column {name!r} is in both tables", hint)
            dropped.append(name)
    return dropped


def _require_unique(other: pl.DataFrame, names: list[str]) -> None:
    keys = other.select(names).drop_nulls()
    repeated = keys.filter(keys.is_duplicated())
    if not len(repeated):
        return
    values = repeated.unique(maintain_order=True)
    texts = values.select(pl.concat_str(pl.all(), separator=" + ").alias("text"))["text"]
    cause = (
        f"{len(repeated):,} rows of the joined table share a value of {', '.join(names)}: {shown(texts)} "
        f"({plural(len(values), 'value repeats', 'values repeat')})"
    )
    others = [name for name in other.columns if name not in names]
    second = f", or join by a second column: --on {','.join(names)},{others[0]}" if others else ""
    raise DataError(cause, f"keep one row for each value{second}")


def _digest(table: SampleTable, key: IdentifierKey | None) -> Callable[[str], str]:
    key = key or IdentifierKey.load()
    if table.meta.key and table.meta.key != key.fingerprint:
        raise UsageError(
            f"the identifiers of the samples were hashed by the key {table.meta.key}, and the key here is "
            f"{key.fingerprint}",
            "set SSL_DOMAINS_HASH_KEY to the key of the scan, or scan again with this key",
        )
    return key.digest


def _nothing_matches(
    table: SampleTable, other: pl.DataFrame, names: list[tuple[str, str]], matches: list[Matches]
) -> DataError:
    sides = []
    for left, right in names:
        hashed = " (keyed hashes of the ids)" if left in table.meta.identifiers else ""
        values = table.frame[left].cast(pl.String).drop_nulls().unique(maintain_order=True)
        theirs = other[right].drop_nulls()
        sides.append(
            f"{left!r} of the samples has {shown(values) or 'no value'}{hashed}, {right!r} of the joined table has "
            f"{shown(theirs) or 'no value'}"
        )
    cause = f"no row of the samples matches the joined table on {', '.join(left for left, _ in names)}: "
    return DataError(cause + "; ".join(sides), _cure(table, other, names, matches))


def _cure(table: SampleTable, other: pl.DataFrame, names: list[tuple[str, str]], matches: list[Matches]) -> str:
    unclear = [text for match in matches for text in match.ambiguous]
    if unclear:
        return f"several samples have this name: {'; '.join(unclear)}: write the folder too"
    if any(left in table.meta.identifiers for left, _ in names):
        old = " (these were hashed by an earlier version: scan again)" if table.meta.old_identifiers else ""
        return f"give the ids as the files have them: they are hashed before they are compared{old}"
    left, right = names[0]
    offered = _offer(table, other[right], right, without=left) if len(names) == 1 else ""
    if not offered and table.meta == TableMeta():
        offered = "the table has no metadata, so ids in it may be hashes: --like SCANNED_TABLE says which columns are"
    return offered or "compare both columns: ssl-domains tables describe TABLE shows those of the samples"


def _unmatched(
    joined: pl.DataFrame,
    right: pl.DataFrame,
    other: pl.DataFrame,
    names: list[tuple[str, str]],
    matches: list[Matches],
    keys: list[str],
) -> list[str]:
    """Notes on samples without a match, and on rows of the other table that no sample matches."""
    notes = []
    without = int(joined["__matched"].null_count())
    if without:
        notes.append(
            f"no row of the joined table matches {without:,} of {plural(len(joined), 'sample')}: no value there"
        )
    used = right.join(joined, on=keys, how="semi")
    if len(used) < len(other):
        text = f"no sample matches {len(other) - len(used):,} of {plural(len(other), 'row')} of the joined table"
        if len(names) == 1:
            rest = other.drop_nulls(names[0][1]).join(
                matches[0].pairs, left_on=names[0][1], right_on="written", how="anti", maintain_order="left"
            )
            text += f", such as {shown(rest[names[0][1]])}" if len(rest) else ""
        notes.append(text)
    unclear = [text for match in matches for text in match.ambiguous]
    if unclear:
        notes.append(f"names that several samples have were not matched: {'; '.join(unclear)}")
    return notes
