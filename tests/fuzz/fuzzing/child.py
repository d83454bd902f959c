"""What a forked process does: damage one input, run the command lines on it, and report."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path
from random import Random
from typing import Any

from fuzzing.kind import Kind, Plan
from fuzzing.mutations import damaged

__all__ = ["CPU_SECONDS", "EXTRA_BYTES", "WALL_SECONDS", "limit", "redirect", "run_plan"]

CPU_SECONDS = 20
WALL_SECONDS = 120
EXTRA_BYTES = 2_000_000_000


def redirect(folder: Path) -> None:
    """Lead both streams of this process into the file ``output`` of a folder."""
    handle = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)


def limit() -> None:
    """Limit what this process may use from now on: 20 s of processor time, 120 s in all, 2 GB of further memory.

    The kernel ends it at the first two, wherever it is; at the third, its next allocation fails.
    """
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    most = pages * resource.getpagesize() + EXTRA_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(WALL_SECONDS)


def run_plan(kind: Kind, plan: Plan, folder: Path, base: Path, rng: Random | None, report: int) -> None:
    """Damage the input in ``folder``, unless ``rng`` is None, and run the plan on it.

    Each step is written to the file descriptor ``report`` as a line of JSON, so that a process that is killed leaves
    what it did before.
    """
    from ssl_domains.cli.app import run

    def tell(**values: Any) -> None:
        os.write(report, (json.dumps(values) + "\n").encode())

    os.chdir(folder)
    if rng is not None:
        tell(damage=damaged(kind, folder, rng))
    limit()
    for command in plan.commands:
        words = command.words.split()
        tell(started=command.words)
        code = run([word.replace("{base}", str(base)) for word in words])
        missing = _missing(kind, folder, command.lists) if code == 0 and command.lists else []
        tell(words=command.words, code=code, allowed=sorted(command.codes), missing=missing)
        if code != 0:
            return


def _missing(kind: Kind, folder: Path, name: str) -> list[str]:
    """Undamaged neighbours that a sample table, or embeddings of its samples, doesn't hold."""
    import polars as pl

    wanted = sorted({str(path.relative_to(folder)) for pattern in kind.neighbours for path in folder.glob(pattern)})
    if not all((folder / file).is_file() for file in (name, "out.parquet")):
        return [f"{name} was not written"]
    samples = pl.read_parquet(folder / name, columns=["sample"])["sample"].to_list()
    table = pl.read_parquet(folder / "out.parquet", columns=["sample", "path"])
    held = {path for sample, path in table.iter_rows() if sample in samples}
    return [path for path in wanted if path not in held]
