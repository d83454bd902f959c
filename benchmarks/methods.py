"""Every method: seconds of a step, pictures a second and peak memory, each in a process of its own."""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.engine_step import engine_loop
from benchmarks.memory import peak_of
from benchmarks.pictures import made_up, store_of, table_of
from benchmarks.result import Result, Row, machine
from benchmarks.simclr import Task, recipe_of
from benchmarks.timing import spread
from ssl_domains.engine import Parts, World, load_config
from ssl_domains.engine.loop.assembly import Assembled, assemble
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.engine.processes.generators import seeded
from ssl_domains.extending.methods import BUILT_IN
from ssl_domains.methods import needs_with
from ssl_domains.pairs import Composition, Objective, same
from ssl_domains.views import Scaling

__all__ = ["Sizes", "run"]

TRANSFORMER = {"masked": ("small_vit",), "dino": ("small_vit",), "simclr": ("small_conv", "small_vit")}
"""Encoders of methods that aren't measured with `small_conv` alone."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        pictures: Made-up pictures of 32 pixels.
        batch: Of them in a step.
        steps: Steps that are timed.
        methods: Names of the methods.
    """

    pictures: int = 1024
    batch: int = 64
    steps: int = 20
    methods: tuple[str, ...] = tuple(entry.name for entry in BUILT_IN)


def run(sizes: Sizes | None = None) -> Result:
    """All methods, one after the other."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = made_up(Path(scratch) / "pictures", sizes.pictures, 32, 32)
        for name in sizes.methods:
            for encoder in TRANSFORMER.get(name, ("small_conv",)):
                found = peak_of(_steps, name, encoder, folder, sizes)
                times = found.value
                what = f"{name}, {encoder}"
                rows += [
                    Row.of(f"{what}: a step", spread(times), "s"),
                    Row.of(f"{what}: pictures", spread([sizes.batch / seconds for seconds in times]), "/s"),
                    Row(f"{what}: peak memory", found.bytes / 1e6, "MB"),
                ]
    return Result(
        "methods",
        "What a step of each method costs",
        ("every loss is finite",),
        tuple(rows),
        (
            f"Steps of {sizes.batch} pictures of 32 px on one thread, views and feed included; options at their "
            "defaults. A method is alone on the machine.",
            "Peak memory is resident memory over that of the process before the first step, after smaller steps.",
        ),
        time.perf_counter() - started,
        machine(1, ["timm"]),
    )


def _steps(name: str, encoder: str, folder: Path, sizes: Sizes) -> Callable[[], list[float]]:
    """For `peak_of`: the steps, after two small ones that load what is loaded once; they give their seconds."""
    torch.set_num_threads(1)
    scratch = tempfile.TemporaryDirectory()
    table = table_of(folder)
    task = Task(folder, table, store_of(table, Path(scratch.name)), encoder, 32, sizes.batch)
    for _ in itertools.islice(engine_loop(_assembled(name, replace(task, batch=min(8, sizes.batch)))), 2):
        pass
    losses = engine_loop(_assembled(name, task))

    def measured() -> list[float]:
        seconds = []
        with scratch:
            for _ in range(sizes.steps):
                before = time.perf_counter()
                loss = next(losses)
                seconds.append(time.perf_counter() - before)
                assert math.isfinite(loss), f"{name}: the loss is {loss}"
        return seconds[1:]

    return measured


def _assembled(name: str, task: Task) -> Assembled:
    entry = next(entry for entry in BUILT_IN if entry.name == name)
    method = entry.load()
    needs = needs_with(method, method.options().model_dump())
    objective = Objective.of(same("class")) if needs.rule else Objective()
    recipe = replace(recipe_of(task.size), views=1 if needs.variants else needs.views)
    parts = Parts(task.table, task.store, objective, Composition("random"), recipe, Scaling(), method)
    sets = [
        f"encoder.name={task.encoder}", f"views.size={task.size}", f"train.batch_size={task.batch}",
        "train.epochs=1000000", "train.device=cpu", f"method.name={name}", "pairs.composition=random",
    ]  # fmt: skip
    config = resolve_config(load_config(sets=sets), parts)
    with seeded(0):
        return assemble(config, parts, World())
