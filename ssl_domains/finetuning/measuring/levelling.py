"""Whether the loss of a training has levelled off: an arm that still learns at its end is no fair control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Levelling", "levelling"]

_SHARE = 0.05
_FEWEST_STEPS = 5


@dataclass(frozen=True)
class Levelling:
    """Mean loss of three fifths of a training's steps.

    Attributes:
        steps: Steps of the training.
        first: Mean loss of the first fifth of the steps.
        before: Mean loss of the fourth fifth.
        last: Mean loss of the last fifth.
    """

    steps: int
    first: float
    before: float
    last: float

    @property
    def levelled(self) -> bool:
        """Whether the loss fell little from the fourth to the last fifth.

        That is at most 5 % of its fall from the first to the last fifth. A loss that falls along a straight line falls
        25 % of it, so a training that was stopped early is found whatever the scale of its loss. A training of fewer
        than five steps has never levelled.
        """
        fall = max(0.0, self.first - self.last)
        return self.steps >= _FEWEST_STEPS and self.before - self.last <= _SHARE * fall


def levelling(lines: Sequence[Mapping[str, Any]], steps: int) -> Levelling | None:
    """Mean losses of a training's fifths, from its measurements; None without any.

    Args:
        lines: Measurements as in ``metrics.jsonl``, by ascending ``step``; ``loss`` is the mean since the line before.
        steps: Steps of the training.
    """
    spans: list[tuple[int, int, float]] = []
    start = 0
    for line in lines:
        end, loss = line["step"], line.get("loss")
        if isinstance(loss, int | float) and end > start:
            spans.append((start, end, float(loss)))
        start = end
    if not spans:
        return None
    fifth = steps / 5
    first, before, last = (_mean(spans, k * fifth, (k + 1) * fifth) for k in (0, 3, 4))
    return Levelling(steps, first, before, last)


def _mean(spans: Sequence[tuple[int, int, float]], low: float, high: float) -> float:
    """Mean over the steps in (low, high] of a loss that is constant on each span; nearest span where none overlaps."""
    weights = [max(0.0, min(high, end) - max(low, start)) for start, end, _ in spans]
    if not sum(weights):
        return min(spans, key=lambda span: abs(span[0] + span[1] - low - high))[2]
    return sum(weight * loss for weight, (_, _, loss) in zip(weights, spans, strict=True)) / sum(weights)
