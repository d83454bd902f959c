"""One thing an audit found out about two sides of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Finding", "percent"]


def percent(part: float, whole: float) -> str:
    """``part`` of ``whole`` in percent, three digits: "67 %", "0.125 %"; "–" of nothing."""
    return f"{100 * part / whole:.3g} %" if whole else "–"


@dataclass(frozen=True)
class Finding:
    """What two sides of a split have in common, of one kind.

    Attributes:
        check: ``group``, ``sample``, ``content``, ``near``, ``block`` or ``gap``.
        what: The columns compared, or the kind of content.
        a: Name of one side.
        b: Name of the other side.
        found: How many things both sides have: groups, contents, places.
        rows_a: Rows of side a that have them, of ``of_a``.
        rows_b: Likewise of side b.
        of_a: Rows of side a.
        of_b: Rows of side b.
        leak: Whether it makes a score on one side say less about data that is new.
        sentence: The verdict in words, without a name that an identifier column holds.
        details: More numbers, and sample ids to look at; JSON values only.
    """

    check: str
    what: str
    a: str
    b: str
    found: int
    rows_a: int
    rows_b: int
    of_a: int
    of_b: int
    leak: bool
    sentence: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def between(self) -> str:
        """The two sides, for a table."""
        return f"{self.a} | {self.b}"

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON values; shares are fractions of each side's rows."""
        return {
            "check": self.check,
            "what": self.what,
            "a": self.a,
            "b": self.b,
            "leak": self.leak,
            "found": self.found,
            "rows_a": self.rows_a,
            "rows_b": self.rows_b,
            "share_a": self.rows_a / self.of_a if self.of_a else None,
            "share_b": self.rows_b / self.of_b if self.of_b else None,
            "sentence": self.sentence,
            **self.details,
        }
