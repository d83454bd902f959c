"""How long a training step waits for patches that are read for the first time, and what a worker process is sent."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from benchmarks.result import Row
from benchmarks.timing import spread
from ssl_domains.engine import Parts, load_config, pretrain
from ssl_domains.engine.record.events import Event, Stepped
from ssl_domains.extending import RecipeRequest
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, parse
from ssl_domains.stores import ArrayStore
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains.views import InputDataset
from ssl_domains_seismic.preprocess import SectionPreprocess, sections_for
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.views import recipe

__all__ = ["Training", "share_of_waiting", "waiting_rows"]


@dataclass(frozen=True)
class Training:
    """A training whose waiting is measured.

    Attributes:
        along: Axis of the patches.
        side: Of a patch.
        batch: Samples of a batch.
        steps: Steps; those after the first are measured, which starts the workers.
        threads: Of torch.
    """

    along: str = "inline"
    side: int = 64
    batch: int = 128
    steps: int = 16
    threads: int = 2


def waiting_rows(folder: Path, name: str, survey: Path, training: Training, repeats: int) -> Iterator[Row]:
    """The share of waiting for 0 and 2 workers, spawned and forked, and the bytes that a worker is sent."""
    for method in ("spawn", "fork"):
        for workers in (0, 2) if method == "spawn" else (2,):
            found = []
            for number in range(repeats):
                out = str(folder / f"{name}-{method}-{workers}-{number}")
                with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                    task = pool.submit(share_of_waiting, str(survey), out, method, workers, training)
                    found.append(task.result())
            how = "no workers" if not workers else f"{workers} workers, {method}"
            share = spread([100 * one["waited"] for one in found])
            yield Row.at_most(f"{name}: waiting for data, {how}", share, "% of a step", 3)
            if workers and method == "spawn":
                yield Row.at_most(f"{name}: sent to a worker that starts", found[0]["sent"] / 1e6, "MB", 1)


def share_of_waiting(survey: str, out: str, method: str, workers: int, training: Training) -> dict[str, float]:
    """Train in this process; the share of the time that steps waited for data, and the bytes a worker is sent.

    Args:
        survey: The file.
        out: Folder for the store and the run.
        method: How worker processes start: ``spawn`` or ``fork``.
        workers: Their number.
        training: What is trained.
    """
    multiprocessing.set_start_method(method, force=True)
    shares: dict[int, float] = {}

    def note(event: Event) -> None:
        if isinstance(event, Stepped):
            shares[event.step] = event.data_wait

    with torch_threads(training.threads):
        parts = _parts(Path(survey), Path(out), training)
        config = load_config(sets=_settings(training, workers))
        pretrain(config, parts, Path(out) / "run", on_event=note)
        assert isinstance(parts.preprocess, SectionPreprocess)
        dataset = InputDataset(parts.table, parts.store, parts.preprocess, cache_gb=0.0)
        return {"waited": shares[training.steps], "sent": len(ForkingPickler.dumps(dataset))}


def _parts(survey: Path, out: Path, training: Training) -> Parts:
    table = SeismicReader().scan(survey, along=training.along, patch=str(training.side)).samples
    needed = training.batch * training.steps
    assert len(table) >= needed, f"{len(table)} patches for {needed} samples: each is read once"
    store = ArrayStore.fill(out / "store", table, SeismicReader())
    preprocess = sections_for(table).fit(table, store)
    views = recipe(RecipeRequest(table, 0, views=2, spec=preprocess.spec))
    return Parts(table, store, parse("none"), Composition("random"), views, None, SimCLR, preprocess=preprocess)


def _settings(training: Training, workers: int) -> list[str]:
    values: dict[str, Any] = {
        "encoder.name": "small_conv", "train.batch_size": training.batch, "train.device": "cpu", "train.epochs": 1,
        "train.max_steps": training.steps, "data.workers": workers, "data.cache_gb": 0.0,
        "health.every_steps": training.steps,
    }  # fmt: skip
    return [f"{name}={value}" for name, value in values.items()]
