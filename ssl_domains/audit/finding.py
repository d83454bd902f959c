"""The result of one check of an audit on two sides of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Finding", "percent"]


def percent(part: float, whole: float) -> str:
    """``part`` of ``whole`` in percent, three digits: "67 %", "0.125 %"; "–" when ``whole`` is 0."""
    return f"{100 * part / whole:.3g} %" if whole else "–"


@dataclass(frozen=True)
class Finding:
    """The result of one check: what two sides of a split have in common.

    Attributes:
        check: ``group``, ``sample``, ``content``, ``near``, ``region``, ``block`` or ``gap``.
        what: The columns that were compared, or the kind of content.
        a: Name of one side.
        b: Name of the other side.
        found: Number of groups, samples, contents, places or voxels that are on both sides.
        rows_a: Number of rows of side a that belong to them.
        rows_b: Number of rows of side b that belong to them.
        of_a: Number of rows of side a.
        of_b: Number of rows of side b.
        leak: Whether it makes scores on a held-out side too good.
        sentence: The verdict as text; never contains a value of an identifier column.
        details: Further numbers and examples of sample ids; JSON values only.
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
        """``a | b``, for a table."""
        return f"{self.a} | {self.b}"

    def to_dict(self) -> dict[str, Any]:
        """All values as JSON; ``share_a`` and ``share_b`` are fractions of the rows of each side."""
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
