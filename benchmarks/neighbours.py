"""k-NN after equal epochs of `pretrain` and of lightly's documented SimCLR loop, paired by seed."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.labelled_pictures import LabelledPictures, knn_accuracy, t_interval
from benchmarks.pictures import given_or_made_up, store_of, table_of
from benchmarks.result import Result, Row, machine
from benchmarks.simclr import assert_losses_agree, lightly_loop, ours, task_of
from benchmarks.timing import spread
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["Sizes", "run"]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        made_up: Training pictures where none are given.
        batch: Pictures in a batch.
        side: Side of pictures and views.
        epochs: Of each training.
        seeds: Paired trainings.
        threads: Of torch, and workers of lightly's loader.
    """

    made_up: int = 2048
    batch: int = 256
    side: int = 32
    epochs: int = 5
    seeds: int = 5
    threads: int = 2


def run(sizes: Sizes | None = None, pictures: Path | None = None) -> Result:
    """Train both on the same pictures with the same first weights, and ask the test pictures' neighbours.

    Args:
        sizes: How much.
        pictures: Folder (or zip) of ``train/CLASS/`` and ``test/CLASS/``, 32 × 32; without one the pictures are made
            up, and the k-NN says nothing about real ones.
    """
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with torch_threads(sizes.threads):
        agreed = assert_losses_agree()
        with tempfile.TemporaryDirectory() as scratch:
            folder = given_or_made_up(pictures, Path(scratch), sizes.made_up, sizes.side)
            rows = _neighbours(sizes, folder, Path(scratch) / "knn")
    return Result(
        "neighbours",
        "k-NN after equal epochs, SimCLR",
        (agreed,),
        tuple(rows),
        (
            "lightly: its LightlyDataset, SimCLRTransform, DataLoader and NTXentLoss as its example has them.",
            "Encoder, first weights, head widths, temperature, AdamW and its schedule are the same in both.",
            "Pictures: " + ("made up" if pictures is None else "the given folder") + "; 20 neighbours by cosine.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ["lightly", "timm", "torchvision"]),
    )


def _neighbours(sizes: Sizes, folder: Path, scratch: Path) -> list[Row]:
    task = task_of(folder / "train", scratch, "small_conv", sizes.side, sizes.batch, sizes.threads)
    test = table_of(folder / "test")
    known = LabelledPictures.of(task.table, task.store, task.size)
    asked = LabelledPictures.of(test, store_of(test, scratch / "test_store"), task.size)
    found: dict[str, list[float]] = {"ssl-domains": [], "lightly": []}
    for seed in range(sizes.seeds):
        for name, arm in (("ssl-domains", ours), ("lightly", lightly_loop)):
            encoder = arm(task, sizes.epochs, seed)[1]
            found[name].append(knn_accuracy(encoder, known, asked, imagenet=name == "lightly"))
    difference = np.subtract(found["ssl-domains"], found["lightly"])
    low, high = t_interval(difference)
    what = f"k-NN after {sizes.epochs} epochs of {len(task.table)} pictures"
    rows = [Row.of(f"{name}: {what}", spread(values), "%") for name, values in found.items()]
    gap = Row(
        f"ssl-domains − lightly: {what}, {sizes.seeds} paired seeds, mean",
        float(difference.mean()), "points", low, high, "lower end of 90 % ≥ −1", bool(low >= -1),
    )  # fmt: skip
    return [*rows, gap]
