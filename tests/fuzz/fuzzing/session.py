"""Runs of damaged inputs: one process that has imported everything, and a forked process for each input."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Self

from fuzzing.child import redirect, run_plan
from fuzzing.kind import Kind, Plan
from fuzzing.outcome import Outcome, Step, judge

__all__ = ["Session"]


class Session:
    """Makes the valid inputs once, below a temporary folder, and runs plans on copies of them.

    Args:
        make_base: Writes the runs and tables that all kinds share below a folder.
        keep: Folder in which the damaged inputs stay, as ``KIND-SEED``; None removes them.
    """

    def __init__(self, make_base: Callable[[Path], None], keep: Path | None = None) -> None:
        self._make_base = make_base
        self._keep = keep
        self._root = Path(tempfile.mkdtemp(prefix="fuzz-"))
        self._base = self._root / "base"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def baselines(self, kind: Kind) -> Iterator[Outcome]:
        """Run every plan on every valid input of a kind, undamaged."""
        for plan in kind.plans:
            for case in self._cases(kind, plan):
                yield self._run(kind, case, plan, -1)

    def outcome(self, kind: Kind, seed: int) -> Outcome:
        """Damage one valid input of a kind, as the seed says, and run one plan on it."""
        rng = Random(f"{kind.name}:{seed}")
        plan = rng.choices(kind.plans, [plan.weight for plan in kind.plans])[0]
        case = rng.choice(self._cases(kind, plan))
        return self._run(kind, case, plan, seed, rng)

    def _cases(self, kind: Kind, plan: Plan) -> list[Path]:
        self._make_once(self._base, self._make_base)
        folder = self._root / "kinds" / kind.name
        self._make_once(folder, lambda target: kind.make(target, self._base))
        return sorted(path for path in folder.iterdir() if path.is_dir() and plan.case in ("", path.name))

    def _make_once(self, folder: Path, make: Callable[[Path], None]) -> None:
        # In a process of its own, as what makes the inputs uses polars, after which this process could not be forked.
        if folder.exists():
            return
        folder.mkdir(parents=True)
        status, _ = self._forked(folder, lambda report: make(folder))
        text = (folder / "output").read_text(encoding="utf-8", errors="replace")
        if status != 0:
            shutil.rmtree(folder)
            raise RuntimeError(f"the valid inputs can't be made:\n{text}")
        (folder / "output").unlink()

    def _run(self, kind: Kind, case: Path, plan: Plan, seed: int, rng: Random | None = None) -> Outcome:
        keep = self._keep is not None and seed >= 0
        folder = self._keep / f"{kind.name}-{seed}" if keep and self._keep else self._root / "work"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(case, folder, symlinks=True)
        status, lines = self._forked(folder, lambda report: run_plan(kind, plan, folder, self._base, rng, report))
        text = (folder / "output").read_text(encoding="utf-8", errors="replace")
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _HARNESS:
            raise RuntimeError(f"fuzzing itself failed, {kind.name} --seed {seed}:\n{text}")
        told: list[dict[str, Any]] = [json.loads(line) for line in lines.splitlines()]
        steps = [
            Step(one["words"], one["code"], tuple(one["allowed"]), tuple(one["missing"]))
            for one in told
            if "words" in one
        ]
        started = told[-1].get("started", "") if told else "nothing"
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        return Outcome(
            kind=kind.name,
            seed=seed,
            case=case.name,
            damage=next((one["damage"] for one in told if "damage" in one), ""),
            commands=tuple(step.words for step in steps),
            codes=tuple(step.code for step in steps),
            fault=judge(status, steps, started, text),
            seconds=self._seconds,
        )

    def _forked(self, folder: Path, act: Callable[[int], None]) -> tuple[int, str]:
        """Run ``act`` in a forked process; its exit status, and what it wrote to the file descriptor it is given."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        read, write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process == 0:
            _child(folder, act, read, write)
        os.close(write)
        _, status = os.waitpid(process, 0)
        with contextlib.suppress(OSError):
            os.killpg(process, signal.SIGKILL)  # processes that it left behind
        with os.fdopen(read, "rb") as pipe:
            lines = pipe.read()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._seconds = round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 3)
        return status, lines.decode()


_HARNESS = 97


def _child(folder: Path, act: Callable[[int], None], read: int, write: int) -> None:
    status = _HARNESS
    try:
        os.setsid()
        os.close(read)
        redirect(folder)
        act(write)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
