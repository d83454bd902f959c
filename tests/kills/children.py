"""Command lines of ``ssl-domains`` in children that are forked from one warmed parent, and end in chosen ways.

The parent imports everything and runs nothing, so that it has one thread and may be forked: a child starts within
milliseconds.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Ended", "Paused", "call", "run", "start_paused", "warm"]


_HARMLESS = ("jemalloc", "polars-ooc", "python")
"""Threads that importing polars starts, and that a forked child can do without."""


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        code: Exit code; negative for a signal.
        said: Its standard output and standard error.
        cpu: CPU-seconds that it used, without those of its own children.
    """

    code: int
    said: str
    cpu: float


def warm() -> None:
    """Import the packages, so that a forked child doesn't.

    Raises:
        RuntimeError: When an import has started a thread: a forked child could wait for ever for a lock of it.
    """
    for name in ("ssl_domains", "ssl_domains_fisheye"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if module.name.rpartition(".")[2] != "__main__" and ".testing" not in module.name:
                importlib.import_module(module.name)
    names = (Path(f"/proc/self/task/{task}/comm").read_text().strip() for task in os.listdir("/proc/self/task"))
    started = [name for name in names if not name.startswith(_HARMLESS)]
    if started:
        raise RuntimeError(f"the imports have started threads: {started}")


def run(
    words: Sequence[str], folder: Path, *, cpu: float | None = None, largest_file: int | None = None, term: bool = False
) -> Ended:
    """Run a command line in a child and wait for it.

    Args:
        words: The command line without ``ssl-domains``.
        folder: Working directory.
        cpu: End it after so many CPU-seconds as SIGKILL does: the kernel ends all its threads wherever they are,
            inside native code too. None lets it finish.
        largest_file: Largest size of a file in bytes; a write beyond it fails, as on a full disk.
        term: Send SIGTERM after ``cpu`` seconds instead.
    """

    def prepare() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
        if cpu is not None and term:
            signal.signal(signal.SIGPROF, lambda number, frame: os.kill(os.getpid(), signal.SIGTERM))
        if cpu is not None:
            # A timer of CPU time needs no clock on the wall. Its signal has no handler, which is the end.
            signal.setitimer(signal.ITIMER_PROF, max(cpu, 1e-4))

    return _ended(*_fork(words, folder, prepare))


@dataclass
class Paused:
    """A child that stopped itself, with its pipe."""

    pid: int
    pipe: int

    def go_on(self) -> Ended:
        """Let it go on, and wait for it."""
        os.kill(self.pid, signal.SIGCONT)
        return _ended(self.pid, self.pipe)


def start_paused(words: Sequence[str], folder: Path, at: str) -> Paused:
    """Start a command line that stops itself when it opens a file whose name contains ``at``.

    Raises:
        RuntimeError: When it ended before.
    """

    def prepare() -> None:
        stopped: list[bool] = []

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open" and not stopped and at in str(arguments[0]):
                stopped.append(True)
                os.kill(os.getpid(), signal.SIGSTOP)

        sys.addaudithook(watch)

    pid, pipe = _fork(words, folder, prepare)
    _, status = os.waitpid(pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise RuntimeError(f"{words} ended before it opened {at!r}: {_read(pipe)}")
    return Paused(pid, pipe)


def call(function: Callable[[], Any]) -> Any:
    """The JSON value of a function that is called in a child: the parent must not start the threads of polars."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with os.fdopen(write, "w") as file:
                file.write(json.dumps(function()))
            os._exit(0)
        finally:
            os._exit(1)
    os.close(write)
    text = _read(read)
    os.waitpid(pid, 0)
    return json.loads(text)


def _fork(words: Sequence[str], folder: Path, prepare: Callable[[], None]) -> tuple[int, int]:
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    code = 99
    try:
        for descriptor in (1, 2):
            os.dup2(write, descriptor)
        os.chdir(folder)
        from ssl_domains.cli.app import run as run_here

        prepare()
        code = run_here([str(word) for word in words])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _ended(pid: int, pipe: int) -> Ended:
    said = _read(pipe)
    _, status, usage = os.wait4(pid, 0)
    return Ended(os.waitstatus_to_exitcode(status), said, usage.ru_utime + usage.ru_stime)


def _read(pipe: int) -> str:
    with os.fdopen(pipe, "rb") as file:
        return file.read().decode(errors="replace")
