"""Worker processes of a pool of jobs, such as the cells of a study: they stop when the main process stops.

A worker hears of it in two ways. SIGTERM asks it to stop: a training saves a checkpoint and ends, other work is
abandoned, and no further job begins. When the main process is gone without a word, as after SIGKILL, the worker ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["create_pool", "stop_workers", "worker_job"]


class _State:
    """What a worker process knows of itself.

    Attributes:
        stopped: Whether no further job begins.
        busy: Whether a job is being done.
    """

    stopped = False
    busy = False


def create_pool(
    processes: int, initializer: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> ProcessPoolExecutor:
    """Create a pool of new Python processes; their jobs run inside `worker_job`.

    Args:
        processes: Number of processes.
        initializer: Called in each process when it starts; a function of a module.
        arguments: Its arguments.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, context, _settle, (initializer, arguments))


def stop_workers(pool: ProcessPoolExecutor) -> None:
    """Ask the workers to stop, and wait until they have; for a main process that was interrupted.

    The signal of the interruption may have reached the main process alone.
    """
    for worker in multiprocessing.active_children():
        worker.terminate()
    pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def worker_job() -> Iterator[None]:
    """A block of a worker process that does one job.

    SIGTERM interrupts the block, unless a training in it delays the signal until it has saved. Jobs that the pool has
    handed over by then don't begin, as a cancelled pool still does them.

    Raises:
        KeyboardInterrupt: When the worker was asked to stop, before the block or in it.
    """
    _State.busy = True
    try:
        if _State.stopped:
            raise KeyboardInterrupt
        yield
    except KeyboardInterrupt:
        _State.stopped = True
        raise
    finally:
        _State.busy = False


def _settle(initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Set up a worker process."""
    # A terminal sends Ctrl-C to all processes: a training saves, and the main process asks the workers to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*arguments)


def _stop(number: int, frame: FrameType | None) -> None:
    first = not _State.stopped
    _State.stopped = True
    # Only inside a job: between two jobs the process may hold a lock that it shares with the others.
    if first and _State.busy:
        raise KeyboardInterrupt


def _leave_with_parent() -> None:
    """End this process when the main process ends, so that it does not do jobs that a new start does too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
