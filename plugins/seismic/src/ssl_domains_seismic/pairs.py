"""Pair samplers of the domain: places in metres and milliseconds, depths, bins of a volume, surveys."""

from __future__ import annotations

from ssl_domains.errors import UsageError
from ssl_domains.extending import PairSampler

__all__ = ["SAMPLERS", "neighbours", "relative_to_horizon", "same_depth", "volume_bins"]


def neighbours(
    m: float | None = None, ms: float | None = None, bins: float | None = None, samples: float | None = None
) -> str:
    """Positives lie at the same place of a survey, up to some distance along each axis.

    ``neighbours(m=100, ms=32)`` compares map coordinates and times. Where a file has none, ``bins`` and ``samples``
    count lines of the grid and samples; ``neighbours()`` is ``neighbours(bins=0, samples=8)``: the same place, a little
    above or below.

    Args:
        m: Largest distance in x and in y, metres.
        ms: Largest distance in time.
        bins: Largest distance in inlines and in crosslines, as steps of the grid, never as line numbers.
        samples: Largest distance in samples.
    """
    if m is not None and bins is not None:
        raise UsageError("neighbours takes m or bins, not both", "write neighbours(m=100, ms=32)")
    if ms is not None and samples is not None:
        raise UsageError("neighbours takes ms or samples, not both", "write neighbours(m=100, ms=32)")
    rules = ["same('survey', 'along')"]
    if m is not None:
        rules += [f"within('x_m', {_number('m', m)})", f"within('y_m', {_number('m', m)})"]
    else:
        width = _number("bins", 0 if bins is None else bins)
        rules += [f"within('inline_bin', {width})", f"within('crossline_bin', {width})"]
    if ms is not None:
        rules.append(f"within('ms', {_number('ms', ms)})")
    else:
        rules.append(f"within('sample_bin', {_number('samples', 8 if samples is None else samples)})")
    return " & ".join(rules)


def same_depth(ms: float = 20.0) -> str:
    """Positives lie at most ``ms`` milliseconds apart in time, in any place of any survey."""
    return f"same('along') & within('ms', {_number('ms', ms)})"


def relative_to_horizon(ms: float | None = None, m: float | None = None) -> str:
    """Positives lie at most ``ms`` apart in time from the horizon, in any place of any survey.

    It reads the column that ``scan --horizon FILE`` gives. `relative_to_horizon()` is 20 ms; ``m`` is for depths.

    Args:
        ms: Largest difference of times from the horizon.
        m: Largest difference of depths from it, metres.
    """
    if ms is not None and m is not None:
        raise UsageError("relative_to_horizon takes ms or m, not both", "write relative_to_horizon(ms=20)")
    if m is not None:
        return f"same('along') & within('relative_to_horizon_m', {_number('m', m)})"
    return f"same('along') & within('relative_to_horizon_ms', {_number('ms', 20.0 if ms is None else ms)})"


def volume_bins(n: int = 30) -> str:
    """Positives are sections in the same of ``n`` equal parts of their survey (Kokilepersaud et al. 2022)."""
    return f"same('survey', 'along') & same(bins('section', {n!r}, per='survey'))"


def _number(what: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"{what} is {value!r}, no number", f"write {what}=4")
    return repr(value)


SAMPLERS = (
    PairSampler("neighbours", "seismic", "positives lie at the same place, within metres and milliseconds", neighbours),
    PairSampler("same_depth", "seismic", "positives lie at the same time, in any survey", same_depth),
    PairSampler("relative_to_horizon", "seismic", "positives lie at the same time from a horizon", relative_to_horizon),
    PairSampler("volume_bins", "seismic", "positives share a part of their volume", volume_bins),
    PairSampler("survey", "seismic", "positives share a survey", "same('survey')"),
)
