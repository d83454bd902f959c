"""Messages of the mp3 decoder, which it writes to standard error by itself, kept as text instead."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar

__all__ = ["decoder_messages"]

_OF_MPG123 = re.compile(rb"\[[^\]]*libmpg123[^\]]*\]\s*(?:error|warning)?:?\s*|(?:Note|Warning|Error): ")
_OUTER: ContextVar[list[str] | None] = ContextVar("decoder_messages", default=None)


@contextlib.contextmanager
def decoder_messages() -> Iterator[list[str]]:
    """Collect what libmpg123 writes to standard error within the block; the list is filled at its end.

    libsndfile has no switch for these messages, so the file descriptor 2 is replaced for the time of the block. What
    something else writes to it meanwhile follows afterwards. A block within a block adds to the list of the outer one.
    """
    outer = _OUTER.get()
    if outer is not None:
        yield outer
        return
    said: list[str] = []
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error
        yield said
        return
    token = _OUTER.set(said)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            _OUTER.reset(token)
            file.seek(0)
            for line in file.read().splitlines():
                found = _OF_MPG123.match(line)
                if found:
                    said.append(line[found.end() :].decode("ascii", "replace").strip().rstrip("."))
                elif line.strip():
                    os.write(2, line + b"\n")
