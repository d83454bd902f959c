"""The engine's step against a loop written by hand over the same model, data path and precision."""

from __future__ import annotations

import copy
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from benchmarks.pictures import made_up, store_of, table_of
from benchmarks.result import Result, Row, machine
from benchmarks.simclr import TEMPERATURE, Task, assembled
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.engine.loop.assembly import Assembled
from ssl_domains.engine.loop.monitor import Monitor, steps_between_measurements
from ssl_domains.inputs import Views
from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import BatchSampler, Rows
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains.views import InputDataset

__all__ = ["Sizes", "assert_same_losses", "engine_loop", "run"]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        pictures: Made-up pictures of 32 pixels.
        batch: Of them in a step; a step should take 0.3 s or more.
        pairs: Pairs of steps.
        threads: Of torch.
    """

    pictures: int = 2048
    batch: int = 512
    pairs: int = 25
    threads: int = 2


def run(sizes: Sizes | None = None) -> Result:
    """All of it."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with torch_threads(sizes.threads), tempfile.TemporaryDirectory() as scratch:
        folder = made_up(Path(scratch) / "pictures", sizes.pictures, 32, 32)
        table = table_of(folder)
        task = Task(folder, table, store_of(table, Path(scratch) / "store"), "small_conv", 32, sizes.batch)
        engine, by_hand = engine_loop(assembled(task)), hand_loop(assembled(task), task)
        agreed = assert_same_losses(engine, by_hand)
        seconds = interleave({"engine": lambda: next(engine), "by hand": lambda: next(by_hand)}, sizes.pairs)
    ratio = paired_ratio(seconds["engine"], seconds["by hand"])
    upper = Row.at_most("upper end of the 90 % interval", ratio.high, "×", 1.1)
    return Result(
        "engine_step",
        "One step of the engine, batch to update",
        (agreed,),
        (
            *(Row.of(f"{name}, {sizes.batch} pictures", spread(times), "s") for name, times in seconds.items()),
            Row.at_most(f"engine / by hand, {sizes.pairs} interleaved pairs", ratio, "×", 1.05),
            upper,
        ),
        (
            "Both read the same store through the same canvas cache and make the same views; float32, 32 px.",
            "The engine's step includes its feed, schedule, health measurements and progress events.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads),
    )


def engine_loop(run: Assembled) -> Iterator[float]:
    """The loss of each step."""
    health = run.config.health
    monitor = Monitor(
        every=health.every_steps or steps_between_measurements(run.total_steps),
        total_steps=run.total_steps,
        steps_per_epoch=run.steps_per_epoch,
        names=run.plan.scored_by.names if run.method.needs.pairs else (),
        labels=None,
        neighbours=health.neighbours,
        temperature=lambda: run.method.temperature,
        trackers=(),
        emit=lambda event: None,
        unit_z=run.method.needs.unit_z,
    )
    step = 0
    for epoch in itertools.count():
        for batch in run.feed.epoch(epoch):
            result = run.step(batch, step)
            step += 1
            monitor.after(step, batch, result, run.step.lr * run.step.schedule.factor(step - 1))
            yield float(result.loss.loss.detach())


def hand_loop(run: Assembled, task: Task) -> Iterator[float]:
    """What one would write with the parts: the loss of each step."""
    method, recipe, lr = run.method, run.step.recipe, run.config.train.lr
    optimiser = copy.copy(run.step.optimiser)
    bound = run.plan.scored_by
    dataset = InputDataset(task.table, task.store, run.preprocess)
    sampler = BatchSampler(bound, run.plan.sampler.composition, batch_size=task.batch, seed=run.config.train.seed)
    loader: DataLoader[Any] = DataLoader(dataset, batch_sampler=sampler, collate_fn=_as_it_is)
    factor: Callable[[int], float] = run.step.schedule.factor
    step = 0
    for epoch in itertools.count():
        sampler.set_position(epoch, 0)
        for batch in loader:
            pictures = batch["input"].to("cpu", memory_format=torch.channels_last).unit()
            slots = torch.arange(len(pictures))
            views = Views(tuple(recipe.views_of(pictures, seed=run.config.train.seed, step=step, slots=slots)))
            for group in optimiser.param_groups:
                group["lr"] = lr * factor(step)
            optimiser.zero_grad(set_to_none=True)
            z = method(views).z
            loss = contrastive_loss(z, bound.pairs(Rows.of(batch["index"], views=2)), TEMPERATURE).loss
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            step += 1
            yield float(loss.detach())


def _as_it_is(batch: Any) -> Any:
    return batch


def assert_same_losses(engine: Iterator[float], by_hand: Iterator[float]) -> str:
    """Both loops start from the same weights, so their losses are the same numbers.

    Raises:
        AssertionError: When they are not.
    """
    found = [(next(engine), next(by_hand)) for _ in range(3)]
    assert all(a == b for a, b in found), f"losses differ: {found}"
    return "the losses of the first three steps, bit for bit"
