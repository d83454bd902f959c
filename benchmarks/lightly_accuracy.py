"""Accuracy after equal steps of four methods and of lightly's documented loops: same weights, batches and views."""

from __future__ import annotations

import itertools
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.engine_step import engine_loop
from benchmarks.labelled_pictures import LabelledPictures, knn_accuracy, linear_accuracy, t_interval
from benchmarks.lightly_loops import ARMS, LightlyLoop, assembled
from benchmarks.lightly_methods import assert_agreement
from benchmarks.pictures import given_or_made_up, store_of, table_of
from benchmarks.result import Result, Row, machine
from benchmarks.simclr import Task
from benchmarks.timing import spread
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["Sizes", "run"]

LARGEST_LOSS = 2.0
"""Points that a method may lie below lightly's, on average over the seeds."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        made_up: Training pictures where none are given.
        batch: Pictures in a batch.
        steps: Of each training.
        queue: Keys of MoCo's queue, at most the training pictures.
        side: Side of pictures and views.
        seeds: Paired trainings.
        threads: Of torch.
        methods: Names of the methods.
    """

    made_up: int = 2048
    batch: int = 64
    steps: int = 400
    queue: int = 4096
    side: int = 32
    seeds: int = 5
    threads: int = 2
    methods: tuple[str, ...] = tuple(ARMS)


def run(sizes: Sizes | None = None, pictures: Path | None = None) -> Result:
    """Train each method both ways from the same weights, and probe the encoders on the test pictures.

    Args:
        sizes: How much.
        pictures: Folder (or zip) of ``train/CLASS/`` and ``test/CLASS/``, 32 × 32; without one the pictures are made
            up, and the accuracies say nothing about real ones.
    """
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    rows: list[Row] = []
    agreed: list[str] = []
    with torch_threads(sizes.threads), tempfile.TemporaryDirectory() as scratch:
        folder = given_or_made_up(pictures, Path(scratch), sizes.made_up, sizes.side)
        table, test = table_of(folder / "train"), table_of(folder / "test")
        store = store_of(table, Path(scratch) / "store")
        task = Task(folder / "train", table, store, "small_conv", sizes.side, sizes.batch)
        known = LabelledPictures.of(table, store, sizes.side)
        asked = LabelledPictures.of(test, store_of(test, Path(scratch) / "test_store"), sizes.side)
        for name in sizes.methods:
            rows += _compared(name, task, known, asked, sizes, agreed)
    return Result(
        "lightly_accuracy",
        "Accuracy of four methods beside lightly's documented loops",
        tuple(agreed),
        tuple(rows),
        (
            f"small_conv on {sizes.side} px, {sizes.steps} steps of {sizes.batch} pictures. Encoder, heads, first "
            "weights, batches, views, AdamW and its schedule are the same in both arms; the loop, the losses, the "
            "momentum copies and the queue are lightly's.",
            "Pictures: "
            + ("made up" if pictures is None else "the given folder")
            + "; logistic regression with C = 1, "
            "20 neighbours by cosine. Intervals are over seeds.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ("lightly",)),
    )


def _compared(
    name: str, task: Task, known: LabelledPictures, asked: LabelledPictures, sizes: Sizes, agreed: list[str]
) -> list[Row]:
    queue = min(sizes.queue, len(task.table))
    found: dict[str, list[tuple[float, float]]] = {"ssl-domains": [], "lightly": []}
    for seed in range(sizes.seeds):
        here = assembled(task, name, steps=sizes.steps, seed=seed)
        there = LightlyLoop(assembled(task, name, steps=sizes.steps, seed=seed), name, queue)
        ours, theirs = engine_loop(here), there.losses()
        if seed == 0:
            agreed += assert_agreement(name, ours, theirs)
        done = sizes.steps - (seed == 0)
        for loop in (ours, theirs):
            for _ in itertools.islice(loop, done):
                pass
        for arm, encoder in (("ssl-domains", here.method.encoder), ("lightly", there.encoder)):
            found[arm].append((linear_accuracy(encoder, known, asked), knn_accuracy(encoder, known, asked)))
    rows = []
    for column, probe in enumerate(("linear", "k-NN")):
        values = {arm: [one[column] for one in scores] for arm, scores in found.items()}
        rows += [Row.of(f"{name}, {arm}: {probe}", spread(scores), "%") for arm, scores in values.items()]
        difference = np.subtract(values["ssl-domains"], values["lightly"])
        mean = float(difference.mean())
        low, high = t_interval(difference)
        what = f"{name}, ssl-domains − lightly: {probe}, {sizes.seeds} paired seeds, mean"
        rows.append(Row(what, mean, "points", low, high, f"≥ −{LARGEST_LOSS:g}", mean >= -LARGEST_LOSS))
    return rows
