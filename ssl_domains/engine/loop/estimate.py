"""The estimate of a training's duration and memory, from its first steps."""

from __future__ import annotations

import resource
import sys
import time

import torch

from ssl_domains.engine.record.events import Estimated

__all__ = ["TIMED_STEPS", "StepTimer", "peak_memory"]

TIMED_STEPS = 4
"""Steps that are timed, after the first step, which compiles, allocates and fills caches."""

_LONG_S = 10.0
"""Steps that take this many seconds together are enough, so that the estimate of slow steps comes soon."""


class StepTimer:
    """Times the first steps of a training, without waiting for the device more than twice.

    Args:
        total_steps: Steps of the whole run.
        start: Steps that were done before, by an earlier start of the run.
        device: Device of the training.
    """

    def __init__(self, total_steps: int, start: int, device: torch.device) -> None:
        self._total, self._device = total_steps, device
        self._first, self._last = start + 1, start + 1 + TIMED_STEPS
        self._before, self._due = 0.0, True

    def after(self, step: int) -> Estimated | None:
        """The estimate when ``step`` is the last of the timed steps, or they took long, and steps remain; else None.

        Args:
            step: Number of steps done.
        """
        if not self._due or step >= self._total or self._last >= self._total:
            return None
        long = step > self._first and time.perf_counter() - self._before >= _LONG_S
        if step not in (self._first, self._last) and not long:
            return None
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        if step == self._first:
            self._before = now
            return None
        self._due = False
        seconds = (now - self._before) / (step - self._first)
        return Estimated(self._total - step, seconds, seconds * (self._total - step), peak_memory(self._device))


def peak_memory(device: torch.device) -> int:
    """Peak memory of this process in bytes: on a GPU what torch allocated there, on a CPU the whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
