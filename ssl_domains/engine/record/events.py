"""Events of the training loop, for progress bars, logs and tests. The loop itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "Estimated",
    "Event",
    "Finished",
    "Listener",
    "Measured",
    "Refreshed",
    "Saved",
    "Started",
    "Stepped",
    "Stopped",
    "Warned",
]


@dataclass(frozen=True)
class Started:
    """Training starts: the first step follows.

    Attributes:
        samples: Number of training samples.
        steps_per_epoch: Steps of one epoch.
        total_steps: Steps of the whole run.
        step: Steps already done; above 0 when a run is resumed.
        parameters: Number of trained parameters.
        device: Device of the training.
        precision: ``"float32"`` or ``"bfloat16"``.
        composition: How batches are composed, and why.
        fitted: What the preprocess was fitted to, in lines: one clip for each survey, for instance.
    """

    samples: int
    steps_per_epoch: int
    total_steps: int
    step: int
    parameters: int
    device: str
    precision: str
    composition: str
    fitted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimated:
    """The first steps were timed: how long the rest of the run will take.

    Attributes:
        steps: Steps that remain.
        seconds_per_step: Mean over the timed steps.
        seconds: Estimate for the steps that remain, without measurements and checkpoints.
        peak_memory_bytes: Peak memory of this process so far: on a GPU what torch allocated there.
    """

    steps: int
    seconds_per_step: float
    seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class Stepped:
    """One step is done.

    Attributes:
        step: Steps done.
        total_steps: Steps of the whole run.
        epoch: Epoch of this step, from 0.
        images_per_s: Samples per second since the last measurement; a sample counts once, not once for each view.
        data_wait: Share of that time spent waiting for data.
        loss: The last measured loss; None before the first measurement.
    """

    step: int
    total_steps: int
    epoch: int
    images_per_s: float
    data_wait: float
    loss: float | None


@dataclass(frozen=True)
class Measured:
    """A measurement was made: the values of a line of ``metrics.jsonl``."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class Warned:
    """A warning of one line; the run goes on."""

    text: str


@dataclass(frozen=True)
class Refreshed:
    """The method has computed its columns and edge tables of all training rows again.

    Attributes:
        epoch: Epoch for which they are, from 0.
        names: Names of the columns and edge tables.
        seconds: Time that it took, with the check of the new pairs.
        share: That of all of them so far, as a share of the time since training started or was resumed.
    """

    epoch: int
    names: tuple[str, ...]
    seconds: float
    share: float


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written."""

    path: Path
    step: int


@dataclass(frozen=True)
class Finished:
    """The run is complete.

    Attributes:
        step: Steps done.
        seconds: Wall-clock seconds since `Started`.
    """

    step: int
    seconds: float


@dataclass(frozen=True)
class Stopped:
    """The run ends before it is complete, because of an error or Ctrl-C."""

    step: int


Event = Started | Estimated | Stepped | Measured | Warned | Refreshed | Saved | Finished | Stopped
Listener = Callable[[Event], None]
