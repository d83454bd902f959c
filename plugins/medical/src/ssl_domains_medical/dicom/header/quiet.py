"""Keeping pydicom's warnings off the terminal: what matters of odd values becomes a problem row."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet", "without_stderr"]


@contextmanager
def quiet() -> Iterator[None]:
    """Neither warnings nor pydicom's log messages, which name files, while it holds."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def without_stderr() -> Iterator[None]:
    """Nothing that native code writes to standard error reaches the terminal while it holds."""
    try:
        kept = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
