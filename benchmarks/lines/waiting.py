"""How long a training step waits for lines, each of which is read for the first time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.lines.step import Strips, parts_of
from benchmarks.result import Row
from benchmarks.waiting import Waited, share_of_waiting, shares_of_waiting
from ssl_domains.engine import Parts
from ssl_domains.methods.seqclr import SeqCLR
from ssl_domains.pairs import Composition, parse

__all__ = ["waiting_rows"]


def waiting_rows(folder: Path, strips: Strips, threads: int, repeats: int) -> Iterator[Row]:
    """The share of waiting of an epoch of SeqCLR without workers, and with two, spawned and forked.

    Args:
        folder: Where files are written.
        strips: What is trained on.
        threads: Of torch.
        repeats: Trainings of each kind.
    """
    for row, _ in shares_of_waiting(folder, "strips", partial(_train, strips, threads), repeats, None):
        yield row


def _train(strips: Strips, threads: int, out: str, method: str, workers: int) -> Waited:
    Path(out).mkdir(parents=True, exist_ok=True)
    steps = strips.count // strips.batch
    values: dict[str, Any] = {
        "encoder.name": "small_crnn", "train.batch_size": strips.batch, "train.device": "cpu", "train.epochs": 1,
        "train.max_steps": steps, "data.workers": workers, "data.cache_gb": 0.0, "health.every_steps": steps,
        "method.name": "seqclr",
    }  # fmt: skip
    settings = [f"{name}={value}" for name, value in values.items()]
    return share_of_waiting(Path(out), method, threads, partial(_parts, Path(out), strips), settings, steps)


def _parts(folder: Path, strips: Strips) -> Parts:
    """SeqCLR on strips of digits."""
    given = parts_of(folder, strips)
    views: Any = given.recipe
    return Parts(
        given.table, given.store, parse("none"), Composition("random"), replace(views, views=2), None, SeqCLR,
        preprocess=given.preprocess,
    )  # fmt: skip
