"""How long a training step waits for patches that are read for the first time, and what a worker process is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.result import Row
from benchmarks.waiting import Waited, share_of_waiting, shares_of_waiting
from ssl_domains.engine import Parts
from ssl_domains.extending import RecipeRequest
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, parse
from ssl_domains.stores import ArrayStore
from ssl_domains_seismic.preprocess import sections_for
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.views import recipe

__all__ = ["Training", "waiting_rows"]


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
    train = partial(_train, str(survey), training)
    for row, sent in shares_of_waiting(folder, name, train, repeats, 3):
        yield row
        if sent is not None:
            yield Row.at_most(f"{name}: sent to a worker that starts", sent / 1e6, "MB", 1)


def _train(survey: str, training: Training, out: str, method: str, workers: int) -> Waited:
    make = partial(_parts, Path(survey), Path(out), training)
    return share_of_waiting(Path(out), method, training.threads, make, _settings(training, workers), training.steps)


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
