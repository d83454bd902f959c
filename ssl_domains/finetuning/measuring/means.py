"""Mean and standard deviation of a score over draws of labelled groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Mean", "mean_of"]


@dataclass(frozen=True)
class Mean:
    """Mean over draws.

    Attributes:
        value: The mean; None when there is no draw, or the score is undefined in one.
        deviation: Standard deviation between draws (n − 1 in the denominator); None for one draw.
    """

    value: float | None
    deviation: float | None = None

    def __str__(self) -> str:
        if self.value is None:
            return "–"
        return f"{self.value:.3f}" + ("" if self.deviation is None else f" ± {self.deviation:.3f}")


def mean_of(values: Sequence[float | None]) -> Mean:
    """Mean of the values of all draws.

    Example:
        >>> str(mean_of([0.5, 0.7])), str(mean_of([0.5])), str(mean_of([0.5, None]))
        ('0.600 ± 0.141', '0.500', '–')
    """
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return Mean(None)
    mean = math.fsum(known) / len(known)
    if len(known) == 1:
        return Mean(mean)
    return Mean(mean, math.sqrt(math.fsum((one - mean) ** 2 for one in known) / (len(known) - 1)))
