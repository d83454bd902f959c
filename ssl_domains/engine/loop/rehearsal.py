"""``pretrain --dry-run``: run a few steps to measure memory and time before the real training."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import torch

from ssl_domains.engine.loop.assembly import Assembled, assemble
from ssl_domains.engine.loop.estimate import TIMED_STEPS, peak_memory
from ssl_domains.engine.loop.parts import Parts
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.engine.processes.allocation import freed_memory_kept
from ssl_domains.engine.processes.determinism import same_bits
from ssl_domains.engine.processes.distributed import processes
from ssl_domains.engine.processes.exhaustion import exhaustion_as_resource_error
from ssl_domains.engine.processes.generators import seeded
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.engine.record.config import RunConfig
from ssl_domains.errors import DataError

__all__ = ["Rehearsal", "rehearse"]


@dataclass(frozen=True)
class Rehearsal:
    """The measurements of a dry run.

    Attributes:
        samples: Number of training samples.
        steps_per_epoch: Steps of an epoch.
        total_steps: Steps of the whole run.
        parameters: Number of trained parameters.
        device: Device of the training.
        precision: Precision of the encoder.
        composition: How batches are composed, and why.
        loss: Loss of the first step.
        seconds_per_step: Median over the steps after the first; of the first when an epoch has only one step.
        estimated_seconds: Estimate for the whole run, without measurements and checkpoints.
        images_per_s: Samples per second; a sample counts once, not once for each view.
        peak_memory_bytes: Peak memory of this process. On a GPU, the memory that torch allocated there; on a CPU, the
            memory of the whole process, decoded canvases and libraries included.
    """

    samples: int
    steps_per_epoch: int
    total_steps: int
    parameters: int
    device: str
    precision: str
    composition: str
    loss: float
    seconds_per_step: float
    estimated_seconds: float
    images_per_s: float
    peak_memory_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def rehearse(config: RunConfig, parts: Parts) -> Rehearsal:
    """Run the first steps that `pretrain` would run with the same arguments, without writing anything.

    Raises:
        UsageError: In the cases of `pretrain`.
        DataError: When the loss is not a finite number.
        ResourceError: When memory runs out.
    """
    with processes() as world, exhaustion_as_resource_error():
        with world.together():
            config = resolve_config(config, parts)
            device = resolve_device(config.train.device)
        with seeded(config.train.seed), same_bits(device):
            assembled = assemble(config, parts, world)
            with freed_memory_kept(device):
                return _take_steps(assembled)


def _take_steps(assembled: Assembled) -> Rehearsal:
    if assembled.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(assembled.device)
    times: list[float] = []
    losses: list[float] = []
    before = time.perf_counter()
    world = assembled.step.world
    for step, batch in enumerate(islice(assembled.feed.epoch(0), 1 + TIMED_STEPS)):
        # Reading the loss waits for the device, so that the time is that of the whole step.
        with world.step():
            losses.append(float(world.total(assembled.step(batch, step).loss.loss.detach())))
        now = time.perf_counter()
        times.append(now - before)
        before = now
    if not all(loss == loss and abs(loss) != float("inf") for loss in losses):
        raise DataError("the loss is not a finite number", "look for NaN or infinite values in the data")
    timed = sorted(times[1:] or times)
    seconds = timed[len(timed) // 2]
    return Rehearsal(
        samples=len(assembled.plan.table),
        steps_per_epoch=assembled.steps_per_epoch,
        total_steps=assembled.total_steps,
        parameters=assembled.parameters,
        device=str(assembled.device),
        precision=assembled.step.precision,
        composition=assembled.composition,
        loss=losses[0],
        seconds_per_step=seconds,
        estimated_seconds=seconds * assembled.total_steps,
        images_per_s=assembled.config.train.batch_size / max(seconds, 1e-9),
        peak_memory_bytes=peak_memory(assembled.device),
    )
