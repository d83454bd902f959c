"""Peak memory of one function in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

__all__ = ["Peak", "peak_of"]


@dataclass(frozen=True)
class Peak:
    """What a function took.

    Attributes:
        bytes: Highest resident memory less what the process held once everything was imported and the inputs made.
        seconds: Of its one call.
        value: What it returned.
    """

    bytes: int
    seconds: float
    value: Any


def peak_of(prepare: Callable[..., Callable[[], object]], *arguments: Any) -> Peak:
    """Run ``prepare(*arguments)`` and then what it returns in a fresh process; the second is what is measured.

    Args:
        prepare: A function of a module: imports, makes the inputs and calls the code once on a small input, so that
            libraries are loaded.
        arguments: Picklable.

    Raises:
        RuntimeError: When the process dies, of memory for example.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(there, prepare, arguments))
    process.start()
    there.close()
    try:
        found: Peak = here.recv()
    except EOFError:
        raise RuntimeError(f"{prepare.__name__}{arguments} died") from None
    finally:
        process.join()
    return found


def _measure(connection: Connection, prepare: Callable[..., Callable[[], object]], arguments: tuple[Any, ...]) -> None:
    call = prepare(*arguments)
    baseline = _resident("VmRSS")
    before = time.perf_counter()
    value = call()
    seconds = time.perf_counter() - before
    connection.send(Peak(_resident("VmHWM") - baseline, seconds, value))


def _resident(which: str) -> int:
    """Resident bytes now (``VmRSS``) or at most so far (``VmHWM``).

    Linux tells of this very process; ``ru_maxrss`` starts from what the parent held when it forked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith(which))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
