"""Processes that stay, so that not every check of several processes waits for new ones to start.

A task is a function of a module or of a test's file. It is called in every process, with one process group around
them; what it returns, or that it failed, comes back from each. Each process runs `serve`.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import pickle
import select
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

TIMEOUT = 120.0


__all__ = ["ProcessPool", "Reference"]


@dataclass(frozen=True)
class Reference:
    """Where a function or class is defined, so that another process finds it.

    Attributes:
        module: Name of its module.
        file: The module's file, for modules that can't be imported by name, as those of tests.
        name: Its name in the module.
    """

    module: str
    file: str
    name: str

    @classmethod
    def of(cls, target: Any) -> Reference:
        """The reference of a function or class that stands at the top of a module."""
        return cls(target.__module__, inspect.getfile(target), target.__qualname__)

    def load(self) -> Any:
        """What is referred to."""
        try:
            module: ModuleType = importlib.import_module(self.module)
            if module.__file__ is None or not Path(module.__file__).samefile(self.file):
                module = _load_file(self.file)
        except ImportError:
            module = _load_file(self.file)
        return getattr(module, self.name)


def _load_file(path: str | Path) -> ModuleType:
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
        folder: Where the file is made; None takes a temporary folder.
        size: How many.
    """

    def __init__(self, folder: Path | None = None, size: int = 2) -> None:
        self._temporary = tempfile.TemporaryDirectory() if folder is None else None
        self.folder = Path(self._temporary.name) if folder is None and self._temporary else Path(folder or ".")
        self.size = size
        self._started = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, function: Callable[..., Any], **options: Any) -> list[Any]:
        """What ``function(**options)`` returns in each process; the function stands at the top of its module.

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
        task = (Reference.of(function), options)
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
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        for rank in range(self.size):
            words = [
                sys.executable,
                "-c",
                f"from {__name__} import serve; serve()",
                str(meeting),
                str(rank),
                str(self.size),
            ]
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


def serve() -> None:
    """Answer tasks on standard input until it ends; a process of a pool does nothing else."""
    meeting, rank, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
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
            reference, options = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        try:
            answer = True, reference.load()(**options)
        except BaseException:
            answer = False, traceback.format_exc()
        pickle.dump(answer, answers)
        answers.flush()
    dist.destroy_process_group()
