"""Pool of worker processes in one process group, which are started once and run many checks.

A task is a function of a module or of a test's file. It is called in every process, and each process sends back the
result or the traceback. Each process runs `serve`.
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

_PATIENCE = 5  # seconds that a process gets to end by itself


@dataclass(frozen=True)
class Reference:
    """Module and name of a function or class, by which another process imports it.

    Attributes:
        module: Name of its module.
        file: The module's file, for modules that can't be imported by name, such as test files.
        name: Its name in the module.
    """

    module: str
    file: str
    name: str

    @classmethod
    def of(cls, target: Any) -> Reference:
        """The reference of a function or class at the top level of a module."""
        return cls(target.__module__, inspect.getfile(target), target.__qualname__)

    def load(self) -> Any:
        """Import the function or class."""
        try:
            module: ModuleType = importlib.import_module(self.module)
            if module.__file__ is None or not Path(module.__file__).samefile(self.file):
                module = _load_file(self.file)
        except ImportError:
            module = _load_file(self.file)
        return getattr(module, self.name)


def _load_file(path: str | Path) -> ModuleType:
    """Import a Python file of any folder as a module; files of one name in several folders are several modules."""
    whole = Path(path).resolve()
    name = f"task_{whole.stem}_{hash(whole)}"
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
        folder: Folder of that file; None takes a temporary folder.
        size: Number of processes.
        timeout: Seconds after which a call that has not returned is given up.
    """

    def __init__(self, folder: Path | None = None, size: int = 2, timeout: float = TIMEOUT) -> None:
        self.timeout = timeout
        self._temporary = tempfile.TemporaryDirectory() if folder is None else None
        self.folder = Path(self._temporary.name) if folder is None and self._temporary else Path(folder or ".")
        self.size = size
        self._started = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, function: Callable[..., Any], **options: Any) -> list[Any]:
        """Call ``function(**options)`` in each process and return the results; it must be at the top of a module.

        Raises:
            AssertionError: With the traceback, when the function raises in a process; or when it doesn't end in time.
        """
        answers = self.attempt(function, **options)
        for rank, (fine, value) in enumerate(answers):
            assert fine, f"process {rank} of {self.size}:\n{value}"
        return [value for _, value in answers]

    def attempt(self, function: Callable[..., Any], **options: Any) -> list[tuple[bool, Any]]:
        """Call ``function(**options)`` in each process; return whether it succeeded, with its result or traceback."""
        if not self._processes:
            self._start()
        task = (Reference.of(function), options)
        for process in self._processes:
            pickle.dump(task, _pipe(process.stdin))
            _pipe(process.stdin).flush()
        end = time.monotonic() + self.timeout
        try:
            return [_answer(process, end) for process in self._processes]
        except (TimeoutError, EOFError):
            self.close(kill=True)
            raise AssertionError(f"a process died or didn't answer within {self.timeout:.0f} s") from None

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
        """End the processes of the pool.

        They end when their pipe is closed. A child that this process has forked meanwhile, such as a worker of a data
        loader, holds the pipe open; then they are killed.
        """
        for process in self._processes:
            if kill:
                process.kill()
            else:
                _pipe(process.stdin).close()
        for process in self._processes:
            try:
                process.wait(timeout=_PATIENCE)
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
    """Run tasks from standard input until it ends; the main function of a process of the pool."""
    meeting, rank, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    # Standard output is the pipe of results, so the output of `print` goes to standard error.
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
