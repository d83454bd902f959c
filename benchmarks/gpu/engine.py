"""The engine on the device: images per second of `pretrain` and the share of time it waits for data."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from benchmarks.gpu.budget import Budget
from benchmarks.result import Result, Row
from benchmarks.timing import spread
from ssl_domains.engine import Parts, load_config, pretrain
from ssl_domains.engine.record.events import Event, Stepped
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, same
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Blur, ColorJitter, HorizontalFlip, RandomResizedCrop, Scaling, ViewRecipe

__all__ = ["Sizes", "run"]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        encoders: timm names.
        side: Side of the pictures and views in pixels.
        pictures: Samples in the store.
        batch: Samples in a step, two views each.
        window: Steps over which one speed is taken.
        windows: Largest number of timed windows.
        workers: Processes that read batches; None for two less than the CPUs, eight at most.
    """

    encoders: tuple[str, ...] = ("resnet18", "resnet50")
    side: int = 224
    pictures: int = 4096
    batch: int = 128
    window: int = 8
    windows: int = 8
    workers: int | None = None

    @property
    def read_by(self) -> int:
        """Number of worker processes."""
        return min(8, max(1, (os.cpu_count() or 1) - 2)) if self.workers is None else self.workers


class ArrayReader:
    """Reads pictures from ``.npy`` files."""

    version = "1"

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """uint8 ``[H, W, 3]``."""
        return np.asarray(np.load(row["path"]))

    def scan(self, source: Path, **options: Any) -> Any:
        """Not needed: `_generate` makes the table."""
        raise TypeError("the table is made together with the pictures")


class _Enough(Exception):
    """Ends a training when its time is over."""


def run(device: torch.device, budget: Budget, sizes: Sizes, machine: dict[str, Any]) -> Result:
    """Train each encoder for some windows of steps; the first window is not counted."""
    started = time.perf_counter()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        table, store = _generate(Path(scratch), sizes)
        for number, encoder in enumerate(sizes.encoders):
            share = budget.left / (len(sizes.encoders) - number)
            if budget.allows(f"engine, {encoder}", 2):
                rows += _train(device, budget, sizes, encoder, share, Parts(
                    table, store, same("class"), Composition("random"), _recipe(sizes.side), Scaling(), SimCLR
                ), Path(scratch) / encoder)  # fmt: skip
    return Result(
        "gpu_engine",
        f"The engine's training at {sizes.side} px",
        ("the loss of every measured window is a finite number",),
        tuple(rows),
        (
            f"`pretrain` with SimCLR and same('class'), {sizes.batch} samples a step in two views, the engine's default"
            f" precision, {sizes.read_by} worker processes, nothing cached: each step reads the store.",
            f"A speed is taken over {sizes.window} steps, its measurement of health included; the first"
            f" {sizes.window} steps are not counted. A sample counts once, not once for each view.",
        ),
        time.perf_counter() - started,
        machine,
    )


def _generate(folder: Path, sizes: Sizes) -> tuple[SampleTable, ArrayStore]:
    """A table whose samples share a few files, as decoding is not what is measured; the store copies each of them."""
    draws = np.random.default_rng(0)
    paths = [folder / f"{number}.npy" for number in range(min(64, sizes.pictures))]
    for path in paths:
        coarse = draws.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        np.save(path, np.kron(coarse, np.ones((sizes.side // 8, sizes.side // 8, 1), np.uint8)))
    rows = [(str(number), str(paths[number % len(paths)]), number % 10) for number in range(sizes.pictures)]
    table = SampleTable(pl.DataFrame(rows, schema=["sample", "path", "class"], orient="row"))
    return table, ArrayStore.fill(folder / "store", table, ArrayReader())


def _recipe(side: int) -> ViewRecipe:
    why = "as in SimCLR (Chen et al. 2020)"
    return ViewRecipe(
        (
            RandomResizedCrop((0.08, 1.0), (3 / 4, 4 / 3), reason=why),
            HorizontalFlip(0.5, reason=why),
            ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8, grey=0.2, reason=why),
            Blur((0.1, 2.0), p=0.5, reason=why),
        ),
        side,
    )


def _train(
    device: torch.device, budget: Budget, sizes: Sizes, encoder: str, seconds: float, parts: Parts, out: Path
) -> list[Row]:
    config = load_config(
        sets=[
            f"encoder.name={encoder}", f"views.size={sizes.side}", f"train.batch_size={sizes.batch}",
            f"train.device={device.type}", "train.epochs=1000", "pairs.composition=random", "data.cache_gb=0",
            f"train.max_steps={sizes.window * (sizes.windows + 1)}", f"data.workers={sizes.read_by}",
            f"health.every_steps={sizes.window}", "train.checkpoint_every_steps=1000000",
        ]
    )  # fmt: skip
    measured: list[Stepped] = []
    end = time.perf_counter() + seconds

    def listen(event: Event) -> None:
        if isinstance(event, Stepped) and event.step % sizes.window == 0 and event.step > sizes.window:
            measured.append(event)
        if time.perf_counter() > end:
            raise _Enough

    try:
        pretrain(config, parts, out, on_event=listen)
    except _Enough:
        wanted = f"{sizes.windows - len(measured)} of {sizes.windows} windows of the engine with {encoder}"
        budget.leave_out(wanted, f"{seconds:.0f} s were over")
    except Exception as error:  # the other encoders still say something
        budget.fail(f"engine, {encoder}", error)
    if not measured:
        return []
    assert all(event.loss is not None and np.isfinite(event.loss) for event in measured)
    return [
        Row.of(f"{encoder}: samples a second", spread([event.images_per_s for event in measured]), "/s"),
        Row.of(f"{encoder}: share of the time spent waiting for data", spread([e.data_wait for e in measured]), ""),
    ]
