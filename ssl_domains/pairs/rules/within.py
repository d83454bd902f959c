"""`within`: rows whose numbers differ by at most a width."""

from __future__ import annotations

from dataclasses import dataclass

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.pairs.rules.algebra import Leaf, Rule
from ssl_domains.pairs.rules.keys import SAMPLE, column_name, finite_number, number_text

__all__ = ["Within", "within"]


@dataclass(frozen=True, repr=False)
class Within(Leaf):
    """``abs(x_i − x_j) <= width`` in float64; made by `within`."""

    column: str
    width: float
    decay: str | None = None

    bound_by = "ssl_domains.pairs.leaves.within:bind"

    def __post_init__(self) -> None:
        column_name(self.column, "within")
        width = finite_number(self.width, "the width of within")
        if width < 0:
            raise UsageError(f"within needs a width of at least 0, not {number_text(width)}", "write within('mm', 4)")
        object.__setattr__(self, "width", width)
        if self.decay not in (None, "linear"):
            raise UsageError(f"within knows no decay={self.decay!r}", did_you_mean(str(self.decay), ("linear",)))
        if self.decay is not None and width == 0:
            raise UsageError("within has no room to decay in a width of 0", "write within('mm', 4, decay='linear')")

    @property
    def columns(self) -> frozenset[str]:
        """The one column it reads."""
        return frozenset({self.column}) - {SAMPLE}

    @property
    def graded(self) -> bool:
        """Whether the weight of a match falls with the distance."""
        return self.decay is not None

    @property
    def measured_columns(self) -> frozenset[str]:
        """The one column it reads."""
        return frozenset({self.column})

    def words(self) -> str:
        """See `Leaf.words`."""
        fading = "" if self.decay is None else ", the closer the more"
        return f"{self.column} at most {number_text(self.width)} apart{fading}"

    def __str__(self) -> str:
        decay = "" if self.decay is None else f", decay={self.decay!r}"
        return f"within({self.column!r}, {number_text(self.width)}{decay})"


def within(column: str, width: float, *, decay: str | None = None) -> Rule:
    """Rows whose numbers differ by at most ``width``: ``abs(x_i − x_j) <= width``, inclusive, in float64.

    Args:
        column: Numeric column (dates count days), or a number that views emit.
        width: In the column's unit, at least 0; above 0 with ``decay``.
        decay: ``"linear"`` gives a match the weight ``1 − abs(x_i − x_j) / width``, so rows exactly ``width`` apart do
            not match; None gives every match the weight 1.

    Raises:
        UsageError: When the width is not a finite number ≥ 0, or the decay is another one.

    Example:
        >>> same("volume") & within("position_mm", 4)
        same('volume') & within('position_mm', 4)
    """
    return Within(column, width, decay)
