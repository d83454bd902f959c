"""Delay Ctrl-C until the current step is done, so that a checkpoint can be saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

__all__ = ["Interruption"]


class Interruption:
    """Context in which the first Ctrl-C (SIGINT) only sets `requested`; a second one raises KeyboardInterrupt.

    Outside the main thread it does nothing, because Python allows no signal handlers there.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: object = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]
            self._before = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
