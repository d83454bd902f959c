"""The one sampling rate that a table of recordings is brought to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

__all__ = ["usual_rate"]


def usual_rate(rates: Iterable[float]) -> int:
    """The most common rate in Hz; of equally common ones the lowest, so that no empty band is made up.

    Raises:
        ValueError: Without any rate.

    Example:
        >>> usual_rate([16000, 8000, 44100, 16000])
        16000
    """
    counts = Counter(round(rate) for rate in rates)
    return min(counts, key=lambda rate: (-counts[rate], rate))
