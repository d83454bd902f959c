"""A training step, batch to update, against the trainer of sentence-transformers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from benchmarks.engine_step import engine_loop
from benchmarks.result import Row
from benchmarks.text.files import Collection, texts
from benchmarks.text.peer import gradients, loss_of, model_of, trainer_steps
from benchmarks.text.runs import Task, assembled, task_of
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.engine.loop.assembly import Assembled
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["assert_same_gradients", "step_rows", "texts_of_batch"]

_NAMES = {"static": "static", "bert": "a BERT of two layers, width 128"}
_FIRST, _LATER = "first epoch", "later epochs"
_EPOCHS = {_FIRST: ["data.cache_gb=0"], _LATER: []}
"""Settings with which each step is as in such an epoch."""


def step_rows(folder: Path, collection: Collection, batch: int, pairs: int, threads: int) -> Iterator[Row]:
    """Milliseconds of a step, sentences a second, and the ratio, for both encoders.

    Each is measured in the first epoch, where texts are tokenized, and in later ones, where their tokens are kept.

    Args:
        folder: Where files are written.
        collection: What is trained on.
        batch: Queries of a batch, each with a document.
        pairs: Interleaved pairs of steps.
        threads: Of torch.

    Raises:
        AssertionError: When loss or gradients of one batch differ.
    """
    documents, queries = texts(collection)
    for encoder, name in _NAMES.items():
        task = task_of(folder, collection, encoder)
        assert_same_gradients(task, batch)
        with torch_threads(threads):
            here = {epoch: assembled(task, batch, ["train.lr=1e-3", *sets]) for epoch, sets in _EPOCHS.items()}
            for _ in here[_LATER].feed.epoch(0):
                pass  # the tokens of every text are kept now
            model = model_of(task, here[_FIRST].method.encoder)
            steps = trainer_steps(model, loss_of(model), queries, documents, batch, folder / encoder, threads)
            with steps as theirs:
                loops = {epoch: engine_loop(run) for epoch, run in here.items()}
                arms: dict[str, Any] = {epoch: lambda own=loop: next(own) for epoch, loop in loops.items()}
                arms["there"] = lambda other=theirs: next(other)
                seconds = interleave(arms, pairs, warm_up=3, clock=time.process_time)
        for epoch in _EPOCHS:
            taken = seconds[epoch]
            yield Row.of(f"{name}, {epoch}: a step of {batch} pairs", spread([1000 * one for one in taken]), "ms")
            rate = [2 * batch / one for one in taken]
            yield Row.of(f"{name}, {epoch}: sentences a second of processor time", spread(rate), "")
            ratio = paired_ratio(seconds["there"], taken)
            what = f"{name}, {epoch}: sentence-transformers / here, {pairs} interleaved pairs"
            yield Row.at_least(what, ratio, "×", 1.1)


def assert_same_gradients(task: Task, batch: int) -> None:
    """Compare loss and gradients of the first batch with those of sentence-transformers on the same texts.

    Raises:
        AssertionError: When they differ.
    """
    run = assembled(task, batch)
    model = model_of(task, run.method.encoder)
    first = next(iter(run.feed.epoch(0)))
    queries, documents = texts_of_batch(run, first, task)
    theirs = gradients(loss_of(model), queries, documents)
    result = run.step(first, 0)
    ours = float(result.loss.loss.detach())
    assert abs(ours - theirs) <= 1e-4 * max(1.0, abs(theirs)), f"the loss is {ours} here and {theirs} there"
    here, there = _gradients(run.method.encoder), _gradients(model)
    shared = sorted({value.shape for value in here.values()}, key=str)
    for shape in shared:
        a, b = (sum(float(value.square().sum()) for value in one.values() if value.shape == shape)
                for one in (here, there))  # fmt: skip
        assert abs(a - b) <= 1e-3 * max(a, b) + 1e-12, f"gradients of shape {tuple(shape)} differ: {a} and {b}"


def _gradients(module: Any) -> Mapping[str, Tensor]:
    found = {name: one.grad for name, one in module.named_parameters() if one.grad is not None}
    return {name: one.to_dense() if one.is_sparse else one for name, one in found.items()}


def texts_of_batch(run: Assembled, batch: Any, task: Task) -> tuple[list[str], list[str]]:
    """The queries of a batch and their documents."""
    rows = batch.index.reshape(2, -1).T  # those of the first seat, then those of the second
    arrays = task.store.of(task.table)
    queries, documents = ([arrays[int(row)].tobytes().decode() for row in rows[:, seat].tolist()] for seat in range(2))
    return queries, documents
