"""A batch of thousands of pairs through gradient caching, against the cached loss of sentence-transformers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.memory import Peak, peak_of
from benchmarks.result import Row
from benchmarks.text.files import Collection
from benchmarks.text.peer import gradients, loss_of, model_of
from benchmarks.text.runs import assembled, task_of
from benchmarks.text.step import texts_of_batch
from benchmarks.timing import paired_ratio, spread

__all__ = ["Large", "caching_rows"]


@dataclass(frozen=True)
class Large:
    """The batch.

    Attributes:
        pairs: Queries, each with a document.
        at_once: Pairs in the encoder at a time.
        length: Words of a document.
        width: Numbers of a token in the BERT of two layers.
        rounds: Steps of each arm, each in a process of its own.
        threads: Of torch.
    """

    pairs: int = 4096
    at_once: int = 64
    length: int = 12
    width: int = 64
    rounds: int = 3
    threads: int = 1


def caching_rows(folder: Path, large: Large) -> Iterator[Row]:
    """Seconds of processor time and peak memory of a step, and the ratios; the losses are compared.

    Raises:
        AssertionError: When the losses of one batch differ.
    """
    task_of(folder, _collection(large), "bert", large.width)
    found: dict[str, list[Peak]] = {"here": [], "there": []}
    for turn in range(large.rounds):
        for arm in ("here", "there") if turn % 2 == 0 else ("there", "here"):
            found[arm].append(peak_of(_here if arm == "here" else _there, str(folder), asdict(large)))
    losses = [one.value["loss"] for peaks in found.values() for one in peaks]
    assert max(losses) - min(losses) <= 1e-3, f"the losses of one batch differ: {losses}"
    seconds = {arm: [one.value["seconds"] for one in peaks] for arm, peaks in found.items()}
    memory = {arm: [one.bytes / 1e6 for one in peaks] for arm, peaks in found.items()}
    what = f"{large.pairs:,} pairs through gradient caching, {large.at_once} at a time"
    yield Row.of(f"{what}: a step", spread(seconds["here"]), "s")
    yield Row.of(f"{what}: peak memory", spread(memory["here"]), "MB")
    yield Row.at_least(f"… sentence-transformers / here, time of {large.rounds} pairs of steps",
                       paired_ratio(seconds["there"], seconds["here"]), "×", 1.0)  # fmt: skip
    yield Row.at_least("… sentence-transformers / here, peak memory",
                       paired_ratio(memory["there"], memory["here"]), "×", 1.0)  # fmt: skip


def _collection(large: Large) -> Collection:
    return Collection(documents=large.pairs, length=large.length, asked=4)


def _here(folder: str, settings: dict[str, Any]) -> Callable[[], object]:
    large = Large(**settings)
    torch.set_num_threads(large.threads)
    task = task_of(Path(folder), _collection(large), "bert", large.width)
    run = assembled(task, large.pairs, [f"train.micro_batch_size={large.at_once}"])
    small = assembled(task, 2 * large.at_once, [f"train.micro_batch_size={large.at_once}"])
    small.step(next(iter(small.feed.epoch(0))), 0)
    batch = next(iter(run.feed.epoch(0)))

    def step() -> object:
        before = time.process_time()
        result = run.step(batch, 0)
        return {"seconds": time.process_time() - before, "loss": float(result.loss.loss.detach())}

    return step


def _there(folder: str, settings: dict[str, Any]) -> Callable[[], object]:
    large = Large(**settings)
    torch.set_num_threads(large.threads)
    task = task_of(Path(folder), _collection(large), "bert", large.width)
    run = assembled(task, large.pairs, [f"train.micro_batch_size={large.at_once}"])
    queries, documents = texts_of_batch(run, next(iter(run.feed.epoch(0))), task)
    model = model_of(task, run.method.encoder)
    # Ours has queries and documents of so many pairs in the encoder at a time.
    loss = loss_of(model, 2 * large.at_once)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    gradients(loss, queries[:64], documents[:64])
    optimiser.step()
    optimiser.zero_grad()
    features = [model.preprocess(list(some)) for some in (queries, documents)]
    model = model_of(task, run.method.encoder)
    loss = loss_of(model, 2 * large.at_once)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def step() -> object:
        before = time.process_time()
        value = loss(features, None)
        value.backward()
        optimiser.step()
        optimiser.zero_grad()
        return {"seconds": time.process_time() - before, "loss": float(value.detach())}

    return step
