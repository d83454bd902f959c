"""Running a study: choose grid points, train and measure every cell, in processes, from wherever it was stopped."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.cells import TUNING, Cell, CellResult, read_result, write_result
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.plan import StudyPlan
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains.studies.design.training import train
from ssl_domains.studies.measuring.measure import measure_cell
from ssl_domains.studies.measuring.nuisance import measure_nuisance

__all__ = ["CellResults", "Say", "run_study"]

Say = Callable[[str], None]

CellResults = dict[tuple[str, int, int], list[tuple[Cell, CellResult]]]
"""By (arm, fold, seed): its cells, one or one a fraction."""


@dataclass
class _Clock:
    """What is done, and what that says of the rest."""

    total: int
    jobs: int
    done: int = 0
    spent: list[float] = field(default_factory=list)

    def line(self, cell: Cell, result: CellResult, shown: str) -> str:
        self.done += 1
        self.spent.append(sum(result.seconds))
        left = (self.total - self.done) * float(np.mean(self.spent)) / self.jobs
        return f"[{self.done}/{self.total}] {cell.title}: {shown} ({sum(result.seconds):.0f} s) · {spell(left)} left"


def run_study(
    material: Material,
    plan: StudyPlan,
    shared: str,
    *,
    jobs: int,
    say: Say,
    only: Sequence[str] = (),
) -> tuple[CellResults, dict[str, dict[str, Any]]]:
    """Do every cell that is not done yet.

    Each cell trains on one thread of a CPU, so that its numbers depend neither on ``jobs`` nor on the machine's cores.

    Args:
        material: What all cells share.
        plan: The cells.
        shared: Text that stands for ``material`` in the cells' fingerprints.
        jobs: Cells at a time, each in a process of its own; 1 runs them in this one.
        say: Told a line for each cell.
        only: Names of arms to run; all when empty.

    Returns:
        The results by (arm, fold, seed), and the grid point of each arm.

    Raises:
        SslDomainsError: From a cell, which it names; what was done stays.
        KeyboardInterrupt: After Ctrl-C; what was done stays, and trainings under way left a checkpoint.
    """
    arms = [arm for arm in plan.arms if not only or arm.name in only]
    tuning = {arm.name: plan.tuning(arm) for arm in arms}
    places = [place for place in plan.places() if place[0] in arms]
    total = sum(map(len, tuning.values())) + sum(len(plan.cells(*place, {})) for place in places)
    clock = _Clock(total, jobs)
    with _Workers(material, plan, shared, jobs, clock, say) as workers:
        scored = workers.do(cell for cells in tuning.values() for cell in cells)
        chosen = {arm.name: _best(material, arm, tuning[arm.name], scored, plan) for arm in arms}
        todo = [(place, plan.cells(*place, chosen[place[0].name])) for place in places]
        found = workers.do(cell for _, cells in todo for cell in cells)
    results: CellResults = {}
    for (arm, fold, seed), cells in todo:
        results[arm.name, fold, seed] = [(cell, found[str(cell.folder)]) for cell in cells]
    return results, chosen


def do_cell(material: Material, plan: StudyPlan, shared: str, cell: Cell) -> CellResult:
    """Train and measure one cell, and keep its result; the encoder is thrown away once it is measured."""
    with torch_threads(1):
        before = time.perf_counter()
        run = train(material, cell) if cell.arm.embeds else None
        trained = time.perf_counter()
        scores = measure_cell(material, cell, run, plan.measured_at(cell))
        nuisance: dict[str, list[Any]] = {}
        if run is not None and cell.fold != TUNING and cell.seed == plan.seeds[0] and cell.fraction in (None, 1.0):
            nuisance = measure_nuisance(material, cell, run)
        seconds = trained - before, time.perf_counter() - trained
    result = CellResult(cell.fingerprint(shared), scores, nuisance, seconds)
    write_result(material.out, cell, result)
    if run is not None:
        shutil.rmtree(run.folder / "checkpoints", ignore_errors=True)
    return result


class _Workers:
    """Runs cells, several at a time; those whose result is there are only read."""

    def __init__(self, material: Material, plan: StudyPlan, shared: str, jobs: int, clock: _Clock, say: Say) -> None:
        self.material, self.plan, self.shared, self.jobs = material, plan, shared, jobs
        self.clock, self.say = clock, say
        self.pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *error: object) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)

    def do(self, cells: Iterable[Cell]) -> dict[str, CellResult]:
        """The results by the cell's folder."""
        found: dict[str, CellResult] = {}
        todo: list[Cell] = []
        for cell in cells:
            kept = read_result(self.material.out, cell, self.shared)
            if kept is None:
                todo.append(cell)
            else:
                found[str(cell.folder)] = kept
                self.clock.done += 1
                self.clock.spent.append(sum(kept.seconds))
        for cell, result in self._each(todo):
            found[str(cell.folder)] = result
            self.say(self.clock.line(cell, result, self._shown(result)))
        return found

    def _each(self, todo: Sequence[Cell]) -> Iterable[tuple[Cell, CellResult]]:
        if self.jobs == 1 or len(todo) < 2:
            for cell in todo:
                yield cell, do_cell(self.material, self.plan, self.shared, cell)
            return
        if self.pool is None:
            self.pool = ProcessPoolExecutor(
                self.jobs,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start,
                initargs=(self.material, self.plan, self.shared),
            )
        waiting: dict[Future[CellResult], Cell] = {self.pool.submit(_work, cell): cell for cell in todo}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                cell = waiting.pop(future)
                yield cell, future.result()

    def _shown(self, result: CellResult) -> str:
        value = headline(self.material, result)
        return "undefined" if value is None else f"{self.material.primary_measure.name} {value:.3f}"


def headline(material: Material, result: CellResult) -> float | None:
    """The leading measure under the leading probe (else the first) at the largest fraction, over the whole fold."""
    name = material.primary_measure.name
    scores = [score for score in result.scores if name in score.sums]
    leading = [score for score in scores if score.probe == material.primary_probe] or scores
    if not leading:
        return None
    best = max(leading, key=lambda score: score.fraction)
    value = float(material.primary_measure.value(np.array(best.sums[name]).sum(0)))
    return value if np.isfinite(value) else None


def _best(
    material: Material, arm: Arm, cells: Sequence[Cell], found: dict[str, CellResult], plan: StudyPlan
) -> dict[str, Any]:
    """The grid point with the best score; of equals the first."""
    if not cells:
        return dict(plan.grid[0]) if arm.trained and plan.grid else {}
    values = [headline(material, found[str(cell.folder)]) for cell in cells]
    return dict(cells[int(np.argmax([-np.inf if value is None else value for value in values]))].point)


_SHARED: list[Any] = []


def _start(material: Material, plan: StudyPlan, shared: str) -> None:
    """What a worker process is given once."""
    # Ctrl-C reaches workers too: a training takes it between two steps and saves, a measurement is finished first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _SHARED[:] = [material, plan, shared]


def _leave_with_parent() -> None:
    """A study that is killed takes its workers along: they would go on with cells that the next run does too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(cell: Cell) -> CellResult:
    material, plan, shared = _SHARED
    return do_cell(material, plan, shared, cell)


def spell(seconds: float) -> str:
    """``45 s``, ``12 min``, ``2 h 5 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
