"""Rows of CSV files: the delimiter is recognised, and a quotation mark that is left open costs its own line only."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from ssl_domains_text.documents.files.lines import numbered_lines
from ssl_domains_text.documents.files.record import Fault

__all__ = ["comma_separated", "delimiter_of"]

_LONGEST = 1 << 24  # characters of a field
_DELIMITERS = ",;\t|"
_FIRST_LINES = 20  # by which the delimiter is known


def comma_separated(
    path: Path, encoding: str, has_header: Callable[[list[str]], bool]
) -> Iterator[tuple[int, list[str]] | Fault]:
    """Yield the rows of a CSV file: (first line, fields).

    A quotation mark begins a field that may hold delimiters and line feeds. Where it is never closed, or something else
    than a delimiter follows the closing one, the row would swallow the lines behind it: the line is a `Fault` then, and
    reading goes on at the next line. A row of one line with further quotation marks within its text is read.

    Args:
        path: The file.
        encoding: Its encoding.
        has_header: Whether a row names the fields; see `delimiter_of`.
    """
    head = [one[1] for one in islice(numbered_lines(path, encoding), _FIRST_LINES) if not isinstance(one, Fault)]
    delimiter = delimiter_of(head, has_header)
    lines = _Lines(numbered_lines(path, encoding))
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    while True:
        lines.taken.clear()
        try:
            fields = _next(reader)
        except StopIteration:
            yield from lines.faults
            return
        except csv.Error as error:
            yield from lines.faults
            number, text = lines.taken[0]
            loose = _loose(text, delimiter) if len(lines.taken) == 1 and "expected after" in str(error) else None
            lines.back_to_second()
            reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
            if loose is None:
                yield Fault(number, _cause(error, text))
                continue
            fields = loose
        else:
            yield from lines.faults
            number = lines.taken[0][0]
        lines.faults.clear()
        if any(field.strip() for field in fields):
            yield number, fields


def delimiter_of(lines: list[str], has_header: Callable[[list[str]], bool]) -> str:
    """The delimiter of a CSV file: a comma, a semicolon, a tab or a vertical bar.

    Args:
        lines: Its first lines.
        has_header: Whether a row names the fields. The first delimiter with such a first row is taken; without one,
            the first that cuts each line into the same number of fields, of which the first has no white space unless
            it is the comma; else the comma.
    """
    rows = {one: [row for row in _rows(lines, one) if row] for one in _DELIMITERS}
    for one, found in rows.items():
        if found and has_header(found[0]):
            return one
    for one, found in rows.items():
        widths = {len(row) for row in found}
        like_ids = one == "," or all(len(row[0].split()) == 1 for row in found)
        if len(found) > 1 and len(widths) == 1 and min(widths) > 1 and like_ids:
            return one
    return ","


class _Lines:
    """The lines of a file, some of which are read again after an error.

    Attributes:
        taken: Lines of the row that is being read, with their numbers.
        faults: Lines that are no text, and are passed over.
    """

    def __init__(self, lines: Iterator[tuple[int, str] | Fault]) -> None:
        self._lines = lines
        self._again: deque[tuple[int, str]] = deque()
        self.taken: list[tuple[int, str]] = []
        self.faults: list[Fault] = []

    def __iter__(self) -> Iterator[str]:
        while True:
            one = self._again.popleft() if self._again else next(self._lines, None)
            if one is None:
                return
            if isinstance(one, Fault):
                self.faults.append(one)
                continue
            self.taken.append(one)
            yield one[1] + "\n"

    def back_to_second(self) -> None:
        """Go back behind the first line of the row; the faults up to here have been reported."""
        self._again.extendleft(reversed(self.taken[1:]))
        self.faults.clear()


def _next(reader: Iterator[list[str]]) -> list[str]:
    """The next row; a long text is a field, though the module's own limit, which is that of the process, is lower."""
    limit = csv.field_size_limit(_LONGEST)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(limit)


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader((line + "\n" for line in lines), delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in lines]


def _loose(line: str, delimiter: str) -> list[str] | None:
    """The row of a line with quotation marks within a text, as in ``1,"he said "no" twice"``; None if one is open."""
    try:
        row = next(csv.reader([line + "\n"], delimiter=delimiter), None)
    except csv.Error:
        return None
    return None if row is None or row[-1].endswith("\n") else row


def _cause(error: csv.Error, line: str) -> str:
    if len(line) > _LONGEST:
        return f"its text has more than {_LONGEST:,} characters"
    if "limit" in str(error) or "end of data" in str(error) or "expected after" in str(error):
        return "a quotation mark that begins a field is not closed, or not at the end of the field"
    return f"it is no CSV: {error}"
