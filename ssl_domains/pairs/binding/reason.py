"""Reasons: what a leaf answers for two samples, with the values that decide it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["Answer", "Reason", "ShownValues", "missing_text", "number", "pair_text"]

Answer = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class Reason:
    """What a rule answers for two samples, and why.

    Attributes:
        answer: The answer.
        text: The values that decide, such as ``same volume A, position_mm 12 and 14.5: 2.5 apart, within 4``.
    """

    answer: Answer
    text: str


class ShownValues(Protocol):
    """Values of a table as they may be printed; identifying ones are replaced by letters."""

    def coded(self, column: str) -> bool:
        """Whether the column's values are printed as letters."""

    def missing(self, column: str, row: int) -> bool:
        """Whether the row has no value there (null or NaN)."""

    def text(self, column: str, row: int) -> str:
        """The value of one row as it is printed."""

    def member(self, column: str, value: object) -> str:
        """One value, or one member of a list, of that column as it is printed."""

    def members(self, column: str, row: int) -> list[object]:
        """The distinct members of a list; empty where it is missing."""

    def is_time(self, column: str) -> bool:
        """Whether the column holds dates or times, whose differences count days."""


def number(value: float) -> str:
    """A number for a page: four significant digits, or six for 1,000 and above, without a trailing ``.0``."""
    text = f"{value:.4g}" if abs(value) < 1000 else f"{value:.6g}"
    return text.replace("-", "−")


def pair_text(shown: ShownValues, column: str, i: int, j: int) -> str:
    """Both values, as ``12 and 14.5``."""
    return f"{shown.text(column, i)} and {shown.text(column, j)}"


def missing_text(shown: ShownValues, column: str, i: int, j: int) -> str:
    """Which of two rows lacks a value, as ``patient unknown (missing here)``; ``i`` is the anchor."""
    missing = shown.missing(column, i), shown.missing(column, j)
    where = {(True, True): "missing in both", (True, False): "missing in the anchor", (False, True): "missing here"}
    return f"{column} unknown ({where.get(missing, 'no finite difference')})"
