"""Delay Ctrl-C and SIGTERM until the current step is done, so that a checkpoint can be saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interruption"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Context in which the first Ctrl-C (SIGINT) or SIGTERM only sets `requested`.

    A second Ctrl-C raises KeyboardInterrupt at once. A second SIGTERM does nothing: batch systems and containers send
    it several times, and kill the process when they have waited long enough.

    Outside the main thread the context does nothing, because Python allows no signal handlers there.

    Args:
        repeated: Whether a second Ctrl-C does nothing either: in several processes ``torchrun`` sends each process a
            signal of its own, beside that of the terminal.
    """

    def __init__(self, repeated: bool = False) -> None:
        self.requested = False
        self._repeated = repeated
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT and not self._repeated:
            raise KeyboardInterrupt
        self.requested = True
