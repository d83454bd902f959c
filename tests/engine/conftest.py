"""The small run, for the tests that need a whole one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import small_run
from ssl_domains.testing.process_pool import ProcessPool


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where its data lies; made by the first run."""
    return tmp_path_factory.mktemp("small") / "data"


@pytest.fixture
def train(small_data: Path) -> Callable[..., Any]:
    """``train(out, sets, **options)``."""

    def call(out: Path, sets: tuple[str, ...] = (), **options: Any) -> Any:
        return small_run.run(small_data, out, sets, **options)

    return call


@pytest.fixture(scope="session")
def left_alone(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The small run, never interrupted; not to be changed."""
    return small_run.run(small_data, tmp_path_factory.mktemp("left") / "alone")


class Launcher:
    """Starts processes of the small run, one at a time."""

    def __init__(self) -> None:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._server = subprocess.Popen([sys.executable, small_run.__file__], text=True, **pipes)

    def start(self, **request: Any) -> int:
        """Start a process with keywords of ``small_run.child``; its id, which is also that of its group."""
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return self._answer()

    def wait(self) -> int:
        """The exit status of the process started last; −9 when it was killed."""
        return self._answer()

    def close(self) -> None:
        self._server.kill()  # the end of its input is not enough: a forked loader may hold the pipe open
        self._server.wait(timeout=60)

    def _answer(self) -> int:
        assert self._server.stdout is not None
        return int(self._server.stdout.readline())


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    made = Launcher()
    yield made
    made.close()


@pytest.fixture(scope="session")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """``two_processes(function, **options)``: what a function of the test's file returns in each of two processes."""
    pool = ProcessPool(tmp_path_factory.mktemp("processes"))
    yield pool
    pool.close()
