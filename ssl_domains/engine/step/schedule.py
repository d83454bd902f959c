"""Learning rate schedule: linear warm-up, then half a cosine; a pure function of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule:
    """Factor on the learning rate at each step (Loshchilov & Hutter 2017, SGDR, one period).

    It has no state, so a resumed run needs only the number of the step.

    Attributes:
        total_steps: Steps of the whole run, T.
        warmup_steps: Steps W of linear warm-up, at most T.
    """

    total_steps: int
    warmup_steps: int = 0

    @classmethod
    def of(cls, total_steps: int, steps_per_epoch: int, warmup_epochs: float) -> Schedule:
        """Schedule with a warm-up given in epochs, which is at most half of the run."""
        return cls(total_steps, min(round(warmup_epochs * steps_per_epoch), total_steps // 2))

    def factor(self, step: int) -> float:
        """Factor in (0, 1] for the optimiser step number ``step`` (from 0).

        ``(step + 1) / (W + 1)`` while ``step < W``, then ``(1 + cos(π (step − W) / (T − W))) / 2``.
        """
        if step < self.warmup_steps:
            return (step + 1) / (self.warmup_steps + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps)))
