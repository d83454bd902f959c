"""Run jobs of command lines in several processes of one thread each, side by side.

Two processes of one thread do more work than one process of two threads, and a process that runs many command lines
imports the libraries once.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from ssl_domains.cli.command_line import typed
from ssl_domains.cli.failures import INTERRUPTED
from ssl_domains.engine.processes.job_workers import create_pool, stop_workers, worker_job
from ssl_domains.errors import DataError

__all__ = ["ExitCode", "Job", "run_jobs"]

ExitCode = Callable[[Sequence[str]], int]
"""Runs one command line and returns its exit code; a function of a module, as other processes import it by name."""

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """Command lines that are run one after another.

    Attributes:
        name: Name, also of its log file.
        about: Description, printed when it is done.
        lines: Words of each command line, without ``ssl-domains``.
        after: Name of the job that must be done before; empty for none.
    """

    name: str
    about: str
    lines: tuple[tuple[str, ...], ...]
    after: str = ""


def run_jobs(jobs: Sequence[Job], logs: Path, processes: int, run: ExitCode, done: Callable[[int, Job], None]) -> None:
    """Run all jobs, as many at a time as there are processes; what they print goes to ``logs/NAME.txt``.

    Args:
        jobs: The jobs; one that names another in ``after`` stands behind it.
        logs: Folder of the log files.
        processes: Number of processes.
        run: Runs a command line.
        done: Called with the number of finished jobs and the job that has just finished.

    Raises:
        DataError: When a command line fails; the jobs that have not begun are not run.
        KeyboardInterrupt: After Ctrl-C or SIGTERM; trainings save a checkpoint first.
    """
    logs.mkdir(parents=True, exist_ok=True)
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # the processes inherit it
    pool = create_pool(processes)
    try:
        _run(pool, processes, jobs, logs, run, done)
    except KeyboardInterrupt:
        stop_workers(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def _run(
    pool: ProcessPoolExecutor,
    processes: int,
    jobs: Sequence[Job],
    logs: Path,
    run: ExitCode,
    done: Callable[[int, Job], None],
) -> None:
    running: dict[Future[None], Job] = {}
    finished: set[str] = set()
    left = list(jobs)
    while left or running:
        # No more than there are processes: a job that waits for another keeps its place before those behind it.
        able = [job for job in left if not job.after or job.after in finished]
        for job in able[: processes - len(running)]:
            running[pool.submit(run_lines, run, job.lines, str(logs / f"{job.name}.txt"))] = job
            left.remove(job)
        ready, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in ready:
            job = running.pop(future)
            future.result()
            finished.add(job.name)
            done(len(finished), job)


def run_lines(run: ExitCode, lines: Sequence[Sequence[str]], log: str) -> None:
    """Run command lines in this process, their output in the file ``log``.

    Raises:
        DataError: When one of them fails, with the last line of its output.
        KeyboardInterrupt: When this process was asked to stop.
    """
    with (
        worker_job(),
        Path(log).open("w", encoding="utf-8") as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        for words in lines:
            print(f"$ {typed(words)}", flush=True)
            code = run(words)
            if code == INTERRUPTED:
                raise KeyboardInterrupt
            if code:
                break
    if code:
        raise DataError(f"`{typed(words)}` ended with code {code}", f"its output is in {log}")
