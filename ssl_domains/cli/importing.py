"""Say which plugin is being imported when its import takes long."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

from ssl_domains.extending import PluginInfo

__all__ = ["announced"]

ON_TERMINAL, IN_LOG = 0.5, 3.0
"""Seconds after which the plugin is named, on a terminal and elsewhere."""


@contextlib.contextmanager
def announced(info: PluginInfo, stream: TextIO | None = None, after: float | None = None) -> Iterator[None]:
    """Name the plugin on standard error when the block takes long.

    On a terminal it is a status line, which is erased afterwards; elsewhere it is one line that says what can be done.

    Args:
        info: The plugin that the block imports.
        stream: Where to write; None for standard error.
        after: Seconds after which it is named; None for the usual ones.
    """
    out = sys.stderr if stream is None else stream
    terminal = out.isatty()
    delay = (ON_TERMINAL if terminal else IN_LOG) if after is None else after
    status = f"importing {info.name} …"
    shown = threading.Event()

    def show() -> None:
        shown.set()
        leave_out = "leave --plugin-file out" if info.is_file else f"--block {info.name} leaves it out"
        line = f"\r{status}" if terminal else f"importing {info.name} ({info.label}) takes long; {leave_out}\n"
        out.write(line)
        out.flush()

    timer = threading.Timer(delay, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if terminal and shown.is_set():
            out.write("\r" + " " * len(status) + "\r")
            out.flush()
