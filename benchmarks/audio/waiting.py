"""How long a training step waits for clips, each of which is read for the first time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.audio.step import Clips, parts_of
from benchmarks.result import Row
from benchmarks.waiting import Waited, share_of_waiting, shares_of_waiting
from ssl_domains.engine import Parts

__all__ = ["waiting_rows"]


def waiting_rows(folder: Path, clips: Clips, threads: int, repeats: int) -> Iterator[Row]:
    """The share of waiting of an epoch without workers, and with two, spawned and forked; none has a target.

    Args:
        folder: Where files are written.
        clips: What is trained on.
        threads: Of torch.
        repeats: Trainings of each kind.
    """
    train = partial(_train, clips, threads)
    for row, _ in shares_of_waiting(folder, "clips", train, repeats, None):
        yield row


def _train(clips: Clips, threads: int, out: str, method: str, workers: int) -> Waited:
    def parts() -> Parts:
        return parts_of(Path(out), clips)

    steps = clips.count // clips.batch
    values: dict[str, Any] = {
        "encoder.name": "small_conv", "train.batch_size": clips.batch, "train.device": "cpu", "train.epochs": 1,
        "train.max_steps": steps, "data.workers": workers, "data.cache_gb": 0.0, "health.every_steps": steps,
    }  # fmt: skip
    return share_of_waiting(Path(out), method, threads, parts, [f"{k}={v}" for k, v in values.items()], steps)
