"""Progress of long work with the time that is left: a bar on a terminal, a few lines in a log, nothing with --json."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Protocol, TextIO

from ssl_domains.durations import duration

__all__ = ["Progress", "showing_progress", "silent"]

_SILENT: ContextVar[bool] = ContextVar("silent", default=False)

_BAR_WIDTH = 24
_USUAL_COLUMNS = 80  # of a terminal that doesn't say its width
_REDRAW_S = 0.1  # seconds between two drawings of the bar
_FIRST_LINE_S = 10.0  # a log gets its first line after this time, so that short work prints nothing
_LONGEST_PAUSE_S = 300.0  # later lines come after ever longer pauses, up to this one
_WINDOW = 20  # drawings by which the speed is measured: files that a restart passes over quickly soon don't count


class Progress(Protocol):
    """Takes what is being done, how much of it is done, and how much there is in all."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show the progress, when it is time for that."""


@contextlib.contextmanager
def silent(quiet: bool = True) -> Iterator[None]:
    """Show no progress within this block."""
    token = _SILENT.set(quiet or _SILENT.get())
    try:
        yield
    finally:
        _SILENT.reset(token)


@contextlib.contextmanager
def showing_progress(stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """Yield ``progress(what, done, total)``, which shows the progress of one or more pieces of work on standard error.

    A terminal gets one line that is drawn again and again, and removed at the end. A log gets a line after 10 s, then
    after pauses that grow to 5 minutes. Within `silent` there is neither.

    Args:
        stream: Where to print; by default standard error.
        clock: Gives seconds.

    Example:
        >>> with showing_progress() as progress:                                      # doctest: +SKIP
        ...     for number, file in enumerate(files, start=1):
        ...         read(file)
        ...         progress("reading", number, len(files))
    """
    out = sys.stderr if stream is None else stream
    if _SILENT.get():
        yield lambda what, done, total: None
        return
    shown: _Bar | _Lines = _Bar(out, clock) if out.isatty() else _Lines(out, clock)
    try:
        yield shown
    finally:
        shown.close()


class _Speed:
    """The speed of the work, by the newest reports."""

    def __init__(self) -> None:
        self._reports: deque[tuple[float, int]] = deque(maxlen=_WINDOW)

    def add(self, now: float, done: int) -> None:
        self._reports.append((now, done))

    def left(self, done: int, total: int) -> str:
        """The time left in words; empty while the speed is unknown."""
        (start, before), (now, after) = self._reports[0], self._reports[-1]
        if now <= start or after <= before:
            return ""
        return f"{duration((now - start) / (after - before) * (total - done))} left"


class _Bar:
    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream, self._clock = stream, clock
        self._what, self._speed, self._due, self._width = "", _Speed(), 0.0, 0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = self._clock()
        if what != self._what:
            self._what, self._speed, self._due = what, _Speed(), now
        if now < self._due and done < total:
            return
        self._due = now + _REDRAW_S
        self._speed.add(now, done)
        full = round(_BAR_WIDTH * done / max(total, 1))
        bar = "█" * full + "░" * (_BAR_WIDTH - full)
        parts = [f"{done:,}/{total:,}", self._speed.left(done, total) if done < total else ""]
        self._draw(f"{what} {bar} {' · '.join(part for part in parts if part)}")

    def close(self) -> None:
        if self._width:
            self._draw("")
            self._stream.write("\r")
            self._stream.flush()

    def _draw(self, text: str) -> None:
        # A line that the terminal wraps can't be drawn over, so a long one loses its start, never the time left.
        room = _columns(self._stream) - 1
        if len(text) > room:
            text = "…" + text[len(text) - room + 1 :]
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_COLUMNS
    except (OSError, ValueError, AttributeError):
        return _USUAL_COLUMNS


class _Lines:
    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream, self._clock = stream, clock
        self._what, self._speed, self._pause, self._due = "", _Speed(), 0.0, 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = self._clock()
        if what != self._what:
            self._what, self._speed, self._pause = what, _Speed(), _FIRST_LINE_S
            self._due = now + self._pause
            self._speed.add(now, done)
        if now < self._due:
            return
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)
        self._due = now + self._pause
        self._speed.add(now, done)
        share = f"{100 * done / max(total, 1):.0f} %"
        left = self._speed.left(done, total) if done < total else "done"
        parts = [f"{what}: {done:,} of {total:,}", share, left]
        print(" · ".join(part for part in parts if part), file=self._stream, flush=True)

    def close(self) -> None:
        pass
