"""``finetune --dry-run``: a few steps of a fine-tuning and of scratch, to estimate the time of a whole comparison."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ssl_domains.engine import Rehearsal
from ssl_domains.engine.processes.distributed import launched_processes
from ssl_domains.finetuning.comparison import Comparison
from ssl_domains.finetuning.report import EQUAL_STEPS, FINE_TUNED
from ssl_domains.finetuning.training import rehearse_finetuning

__all__ = ["Rehearsed", "rehearse_comparison"]


@dataclass(frozen=True)
class Rehearsed:
    """A dry run of a comparison.

    Attributes:
        trainings: Number of trainings.
        steps: Steps of all trainings.
        estimated_seconds: Estimate for all trainings, without frozen probes, scoring and checkpoints.
        fine_tuned: The dry run of the fine-tuning on the largest fraction.
        scratch: The dry run of training from scratch on it; None without scratch.
    """

    trainings: int
    steps: int
    estimated_seconds: float
    fine_tuned: Rehearsal
    scratch: Rehearsal | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "peak_memory_bytes": self.peak_memory_bytes}

    def summary(self) -> dict[str, Any]:
        """The measurements of both in one row of values each, for a table."""
        values: dict[str, Any] = {
            "trainings": self.trainings,
            "steps of all": self.steps,
            "estimated seconds": self.estimated_seconds,
            "peak memory, GB": self.peak_memory_bytes / 1e9,
            "device": self.fine_tuned.device,
            "fine-tuned: trained parameters": self.fine_tuned.parameters,
            "fine-tuned: seconds a step": self.fine_tuned.seconds_per_step,
            "fine-tuned: loss of the first step": self.fine_tuned.loss,
        }
        if self.scratch is not None:
            values["scratch: seconds a step"] = self.scratch.seconds_per_step
            values["scratch: loss of the first step"] = self.scratch.loss
        return values

    @property
    def peak_memory_bytes(self) -> int:
        """Peak memory of this process, in bytes: the larger of the two peaks."""
        return max(one.peak_memory_bytes for one in (self.fine_tuned, self.scratch) if one is not None)


def rehearse_comparison(comparison: Comparison) -> Rehearsed:
    """Run the first steps of a fine-tuning, and of a training from scratch, to estimate the time of all trainings.

    Raises:
        UsageError: In the cases of `compare`, except for those of its folder.
        DataError: In the cases of `compare`.
        ResourceError: When memory runs out.
    """
    plan = comparison.plan(launched_processes())
    comparison.require_trainable(plan)
    draw = max(comparison.compared, key=lambda one: one.labels.asked)
    tuned = plan.training(FINE_TUNED, draw)
    fine_tuned = rehearse_finetuning(tuned.config, plan.parts(tuned))
    scratch = None
    if comparison.scratch:
        control = plan.training(EQUAL_STEPS, draw)
        scratch = rehearse_finetuning(control.config, plan.parts(control))
    trainings = comparison.trainings(plan)
    seconds = sum(
        one.steps * (scratch if one.scratch and scratch is not None else fine_tuned).seconds_per_step
        for one in trainings
    )
    return Rehearsed(len(trainings), sum(one.steps for one in trainings), seconds, fine_tuned, scratch)
