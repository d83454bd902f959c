"""Read text tables as people's programs write them: delimiter, encoding and decimal comma are recognised, and said."""

from __future__ import annotations

import codecs
import contextlib
import io
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from ssl_domains.samples.encodings import decoded

__all__ = ["TEXT_COLUMNS", "read_delimited"]

TEXT_COLUMNS = frozenset({"text", "transcript", "transcription"})
"""Names of columns that hold running text, such as transcripts, whatever their values look like."""

_SEPARATORS = (",", ";", "\t", "|")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_HEAD_BYTES, _HEAD_LINES = 1 << 16, 50
_COMMA, _POINT = r"^\s*[+-]?\d*,\d+\s*$", r"^\s*[+-]?\d*\.\d+\s*$"
_TYPED_ROWS = 10_000
_NULLS = ["", "NA"]


def read_delimited(
    path: Path, text: Sequence[str] = (), *, running: Collection[str] = ()
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a text table: (the frame, notes on what was recognised).

    The delimiter is the one of comma, semicolon, tab and bar that cuts the first lines into equally many fields. The
    encoding is recognised as by `decoded`. A column of values such as 007 stays text, as a join by it needs the zeros.

    Args:
        path: The file.
        text: Columns to be kept as the text that is written in the file, such as those of a join; NA is no value.
        running: Further columns of running text, besides `TEXT_COLUMNS`: kept as they are written, and NA is a word.

    Raises:
        ValueError: When two columns have one name, or the file is no text.
        polars.exceptions.PolarsError: When a line can't be parsed.
    """
    raw, encoding = _utf8(path.read_bytes())
    notes = [f"{path.name} is {_remark(encoding)}"] if encoding is not None else []
    if b"\x00" in raw[:_HEAD_BYTES]:
        raise ValueError("it is no text")
    first, _, rest = raw.partition(b"\n")
    if re.fullmatch(rb"sep=.\s*", first):  # the first line of some Excel files
        raw = rest
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    separator = _separator(raw, usual)
    if separator != usual:
        notes.append(f"the columns of {path.name} are separated by {_NAMES[separator]}")
    written = pl.read_csv(io.BytesIO(raw), separator=separator, infer_schema=False, null_values=_NULLS)
    words = _running_text(raw, separator, written.columns, running)
    comma = separator != "," and _decimal_comma(written.drop(words.columns))
    if comma:
        notes.append(f"the numbers of {path.name} have a decimal comma")
    typed = _typed(raw, separator, comma, written)
    frame = typed.with_columns(written[name] for name in _kept_as_text(typed, written, text)).with_columns(
        words.get_columns()
    )
    return _named(frame, notes), tuple(notes)


def _running_text(raw: bytes, separator: str, columns: Sequence[str], running: Collection[str]) -> pl.DataFrame:
    """The columns of running text, as they are written; an empty field is no text."""
    found = [name for name in columns if name.strip() in running or name.strip().lower() in TEXT_COLUMNS]
    if not found:
        return pl.DataFrame()
    return pl.read_csv(io.BytesIO(raw), separator=separator, infer_schema=False, null_values=[""], columns=found)


def _typed(raw: bytes, separator: str, comma: bool, written: pl.DataFrame) -> pl.DataFrame:
    """The columns with the types that all of their values have."""

    def read(rows: int | None) -> pl.DataFrame:
        return pl.read_csv(
            io.BytesIO(raw), separator=separator, infer_schema_length=rows, try_parse_dates=True, null_values=_NULLS,
            decimal_comma=comma,
        )  # fmt: skip

    if len(written) > _TYPED_ROWS:
        # Types from the first rows are ten times as fast; a later value that doesn't fit is an error, or becomes null.
        with contextlib.suppress(pl.exceptions.PolarsError):
            typed = read(_TYPED_ROWS)
            if typed.null_count().equals(written.null_count()):
                return typed
    return read(None)


def _utf8(raw: bytes) -> tuple[bytes, str | None]:
    """The bytes as UTF-8 without a mark, and the encoding they had where it was another one."""
    text, encoding = decoded(raw)
    if encoding is None and not raw.startswith(codecs.BOM_UTF8):
        return raw, None
    if encoding == "UTF-16" and "\ufffd" in text:
        raise ValueError("its UTF-16 text is damaged")
    return text.encode(), encoding


def _remark(encoding: str) -> str:
    if encoding == "UTF-16":
        return "UTF-16 text"
    return f"not UTF-8: read as {encoding}; save it as UTF-8 if letters look wrong"


def _separator(raw: bytes, usual: str) -> str:
    """The separator that cuts the first lines into equally many fields; the usual one where none does better."""
    head = raw[:_HEAD_BYTES].decode(errors="replace")
    lines = [re.sub(r'"[^"]*"', "", line) for line in head.splitlines() if line.strip()][:_HEAD_LINES]
    if len(head) == _HEAD_BYTES and len(lines) > 1:
        lines.pop()  # it may be cut
    if not lines:
        return usual
    scores = {}
    for separator in _SEPARATORS:
        in_header = lines[0].count(separator)
        alike = Counter(line.count(separator) for line in lines)[in_header] / len(lines)
        scores[separator] = (in_header > 0, alike, separator == usual, in_header)
    return max(_SEPARATORS, key=lambda separator: scores[separator]) if any(s[0] for s in scores.values()) else usual


def _decimal_comma(written: pl.DataFrame) -> bool:
    texts = [column for column in written if column.dtype == pl.String]
    return any(bool(column.str.contains(_COMMA).any()) for column in texts) and not any(
        bool(column.str.contains(_POINT).any()) for column in texts
    )


def _kept_as_text(typed: pl.DataFrame, written: pl.DataFrame, text: Sequence[str]) -> list[str]:
    padded = [
        name
        for name, dtype in typed.schema.items()
        if dtype.is_numeric() and written[name].str.contains(r"^\s*[+-]?0\d").any()
    ]
    kept = {name.strip(): name for name in typed.columns}
    return [*padded, *(kept[name] for name in text if name in kept and kept[name] not in padded)]


def _named(frame: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """The frame with names without spaces around them, and without a column that has no name (a row index)."""
    for name in frame.columns:
        base = re.sub(r"_duplicated_\d+$", "", name)
        if base != name and base in frame.columns:
            raise ValueError(f"two columns are called {base!r}")
    names = {name: name.strip() for name in frame.columns}
    if len(set(names.values())) < len(names):
        twice = Counter(names.values()).most_common(1)[0][0]
        raise ValueError(f"two columns are called {twice!r}")
    frame = frame.rename(names)
    if "" in frame.columns and len(frame.columns) > 1:
        notes.append("a column without a name was left out (a row index, most likely)")
        frame = frame.drop("")
    return frame
