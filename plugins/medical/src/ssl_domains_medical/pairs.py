"""Pair samplers of the domain: who, when, where in the body, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping

from ssl_domains.errors import UsageError
from ssl_domains.extending import PairSampler

__all__ = ["SAMPLERS", "clinical", "neighbours", "patient", "position"]


def patient(other_study: str = "positive") -> str:
    """Positives share a patient; ``other_study="ignore"`` leaves the patient's other studies out of the loss."""
    if other_study == "positive":
        return "same('patient')"
    if other_study == "ignore":
        return "(same('patient') & same('study')).ignore(same('patient'))"
    raise UsageError(f"patient: other_study={other_study!r}", "known: positive, ignore")


def neighbours(width_mm: float | None = None, slices: int | None = None) -> str:
    """Positives are slices of one volume at most ``width_mm``, or ``slices``, apart; 2 slices if neither is given."""
    if width_mm is not None and slices is not None:
        raise UsageError("neighbours takes width_mm or slices, not both", "write neighbours(width_mm=4)")
    if width_mm is not None:
        return f"same('volume') & within('position_mm', {_number('width_mm', width_mm)})"
    return f"same('volume') & within('slice', {_number('slices', 2 if slices is None else slices)})"


def position(n: int = 12) -> str:
    """Positives lie in the same of ``n`` equal parts of their volume, whichever volume that is."""
    return f"same(bins('position', {n!r}))"


def clinical(
    column: str | Mapping[str, float],
    tolerance: float | Mapping[str, float] | None = None,
    bins: int | Mapping[str, int] | None = None,
    by: str = "quantile",
) -> str:
    """Positives share a clinical value: exactly, in ``bins``, or within a ``tolerance``; several columns are summed.

    ``clinical(column='cst', tolerance=9)``, or with weights
    ``clinical(column={'bcva': 0.7, 'cst': 0.3}, bins={'bcva': 5}, tolerance={'cst': 9})``.

    Args:
        column: A column, or columns with the weights of their losses.
        tolerance: Largest difference of a positive, for all columns or by column.
        bins: Number of bins, for all columns or by column.
        by: Bins of equal counts (``"quantile"``) or equal widths (``"width"``).
    """
    weights = {column: 1.0} if isinstance(column, str) else column
    if not isinstance(weights, Mapping) or not weights:
        raise UsageError("clinical: column= names no column", "column='cst', or column={'bcva': 0.5, 'cst': 0.5}")
    for option, value in (("tolerance", tolerance), ("bins", bins)):
        if isinstance(value, Mapping) and (unknown := sorted(set(value) - set(weights))):
            raise UsageError(f"clinical: {option} names {unknown[0]!r}, no column of it", "name it in column= too")
    rules = {name: _clinical_rule(name, _of(tolerance, name), _of(bins, name), by) for name in weights}
    if isinstance(column, str):
        return rules[column]
    return " + ".join(f"{_number('a weight', weight)}*{rules[name]}" for name, weight in weights.items())


def _clinical_rule(column: str, tolerance: object, bins: object, by: str) -> str:
    if tolerance is not None and bins is not None:
        raise UsageError(f"clinical: {column!r} has both tolerance and bins", "give one of them for a column")
    if tolerance is not None:
        return f"within({column!r}, {_number('tolerance', tolerance)})"
    return f"same({column!r})" if bins is None else f"same(bins({column!r}, {bins!r}, by={by!r}))"


def _of(value: object, column: str) -> object:
    return value.get(column) if isinstance(value, Mapping) else value


def _number(what: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"{what} is {value!r}, no number", f"write {what}=4")
    return repr(value)


SAMPLERS = (
    PairSampler("patient", "medical", "positives share a patient", patient),
    PairSampler("eye", "medical", "positives share a patient and a side", "same('patient', 'laterality')"),
    PairSampler("study", "medical", "positives share a study", "same('study')"),
    PairSampler("series", "medical", "positives share a series", "same('series')"),
    PairSampler("volume", "medical", "positives share a volume", "same('volume')"),
    PairSampler("neighbours", "medical", "positives are neighbouring slices of a volume", neighbours),
    PairSampler("position", "medical", "positives lie in the same part of any volume", position),
    PairSampler("clinical", "medical", "positives share a clinical value (exact, bins, tolerance)", clinical),
)
