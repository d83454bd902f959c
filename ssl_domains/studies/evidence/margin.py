"""Whether a difference matters in practice: its interval against the margin that the study file names."""

from __future__ import annotations

from typing import Literal

from ssl_domains.studies.evidence.contrast import Contrast
from ssl_domains.studies.evidence.least_seeds import SEEDS_FOR_P_VALUE

__all__ = ["MarginReading", "margin_reading"]

MarginReading = Literal["beyond", "within", "neither"]


def margin_reading(contrast: Contrast, margin: float | None) -> MarginReading | None:
    """Where the interval lies: beyond the margin on one side, within it on both, or neither.

    *Beyond*: every difference in the interval is larger than the margin, in favour of the same arm. *Within*: every
    difference in it is smaller than the margin, whichever arm it favours: the two arms are equal in practice.

    Args:
        contrast: The difference.
        margin: Smallest difference that matters in practice, in units of the measure; None without one.

    Returns:
        None without a margin, without an interval, or with too few seeds for any claim.
    """
    low, high = contrast.interval.low, contrast.interval.high
    if margin is None or not low <= high or len(contrast.seeds) < SEEDS_FOR_P_VALUE:
        return None
    if low > margin or high < -margin:
        return "beyond"
    return "within" if -margin < low and high < margin else "neither"
