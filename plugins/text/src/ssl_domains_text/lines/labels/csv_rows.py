"""The rows of a CSV table of labels, also where a quote is a character of a transcript and not one of CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ssl_domains_text.lines.files.picture import SUFFIXES

__all__ = ["CsvRows", "csv_fields", "csv_rows", "names_picture"]

_LONGEST_LINE = 131_072  # characters; more are no row of labels
_MOST_LINES = 50  # over which the row of a table goes on


@dataclass
class CsvRows:
    """The rows below a header, and what is wrong with others.

    Attributes:
        rows: Fields of each row.
        literal: Numbers of the lines whose quotes don't pair as in CSV: their quotes are read as characters.
        faults: (number of the line, why it can't be read) of each row that is left out. The first line has number 1.
    """

    rows: list[list[str]] = field(default_factory=list)
    literal: list[int] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)


def csv_rows(lines: Sequence[str], header: int, separator: str, width: int, file: int) -> CsvRows:
    """The rows below the header of a table.

    A field between quotes may go on in the next lines. When the next line begins another row, the quote is no quote of
    CSV: it is the opening quote mark of a transcript, or a slip. Then the quotes of this line alone are characters, if
    it has as many fields as the header so; else the row is a fault, as is a row with more fields than the header.

    Args:
        lines: All lines of the file, without line breaks.
        header: Index of the header among them.
        separator: Character between fields.
        width: Number of fields of the header.
        file: Index of the field that names the picture.
    """
    made = CsvRows()
    index = header + 1
    while index < len(lines):
        line, number, taken = lines[index], index + 1, 1
        row = csv_fields(line, separator) if len(line) <= _LONGEST_LINE else []
        if row is None:
            row, taken = _over_lines(lines, index, separator, width, file)
        if row is None:
            row = line.split(separator)
            if len(row) == width:
                made.literal.append(number)
                made.rows.append(row)
            else:
                made.faults.append((number, "the quotes of the row don't pair"))
        elif not row:
            made.faults.append((number, f"a line of {len(line):,} characters is no row of a table of labels"))
        elif any(map(str.strip, row[width:])):
            made.faults.append((number, f"the row has {len(row)} fields, the header has {width}"))
        elif any(map(str.strip, row)):
            made.rows.append(row)
        index += taken
    return made


def csv_fields(text: str, separator: str) -> list[str] | None:
    """The fields of a row; None when its quotes are not those of CSV. With tabs between fields, there are no quotes."""
    if separator == "\t" or '"' not in text:
        return text.split(separator)
    try:
        rows = list(csv.reader((line + "\n" for line in text.split("\n")), delimiter=separator, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def names_picture(field: str) -> bool:
    """Whether a field ends in the suffix of a picture."""
    return PurePosixPath(field.strip()).suffix.lower() in SUFFIXES


def _over_lines(
    lines: Sequence[str], index: int, separator: str, width: int, file: int
) -> tuple[list[str] | None, int]:
    """A row that goes on in the next lines, and how many lines it takes; (None, 1) when there is no such row."""
    first = lines[index].split(separator)
    named = len(first) > file and names_picture(first[file])
    text = lines[index]
    for following in lines[index + 1 : index + _MOST_LINES]:
        if len(text) + len(following) > _LONGEST_LINE or _is_row(following, separator, width, file, named):
            break
        text += "\n" + following
        row = csv_fields(text, separator)
        if row is not None:
            return row, text.count("\n") + 1
    return None, 1


def _is_row(line: str, separator: str, width: int, file: int, named: bool) -> bool:
    """Whether a line is a row of its own.

    Args:
        line: The line.
        separator: Character between fields.
        width: Number of fields of the header.
        file: Index of the field that names the picture.
        named: Whether the row before names its picture, with a suffix, in its first line; then this one does, too.
    """
    if named:
        fields = line.split(separator)
        return len(fields) > file and names_picture(fields[file])
    one = rf'(?:"(?:[^"]|"")*"|[^"{re.escape(separator)}]*)'
    row = csv_fields(line, separator) if re.fullmatch(f"{one}(?:{re.escape(separator)}{one})*", line) else None
    return row is not None and len(row) == width and bool(row[file].strip())
