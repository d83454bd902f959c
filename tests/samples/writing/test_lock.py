"""One process at a time, named by its id; the lock of a dead process does not block others."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import alone_in, only_one, write_whole

HOLD = """
import os, sys
from pathlib import Path
from ssl_domains.samples import alone_in, only_one
hold = {"folder": alone_in, "file": only_one}[sys.argv[2]]
with hold(Path(sys.argv[1]), "it is used"):
    if sys.argv[3] == "fork" and os.fork() == 0:
        sys.stdin.readline()  # a data worker, which lives on
        os._exit(0)
    print(os.getpid(), flush=True)
    sys.stdin.readline()
"""


@contextmanager
def another(path: Path, kind: str, how: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until its standard input is closed."""
    words = [sys.executable, "-c", HOLD, str(path), kind, how]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(process.pid)
        yield process


def test_a_file_and_a_folder_are_refused_by_process_id(tmp_path: Path) -> None:
    with another(tmp_path / "x.lock", "file") as process:
        with (
            pytest.raises(UsageError, match=f"it is busy by process {process.pid}") as caught,
            only_one(tmp_path / "x.lock", "it is busy", "take another"),
        ):
            pass
        assert "or take another" in caught.value.hint
    with another(tmp_path / "run", "folder") as process:
        with (
            pytest.raises(UsageError, match=f"it is busy by process {process.pid}"),
            alone_in(tmp_path / "run", "it is busy"),
        ):
            pass
        assert (tmp_path / "run" / ".lock").is_file()
    assert not (tmp_path / "run").exists(), "an empty folder that was made for the lock is removed"


@pytest.mark.parametrize("how", ["", "fork"])
def test_the_lock_of_a_killed_process_is_free_also_when_its_workers_live_on(tmp_path: Path, how: str) -> None:
    with another(tmp_path / "run", "folder", how) as process:
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert (tmp_path / "run" / ".lock").is_file()
        with alone_in(tmp_path / "run", "it is busy"):
            assert (tmp_path / "run" / ".lock").read_text() == str(os.getpid())


@pytest.mark.skipif(sys.platform == "win32", reason="flock is of POSIX")
def test_a_file_system_without_locks_stops_no_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with alone_in(tmp_path / "run", "it is busy"):
        (tmp_path / "run" / "kept").touch()
    write_whole(tmp_path / "a.txt", lambda part: part.write_text("whole"))
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "kept", "run"]


def test_the_same_thread_may_enter_again(tmp_path: Path) -> None:
    with alone_in(tmp_path / "run", "busy"), alone_in(tmp_path / "run", "busy"):
        (tmp_path / "run" / "kept").touch()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["kept"]
