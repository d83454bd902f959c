"""Tables of numbers in text files with headers, footers and words between the numbers."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError

__all__ = ["NumberTable", "read_number_table"]

_LEAST_COLUMNS = 3
_MOST_COLUMNS = 200  # exporters write a dozen; finding the meaning of columns takes the square of their number
_MISSING = {"nan", "null", "none", "undef", "undefined", "n/a", "na", "inf", "+inf", "-inf"}
_ONLY_SIGNS = re.compile(r"[-*]+")
_INNER_COMMA = re.compile(r"(?<=\d),(?=\d)")

Kinds = tuple[bool, ...]
"""For each word of a line whether it is a number."""


@dataclass(frozen=True)
class NumberTable:
    """The numbers of a text file.

    Attributes:
        values: float64 ``[row, column]``; NaN where a word such as ``null`` stands for a number.
        names: Name of each column by the last line before the table that has as many words; empty without such a line.
        skipped: Lines that are not blank and do not belong to the table.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    skipped: int


def read_number_table(path: Path) -> NumberTable:
    """Read the lines that look alike: those with the commonest arrangement of numbers and words.

    Words may be divided by spaces, tabs, commas or semicolons; ``326,0`` is a number where semicolons or spaces divide.
    Words that are no numbers (``INLINE :  326``) are left out. Lines of more than 200 words are no part of the table.

    Raises:
        ReadError: When no line has 3 to 200 numbers, or the file can't be read.
    """
    tables: dict[Kinds, array[float]] = {}
    headers: list[list[str]] = []
    lines = 0
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            for line in file:
                words = _words(line)
                if not words:
                    continue
                lines += 1
                if len(words) > _MOST_COLUMNS:
                    continue
                numbers = [_number(word) for word in words]
                kinds = tuple(number is not None for number in numbers)
                if sum(kinds) >= _LEAST_COLUMNS:
                    tables.setdefault(kinds, array("d")).extend(number for number in numbers if number is not None)
                elif not tables:
                    headers.append(words)
    except OSError as error:
        raise ReadError(f"it can't be read: {error.strerror or error}") from error
    if not tables:
        raise ReadError(f"none of its {lines} lines has {_LEAST_COLUMNS} numbers (and {_MOST_COLUMNS} words at most)")
    kinds = max(tables, key=lambda each: len(tables[each]) / sum(each))
    values = np.frombuffer(tables[kinds], dtype=np.float64).reshape(-1, sum(kinds))
    return NumberTable(values, _names(headers, kinds), lines - len(values))


def _words(line: str) -> list[str]:
    """The words of a line, with decimal points."""
    if "," in line:
        inner = len(_INNER_COMMA.findall(line)) == line.count(",")
        if ";" in line or (inner and len(line.split()) >= _LEAST_COLUMNS):
            line = line.replace(",", ".")
        else:
            line = line.replace(",", " ")
    return line.replace(";", " ").replace('"', " ").split()


def _number(word: str) -> float | None:
    """The number that a word is; NaN for one that stands for a missing number; None for other words."""
    try:
        number = float(word)
    except ValueError:
        missing = word.lower() in _MISSING or _ONLY_SIGNS.fullmatch(word)
        return np.nan if missing else None
    return None if "_" in word else number


def _names(headers: list[list[str]], kinds: Kinds) -> tuple[str, ...]:
    for words in reversed(headers):
        named = [word for word in words if word not in ("#", "!", "*", "//")]
        if len(named) == len(kinds):
            return tuple(word.lower().lstrip("#!@") for word, is_number in zip(named, kinds, strict=True) if is_number)
    return ()
