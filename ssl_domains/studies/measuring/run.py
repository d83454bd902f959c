"""Run the cells of a study in several processes: choose grid points, then train and measure.

Cells that have a result are not run again, so that a stopped study continues where it was.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ssl_domains.engine.processes.job_workers import create_pool, stop_workers, worker_job
from ssl_domains.quantities import plural
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.cells import TUNING, Cell, CellResult, tuning_of, write_result
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.measures import with_whole
from ssl_domains.studies.design.plan import StudyPlan
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains.studies.design.training import train
from ssl_domains.studies.measuring.measure import measure_cell
from ssl_domains.studies.measuring.nuisance import measure_nuisance
from ssl_domains.studies.measuring.stored_cells import StoredCells

__all__ = ["CellResults", "Points", "Say", "run_study"]

Say = Callable[[str], None]

CellResults = dict[tuple[str, int, int], list[tuple[Cell, CellResult]]]
"""(arm, fold, seed) → its cells with their results: one, or one for each fraction."""

Points = tuple[dict[str, Any], ...]
"""The grid point of an arm in each fold."""


@dataclass
class _Clock:
    """Counts finished cells and estimates the remaining time from their mean duration."""

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
    stored: StoredCells | None = None,
) -> tuple[CellResults, dict[str, Points]]:
    """Run every cell that has no result yet.

    Each cell trains on one thread of a CPU, so that its numbers depend neither on ``jobs`` nor on the machine's cores.

    Args:
        material: What all cells share.
        plan: The cells.
        shared: Hash of ``material`` for the fingerprints of the cells.
        jobs: Number of cells at a time, each in its own process; 1 runs them in this process.
        say: Called with one line of text for each finished cell.
        only: Names of arms to run; all when empty.
        stored: Where finished cells are looked for, and noted; by default the folder of the study.

    Returns:
        The results by (arm, fold, seed), and the grid points of each arm, one for each fold.

    Raises:
        SslDomainsError: When a cell fails, with its title; finished cells keep their results.
        KeyboardInterrupt: After Ctrl-C or SIGTERM; finished cells keep their results, trainings a checkpoint.
    """
    arms = [arm for arm in plan.arms if not only or arm.name in only]
    tuning = {arm.name: plan.tuning(arm) for arm in arms}
    places = [place for place in plan.places() if place[0] in arms]
    total = sum(map(len, tuning.values())) + sum(len(plan.cells(*place, {})) for place in places)
    clock = _Clock(total, jobs)
    stored = StoredCells(material.out) if stored is None else stored
    with _Workers(material, plan, shared, jobs, clock, say, stored) as workers:
        tuned = workers.do(cell for cells in tuning.values() for cell in cells)
        chosen = {arm.name: _best(material, arm, tuning[arm.name], tuned, plan) for arm in arms}
        todo = [(place, plan.cells(*place, chosen[place[0].name][place[1]])) for place in places]
        finished = workers.do(cell for _, cells in todo for cell in cells)
    results: CellResults = {}
    for (arm, fold, seed), cells in todo:
        results[arm.name, fold, seed] = [(cell, finished[str(cell.folder)]) for cell in cells]
    return results, chosen


def do_cell(material: Material, plan: StudyPlan, shared: str, cell: Cell) -> CellResult:
    """Train and measure one cell and store its result; the checkpoints are deleted afterwards."""
    with torch_threads(1):
        before = time.perf_counter()
        runs = [train(material, cell, member) for member in range(cell.arm.members)] if cell.arm.embeds else []
        trained = time.perf_counter()
        scores = measure_cell(material, cell, runs, plan.measured_at(cell))
        nuisance: dict[str, list[Any]] = {}
        if (
            runs
            and cell.arm.kind != "scratch"
            and not cell.chooses
            and cell.seed == plan.seeds[0]
            and cell.fraction in (None, 1.0)
        ):
            nuisance = measure_nuisance(material, cell, runs)
        seconds = trained - before, time.perf_counter() - trained
    result = CellResult(cell.fingerprint(shared), scores, nuisance, seconds)
    write_result(material.out, cell, result)
    for run in runs:
        shutil.rmtree(run.folder / "checkpoints", ignore_errors=True)
    return result


class _Workers:
    """Runs cells, several at a time; stored results are read instead."""

    def __init__(
        self, material: Material, plan: StudyPlan, shared: str, jobs: int, clock: _Clock, say: Say, stored: StoredCells
    ) -> None:
        self.material, self.plan, self.shared, self.jobs = material, plan, shared, jobs
        self.clock, self.say, self.stored = clock, say, stored
        self.pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self.pool is None:
            return
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            stop_workers(self.pool)
        else:
            self.pool.shutdown(wait=True, cancel_futures=True)

    def do(self, cells: Iterable[Cell]) -> dict[str, CellResult]:
        """Results of the cells, by the folder of the cell."""
        results: dict[str, CellResult] = {}
        todo: list[Cell] = []
        before = len(self.stored.stale)
        for cell in cells:
            kept = self.stored.find(cell, self.shared)
            if kept is None:
                todo.append(cell)
            else:
                results[str(cell.folder)] = kept
                self.clock.done += 1
                self.clock.spent.append(sum(kept.seconds))
        if stale := self.stored.stale[before:]:
            self.say(_other_settings(stale))
        for cell, result in self._each(todo):
            results[str(cell.folder)] = result
            self.stored.add(cell, result)
            self.say(self.clock.line(cell, result, self._shown(result)))
        return results

    def _each(self, todo: Sequence[Cell]) -> Iterable[tuple[Cell, CellResult]]:
        if self.jobs == 1 or len(todo) < 2:
            for cell in todo:
                yield cell, do_cell(self.material, self.plan, self.shared, cell)
            return
        if self.pool is None:
            self.pool = create_pool(self.jobs, _start, (self.material, self.plan, self.shared))
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
    """Score of a cell over its whole fold: primary measure, primary probe (or the first), largest fraction."""
    name = material.primary_measure.name
    scores = [score for score in result.scores if name in with_whole(score.sums)]
    leading = [score for score in scores if score.probe == material.primary_probe] or scores
    if not leading:
        return None
    best = max(leading, key=lambda score: score.fraction)
    value = float(material.primary_measure.value(np.array(with_whole(best.sums)[name]).sum(0)))
    return value if np.isfinite(value) else None


def _best(
    material: Material, arm: Arm, cells: Sequence[Cell], results: dict[str, CellResult], plan: StudyPlan
) -> Points:
    """The grid point with the best score for each fold; the first of equal ones."""
    if not cells:
        return (dict(plan.grid[0]) if arm.trained and plan.grid else {},) * plan.folds
    points: dict[int, dict[str, Any]] = {}
    for number in dict.fromkeys(cell.fold for cell in cells):
        mine = [cell for cell in cells if cell.fold == number]
        values = [headline(material, results[str(cell.folder)]) for cell in mine]
        points[number] = dict(mine[int(np.argmax([-np.inf if value is None else value for value in values]))].point)
    return tuple(points[tuning_of(fold) if plan.tuned_by_fold else TUNING] for fold in range(plan.folds))


def _other_settings(stale: Sequence[Cell]) -> str:
    shown = ", ".join(cell.title for cell in stale[:3]) + (", …" if len(stale) > 3 else "")
    those = plural(len(stale), "stored cell is", "stored cells are")
    return f"{those} of other data or settings and run anew: {shown}"


_SHARED: list[Any] = []


def _start(material: Material, plan: StudyPlan, shared: str) -> None:
    """Set up a worker process: its threads, and the data that all cells share."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    _SHARED[:] = [material, plan, shared]


def _work(cell: Cell) -> CellResult:
    material, plan, shared = _SHARED
    with worker_job():
        return do_cell(material, plan, shared, cell)


def spell(seconds: float) -> str:
    """A duration in words: ``45 s``, ``12 min``, ``2 h 5 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
