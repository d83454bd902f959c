"""How long a training step waits for samples that are read for the first time, and what a worker process is sent."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.result import Row
from benchmarks.timing import spread
from ssl_domains.engine import Parts, load_config, pretrain
from ssl_domains.engine.record.events import Event, Stepped
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains.views import InputDataset

__all__ = ["Waited", "share_of_waiting", "shares_of_waiting"]

_KINDS = (("spawn", 0), ("spawn", 2), ("fork", 2))  # how worker processes start, and their number

Waited: TypeAlias = dict[str, float]
"""``waited``: share of the time of steps that passed waiting; ``sent``: bytes that a worker is sent when it starts."""


def shares_of_waiting(
    folder: Path, name: str, train: Callable[[str, str, int], Waited], repeats: int, most: float | None
) -> Iterator[tuple[Row, float | None]]:
    """The share of waiting without workers, and with two, spawned and forked.

    Args:
        folder: Where the trainings write.
        name: Begins the row's text.
        train: ``train(out, method, workers)``, a function of a module (or a partial of one), which calls
            `share_of_waiting`; each training runs in a new process.
        repeats: Trainings of each kind.
        most: Largest share in %; None for no target.

    Yields:
        The row, and the bytes that a spawned worker is sent; None for the other kinds.
    """
    for method, workers in _KINDS:
        found = []
        for number in range(repeats):
            out = str(folder / f"{name}-{method}-{workers}-{number}")
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                found.append(pool.submit(train, out, method, workers).result())
        share = spread([100 * one["waited"] for one in found])
        what = f"{name}: waiting for data, {f'{workers} workers, {method}' if workers else 'no workers'}"
        row = Row.of(what, share, "% of a step") if most is None else Row.at_most(what, share, "% of a step", most)
        yield row, found[0]["sent"] if workers and method == "spawn" else None


def share_of_waiting(
    out: Path, method: str, threads: int, parts: Callable[[], Parts], settings: Sequence[str], step: int
) -> Waited:
    """Train in this process and measure it.

    Args:
        out: Folder for the run.
        method: How worker processes start: ``spawn`` or ``fork``.
        threads: Of torch.
        parts: Makes the parts of the run, with a preprocess that needs no further fit.
        settings: The configuration, as ``key=value``. ``health.every_steps`` is the number of steps over which the
            share is measured.
        step: The step whose measurement counts: the last, as the first starts the workers.
    """
    multiprocessing.set_start_method(method, force=True)
    shares: dict[int, float] = {}

    def note(event: Event) -> None:
        if isinstance(event, Stepped):
            shares[event.step] = event.data_wait

    with torch_threads(threads):
        made = parts()
        preprocess: Any = made.preprocess
        pretrain(load_config(sets=list(settings)), made, out / "run", on_event=note)
        dataset = InputDataset(made.table, made.store, preprocess, cache_gb=0.0)
        return {"waited": shares[step], "sent": float(len(ForkingPickler.dumps(dataset)))}
