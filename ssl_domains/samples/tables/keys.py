"""Match the values of one column with those of another table, also where they are written differently.

Values are equal as text, also where an accent is a character of its own in only one of them (files of a Mac), or the
one is a path that ends in the other (``a/1.png`` and ``1.png``), or both are the same whole number (``007`` and ``7``),
or only one has the suffix of a file (``case_1`` and ``case_1.nii.gz``). Each way but the first holds only where it is
unambiguous: no other value of either side could be meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from ssl_domains.quantities import plural

__all__ = ["Matches", "match_values", "shown"]

_NUMBER = r"^0*(\d+)(?:\.0+)?$"
_SUFFIX = r"\.[A-Za-z][A-Za-z0-9]{1,4}(?:\.gz)?$"
_WIDEST = 12
_SHOWN = 3


@dataclass(frozen=True)
class Matches:
    """Which value of a column each value of the other table means.

    Attributes:
        pairs: Columns ``written`` (distinct values of the other table) and ``value`` (values of the column); only those
            that match.
        notes: What was matched otherwise than as equal text, one line each.
        ambiguous: Values of the other table that could mean several values of the column.
    """

    pairs: pl.DataFrame
    notes: tuple[str, ...]
    ambiguous: tuple[str, ...] = ()


def match_values(left: pl.Series, right: pl.Series, digest: Callable[[str], str] | None = None) -> Matches:
    """Match the values of ``right`` with those of ``left``.

    Args:
        left: Values of the sample table, as text.
        right: Values of the other table, as text.
        digest: Hashes a value of ``right``, where ``left`` holds hashes; None where it holds the values themselves.
    """
    values = left.drop_nulls().unique().alias("value").to_frame()
    written = right.drop_nulls().unique(maintain_order=True).alias("written").to_frame()
    if digest is None:
        found = written.with_columns(value=pl.col("written"))
    else:
        found = written.with_columns(value=pl.Series([digest(text) for text in written["written"]], dtype=pl.String))
    pairs = found.join(values, on="value", how="semi", maintain_order="left")
    notes: list[str] = []
    ambiguous: tuple[str, ...] = ()
    ways: list[tuple[Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame], str]] = []
    if digest is not None:
        ways = [(lambda one, other: _hashed_numbers(one, other, digest), "after leading zeros or '.0'")]
    elif len(pairs) < len(written):
        ways = [
            (_composed, "in another form of Unicode"),
            (_tails, "by the end of their paths"),
            (_numbers, "as numbers, without leading zeros or '.0'"),
            (_without_suffix, "without the suffix of the file"),
        ]
    for way, words in ways:
        if len(pairs) == len(written):
            break
        more = way(values, written)
        more = more.join(pairs, on="written", how="anti").join(pairs, on="value", how="anti")
        if len(more):
            notes.append(
                f"{plural(len(more), 'value was', 'values were')} matched {words}, such as {shown(more['written'])}"
            )
            pairs = pl.concat([pairs, more.select("written", "value")])
    if digest is None and len(pairs) < len(written):
        rest = written.join(pairs, on="written", how="anti")
        ambiguous = tuple(_ambiguous_tails(values, rest))
    return Matches(pairs, tuple(notes), ambiguous)


def shown(values: pl.Series) -> str:
    """Up to three values, quoted: ``'a', 'b', 'c', …``."""
    listed = [repr(str(value)) for value in values.head(_SHOWN)]
    return ", ".join(listed) + (", …" if len(values) > _SHOWN else "")


def _matched(values: pl.DataFrame, written: pl.DataFrame) -> pl.DataFrame:
    """Pairs with an equal ``key`` that no other row of either side has."""
    one, other = (side.drop_nulls("key").filter(~pl.col("key").is_duplicated()) for side in (values, written))
    return other.join(one, on="key", maintain_order="left")


def _composed(values: pl.DataFrame, written: pl.DataFrame) -> pl.DataFrame:
    return _matched(
        values.with_columns(key=pl.col("value").str.normalize("NFC")),
        written.with_columns(key=pl.col("written").str.normalize("NFC")),
    )


def _numbers(values: pl.DataFrame, written: pl.DataFrame) -> pl.DataFrame:
    return _matched(
        values.with_columns(key=pl.col("value").str.strip_chars().str.extract(_NUMBER)),
        written.with_columns(key=pl.col("written").str.extract(_NUMBER)),
    )


def _hashed_numbers(values: pl.DataFrame, written: pl.DataFrame, digest: Callable[[str], str]) -> pl.DataFrame:
    # The hashed numbers can't be read, so each way to write a number is hashed and looked for.
    known = set(values["value"])
    numbers = written.with_columns(key=pl.col("written").str.extract(_NUMBER)).drop_nulls("key")
    numbers = numbers.filter(~pl.col("key").is_duplicated())
    found = []
    for text, number in numbers.iter_rows():
        variants = {digest(number.zfill(width)) for width in range(len(number), _WIDEST + 1)} & known
        if len(variants) == 1:
            found.append((text, variants.pop()))
    made = pl.DataFrame(found, schema={"written": pl.String, "value": pl.String}, orient="row")
    return made.filter(~pl.col("value").is_duplicated())


def _without_suffix(values: pl.DataFrame, written: pl.DataFrame) -> pl.DataFrame:
    one = values.with_columns(whole=pl.col("value"), value=pl.col("value").str.replace(_SUFFIX, ""))
    other = written.with_columns(whole=pl.col("written"), written=pl.col("written").str.replace(_SUFFIX, ""))
    one, other = (side.filter(~pl.col(name).is_duplicated()) for side, name in ((one, "value"), (other, "written")))
    pairs = _tails(one.select("value"), other.select("written"), equal=True)
    pairs = pairs.join(one, on="value").join(other, on="written", suffix="_written")
    differ = (pl.col("whole") != pl.col("value")) ^ (pl.col("whole_written") != pl.col("written"))
    return pairs.filter(differ).select(written="whole_written", value="whole")


def _tails(values: pl.DataFrame, written: pl.DataFrame, equal: bool = False) -> pl.DataFrame:
    """Pairs of paths of which one ends in the other; with ``equal``, paths that are the same too."""
    one, other = _paths(values, "value"), _paths(written, "written")
    found = [pl.DataFrame(schema={"written": pl.String, "value": pl.String})]
    if not equal and not one["depth"].sum() and not other["depth"].sum():
        return found[0]
    for depth in other["depth"].unique().to_list():
        pairs = _matched(_ends(one, depth), other.with_columns(key=pl.when(pl.col("depth") == depth).then("path")))
        found.append(pairs.select("written", "value"))
    for depth in one["depth"].unique().to_list():
        pairs = _matched(one.with_columns(key=pl.when(pl.col("depth") == depth).then("path")), _ends(other, depth))
        found.append(pairs.select("written", "value"))
    pairs = pl.concat(found).unique(maintain_order=True)
    return pairs.filter(~pl.col("written").is_duplicated() & ~pl.col("value").is_duplicated())


def _paths(side: pl.DataFrame, name: str) -> pl.DataFrame:
    path = pl.col(name).str.normalize("NFC").str.replace_all("\\", "/", literal=True).str.replace(r"^(\./)+", "")
    return side.with_columns(path=path).with_columns(depth=pl.col("path").str.count_matches("/", literal=True))


def _ends(side: pl.DataFrame, depth: int) -> pl.DataFrame:
    """With ``key``: the last ``depth`` + 1 parts of each path that has as many."""
    return side.with_columns(key=pl.col("path").str.extract(rf"((?:[^/]*/){{{depth}}}[^/]*)$"))


def _ambiguous_tails(values: pl.DataFrame, rest: pl.DataFrame) -> list[str]:
    """Values that several paths end in: up to three, each with two of these paths."""
    names = _paths(rest, "written").filter(pl.col("depth") == 0)
    several = _ends(_paths(values, "value"), 0).filter(pl.col("key").is_duplicated())
    both = names.join(several, left_on="path", right_on="key", maintain_order="left")
    groups = both.group_by("written", maintain_order=True).agg(pl.col("value").sort().head(2)).head(_SHOWN)
    return [f"{text!r} ({', '.join(paths)})" for text, paths in groups.iter_rows()]
