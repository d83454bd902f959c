"""A time limit for code of plugins that runs in the main thread."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["ImportTimeout", "time_limit"]

_AGAIN = 0.5  # seconds until the exception is raised again, where the code has caught it


class ImportTimeout(BaseException):
    """The import of a plugin took longer than its limit. No `Exception`, so that ``except Exception`` lets it pass."""


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise `ImportTimeout` inside the block when it takes longer.

    It uses the alarm signal, so it works on Unix and in the main thread; elsewhere, there is no limit. A call into a
    compiled library that never returns to Python can't be ended. An alarm that was set before goes on afterwards.

    Args:
        seconds: The limit; None for no limit.
    """
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise ImportTimeout(f"it was still being imported after {seconds:g} s")

    handler = signal.signal(signal.SIGALRM, end)
    before = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6), _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - before), 1e-3), interval)
