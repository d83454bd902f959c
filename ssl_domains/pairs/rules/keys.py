"""Keys, the values that `same` compares: a column, ``sample``, or a column cut into bins."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.pairs.rules.errors import RuleTypeError

__all__ = ["SAMPLE", "Bins", "Key", "bins", "column_name", "finite_number", "number_text"]

_WRAP = "write bins('phi', 4, range=(-45, 315), wrap=True)"

SAMPLE = "sample"
"""A key that every table has: without such a column, each row has its own value."""


@dataclass(frozen=True, repr=False)
class Bins:
    """A numeric column cut into bins; made by `bins`.

    Attributes:
        column: Column, or emitted number, that is cut.
        n: Number of bins; there are fewer where quantile edges are equal, as these merge.
        by: ``"width"`` for equal widths, ``"quantile"`` for equal counts.
        per: Column whose groups each use their own range, or None.
        range: Fixed ``(lo, hi)`` in place of a fitted range, or None.
        wrap: Whether the range is a full turn, so that values outside it are moved into it by whole turns.
    """

    column: str
    n: int
    by: Literal["width", "quantile"] = "width"
    per: str | None = None
    range: tuple[float, float] | None = None
    wrap: bool = False

    def __post_init__(self) -> None:
        column_name(self.column, "bins")
        if isinstance(self.n, bool):
            raise RuleTypeError("bins takes a whole number of bins, not bool", "write bins('slice', 30)")
        try:
            n = operator.index(self.n)
        except TypeError:
            kind = type(self.n).__name__
            raise RuleTypeError(f"bins takes a whole number of bins, not {kind}", "write bins('slice', 30)") from None
        if n < 1:
            raise UsageError(f"bins needs at least 1 bin, not {n}", "write bins('slice', 30)")
        object.__setattr__(self, "n", n)
        if self.by not in ("width", "quantile"):
            raise UsageError(f"bins knows no by={self.by!r}", did_you_mean(str(self.by), ("width", "quantile")))
        if self.per is not None:
            column_name(self.per, "bins(per=)")
        if self.range is not None:
            self._check_range(self.range)
        if not isinstance(self.wrap, bool):
            raise RuleTypeError("bins takes wrap=True or wrap=False", _WRAP)
        if self.wrap and self.range is None:
            raise UsageError("wrap=True needs the range of a full turn", _WRAP)

    def _check_range(self, bounds: Sequence[float]) -> None:
        if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
            raise RuleTypeError("bins takes range=(lo, hi)", "for example range=(0, 3.14)")
        lo, hi = (finite_number(bound, "a bound of range=(lo, hi)") for bound in bounds)
        if not lo < hi:
            raise UsageError(
                f"range=({number_text(lo)}, {number_text(hi)}) is empty", "write range=(lo, hi) with lo < hi"
            )
        if self.by != "width" or self.per is not None:
            raise UsageError("range= fixes equal-width edges", "leave out by= and per=")
        object.__setattr__(self, "range", (lo, hi))

    @property
    def columns(self) -> frozenset[str]:
        """Table columns it reads, without ``sample``."""
        return frozenset({self.column, self.per} - {None, SAMPLE})  # type: ignore[arg-type]

    def __str__(self) -> str:
        text = f"bins({self.column!r}, {self.n}"
        if self.by != "width":
            text += f", by={self.by!r}"
        if self.per is not None:
            text += f", per={self.per!r}"
        if self.range is not None:
            text += f", range=({number_text(self.range[0])}, {number_text(self.range[1])})"
        if self.wrap:
            text += ", wrap=True"
        return text + ")"

    __repr__ = __str__


Key = str | Bins


def bins(
    column: str,
    n: int,
    by: Literal["width", "quantile"] = "width",
    per: str | None = None,
    range: tuple[float, float] | None = None,
    wrap: bool = False,
) -> Bins:
    """A key that is the bin of a number. Bins are ``[lo, hi)``; the last one includes its upper edge.

    Without ``per``, edges are fitted on the training rows and stored with the run, and values outside them fall into
    the first or last bin. With ``per``, each group has its own edges, fitted on its rows. All rows of a constant column
    are in bin 0.

    Args:
        column: Numeric column (dates count days).
        n: Number of bins.
        by: ``"width"`` for equal widths, ``"quantile"`` for equal counts; equal quantile edges merge.
        per: Column whose groups each have their own edges.
        range: ``(lo, hi)`` in place of fitted edges; numbers emitted by views need it.
        wrap: For directions and phases: ``range`` is a full turn, and other values are moved into it by whole turns.
            ``bins("phi", 4, range=(-45, 315), wrap=True)`` puts −170 and 170 into one bin.

    Raises:
        UsageError: When an argument is out of these.

    Example:
        >>> same(bins("slice", 12, per="volume"))
        same(bins('slice', 12, per='volume'))
    """
    return Bins(column, n, by, per, range, wrap)


def column_name(value: object, function: str) -> str:
    """Returns ``value`` when it can name a column.

    Args:
        value: Argument of a rule.
        function: The rule, for the message.

    Raises:
        RuleTypeError: When it is not text, or empty.
    """
    if isinstance(value, str) and value:
        return value
    if isinstance(value, Bins):
        raise RuleTypeError(f"{function} takes a column, not bins", "bins(…) is a key of same(…)")
    shown = "an empty name" if value == "" else type(value).__name__
    raise RuleTypeError(f"{function} takes the name of a column, not {shown}", "names are quoted: same('patient')")


def finite_number(value: object, what: str) -> float:
    """Returns ``value`` as a float when it is a finite real number.

    Args:
        value: Argument of a rule.
        what: Its name in the message.

    Raises:
        RuleTypeError: When it is not a number.
        UsageError: When it is infinite or NaN.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise RuleTypeError(f"{what} must be a number, not {type(value).__name__}", "for example 0.7 or 4")
    try:
        number = float(value)
    except OverflowError:
        raise UsageError(f"{what} is too large", "for example 0.7 or 4") from None
    if not math.isfinite(number):
        raise UsageError(f"{what} must be finite, not {number}", "for example 0.7 or 4")
    return number + 0.0  # −0.0 becomes 0.0, so that equal rules print alike


def number_text(value: float) -> str:
    """The shortest text that reads back as the same float: ``4`` for 4.0."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
