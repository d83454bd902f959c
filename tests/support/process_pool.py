"""Two processes that stay, so that each test of several pays no start; one of them is this file run as a program.

A task is a function of a Python file, called in both processes with one process group around them; what it returns, or
that it failed, comes back from each.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import select
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

TIMEOUT = 120.0


def load_file(path: str | Path) -> ModuleType:
    """A Python file as a module, whatever folder it lies in."""
    name = f"task_{Path(path).stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


class ProcessPool:
    """Processes with ranks 0 and up, joined by gloo on the loopback interface through a file.

    Args:
        folder: Where the file is made.
        size: How many.
    """

    def __init__(self, folder: Path, size: int = 2) -> None:
        self.folder, self.size = folder, size
        self._started = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, function: Callable[..., Any], **options: Any) -> list[Any]:
        """What ``function(**options)`` of a test's file returns in each process.

        Raises:
            AssertionError: With its traceback, when it raises in one of them or doesn't end.
        """
        answers = self.attempt(function, **options)
        for rank, (fine, value) in enumerate(answers):
            assert fine, f"process {rank} of {self.size}:\n{value}"
        return [value for _, value in answers]

    def attempt(self, function: Callable[..., Any], **options: Any) -> list[tuple[bool, Any]]:
        """Whether each process succeeded, and its value or traceback."""
        if not self._processes:
            self._start()
        task = (function.__code__.co_filename, function.__name__, options)
        for process in self._processes:
            pickle.dump(task, _pipe(process.stdin))
            _pipe(process.stdin).flush()
        end = time.monotonic() + TIMEOUT
        try:
            return [_answer(process, end) for process in self._processes]
        except (TimeoutError, EOFError):
            self.close(kill=True)
            raise AssertionError(f"a process died or didn't answer within {TIMEOUT:.0f} s") from None

    def _start(self) -> None:
        self._started += 1
        meeting = self.folder / f"meeting{self._started}"
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
        for rank in range(self.size):
            words = [sys.executable, __file__, str(meeting), str(rank), str(self.size)]
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self._processes.append(subprocess.Popen(words, env=environment, **pipes))

    def close(self, kill: bool = False) -> None:
        """End the processes that were started here."""
        for process in self._processes:
            if kill:
                process.kill()
            else:
                _pipe(process.stdin).close()
        for process in self._processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=30)
        self._processes = []


def _pipe(pipe: Any) -> BinaryIO:
    assert pipe is not None
    return pipe  # type: ignore[no-any-return]


def _answer(process: subprocess.Popen[bytes], end: float) -> tuple[bool, Any]:
    out = _pipe(process.stdout)
    ready, _, _ = select.select([out], [], [], max(0.0, end - time.monotonic()))
    if not ready:
        raise TimeoutError
    answer: tuple[bool, Any] = pickle.load(out)
    return answer


def _serve(meeting: str, rank: int, size: int) -> None:
    # What anybody prints goes elsewhere: the pipe is for answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size, timeout=timedelta(seconds=60)
    )
    while True:
        try:
            path, name, options = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        try:
            answer = True, getattr(load_file(path), name)(**options)
        except BaseException:
            answer = False, traceback.format_exc()
        pickle.dump(answer, answers)
        answers.flush()
    dist.destroy_process_group()


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
