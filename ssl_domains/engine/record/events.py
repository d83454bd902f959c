"""What the training loop tells whoever listens: a progress bar, a log, a test. The loop itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Event", "Finished", "Listener", "Measured", "Refreshed", "Saved", "Started", "Stepped", "Stopped", "Warned"]


@dataclass(frozen=True)
class Started:
    """Training is about to take its first step.

    Attributes:
        samples: Training samples.
        steps_per_epoch: Steps of one epoch.
        total_steps: Steps of the whole run.
        step: Steps already done; above 0 when a run is resumed.
        parameters: Trained parameters.
        device: Where it runs.
        precision: ``"float32"`` or ``"bfloat16"``.
        composition: How batches are composed, and why.
    """

    samples: int
    steps_per_epoch: int
    total_steps: int
    step: int
    parameters: int
    device: str
    precision: str
    composition: str


@dataclass(frozen=True)
class Stepped:
    """One step is done.

    Attributes:
        step: Steps done.
        total_steps: Steps of the whole run.
        epoch: The epoch it belonged to, from 0.
        images_per_s: Samples a second since the last measurement, each counted once however many views it has.
        data_wait: Share of that time spent waiting for data.
        loss: The last loss that was measured; None before the first.
    """

    step: int
    total_steps: int
    epoch: int
    images_per_s: float
    data_wait: float
    loss: float | None


@dataclass(frozen=True)
class Measured:
    """A line of ``metrics.jsonl``."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class Warned:
    """Something a user should know while the run goes on; one line."""

    text: str


@dataclass(frozen=True)
class Refreshed:
    """What the method computes of all training rows is computed anew.

    Attributes:
        epoch: The epoch that it is for, from 0.
        names: Of the columns and edge tables.
    """

    epoch: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Saved:
    """A checkpoint is on the disk."""

    path: Path
    step: int


@dataclass(frozen=True)
class Finished:
    """The run is complete.

    Attributes:
        step: Steps done.
        seconds: Time since `Started`.
    """

    step: int
    seconds: float


@dataclass(frozen=True)
class Stopped:
    """The run ends before it is complete: an error follows, or Ctrl-C."""

    step: int


Event = Started | Stepped | Measured | Warned | Refreshed | Saved | Finished | Stopped
Listener = Callable[[Event], None]
