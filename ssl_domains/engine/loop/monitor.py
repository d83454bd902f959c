"""Measure a run every few steps: sums are kept on the device at every step and read together at a measurement.

A measurement has these keys:

- ``step``; ``epoch``, the number of epochs done, with a fraction; ``lr``; ``temperature``;
- over the steps since the previous measurement: ``images_per_s`` (samples, not views), ``data_wait`` (share of the
  time), the mean ``loss`` and, by the text of each relation, the means ``per_relation`` and ``no_cross_positive``
  (without entries where the loss doesn't give them); ``counts``, the mean of each count of the loss by its name, and of
  the rows with each flag of the views, if there are any;
- of the newest batch: ``std``, ``effective_rank``, ``alignment`` (with partners: distance of a sample to its partner)
  and ``uniformity``;
- with ``health.label``: ``knn``, the balanced accuracy of `ssl_domains.engine.loop.online_knn`; ``knn_bank``, the rows
  among which neighbours are searched; and ``knn_classes``, the number of classes that take part;
- ``warning``, when the embedding collapses.

The first measurement in which views have a flag, such as silent ones, gives a warning.

With several processes, values are over the rows of all processes.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ssl_domains.engine.loop.health import collapse_warning, measure, measured_rows
from ssl_domains.engine.loop.online_knn import OnlineLabels, knn_balanced_accuracy
from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.record.events import Listener, Measured, Stepped, Warned
from ssl_domains.engine.record.trackers import Tracker
from ssl_domains.engine.step.feed import Batch
from ssl_domains.engine.step.step import StepResult
from ssl_domains.errors import DataError

__all__ = ["Monitor", "steps_between_measurements"]

# Rows of the newest batches among which the online k-NN searches neighbours.
_BANK = 2048

# Rows of the newest batches that the online k-NN classifies, or a few more.
_CLASSIFIED = 512

_MEASUREMENTS = 25


class Monitor:
    """Measures the loss, the speed and the health of the embedding after the steps of a run.

    Args:
        every: Steps between measurements; the first and the last step are always measured.
        total_steps: Steps of the run.
        steps_per_epoch: Steps of an epoch.
        names: Text of each relation of the loss; empty when the loss reads no pairs.
        labels: Classes and groups of the training rows for the online k-NN; None without k-NN.
        neighbours: k of the online k-NN.
        temperature: Returns τ; called only at measurements, because reading a learned τ waits for the device.
        trackers: Trackers that write the measurements.
        emit: Receives the events.
        world: The processes of the run; all of them measure at the same steps.
        unit_z: Whether ``z`` has length 1. If not, collapse is measured on the pooled features.
        collapse: Whether a collapse is warned of.
    """

    def __init__(
        self,
        *,
        every: int,
        total_steps: int,
        steps_per_epoch: int,
        names: Sequence[str],
        labels: OnlineLabels | None,
        neighbours: int,
        temperature: Callable[[], float],
        trackers: Sequence[Tracker],
        emit: Listener,
        world: World | None = None,
        unit_z: bool = True,
        collapse: bool = True,
    ) -> None:
        self.unit_z = unit_z
        self.collapse = collapse
        self.every = every
        self.total_steps = total_steps
        self.steps_per_epoch = steps_per_epoch
        self.names = tuple(names)
        self.labels = labels
        self.neighbours = neighbours
        self.temperature = temperature
        self.trackers = trackers
        self.emit = emit
        self.world = World() if world is None else world
        self.loss: float | None = None
        self._bank: deque[tuple[Tensor, Tensor]] = deque()
        self._warned = False
        self._flagged: set[str] = set()
        self._sums: Tensor | None = None
        self._steps = 0
        self._images = 0
        self._waited = 0.0
        self._since = time.perf_counter()

    def after(self, step: int, batch: Batch, result: StepResult, lr: float) -> None:
        """Add the result of a step to the sums, and measure when it is time.

        Args:
            step: Number of steps done, this one included.
            batch: The batch of the step.
            result: The result of the step.
            lr: The learning rate of the step.

        Raises:
            DataError: When a measured loss is not finite.
        """
        loss = result.loss
        counts = [value.detach().reshape(1) for value in loss.counts.values()]
        parts = [loss.loss.detach().reshape(1), loss.per_relation, loss.no_cross_positive, *counts]
        sums = torch.cat([part.to(loss.loss.device, torch.float64) for part in parts])
        self._sums = sums if self._sums is None else self._sums.to(sums.device) + sums
        self._steps += 1
        self._images += batch.whole.shape[1]
        self._waited += batch.waited
        due = step % self.every == 0 or step in (1, self.total_steps)
        values = self._measure(step, result, lr) if due else None
        self._remember(result)
        elapsed = max(time.perf_counter() - self._since, 1e-9)
        epoch = (step - 1) // self.steps_per_epoch
        speed, wait = self._images / elapsed, min(1.0, self._waited / elapsed)
        self.emit(Stepped(step, self.total_steps, epoch, speed, wait, self.loss))
        if values is not None:
            self._warn_of_flags(values, result)
            self._publish({**values, "images_per_s": speed, "data_wait": wait})

    def require_finite(self, step: int) -> None:
        """Check the losses since the last measurement, so that broken weights are not saved. Waits for the device.

        Raises:
            DataError: When a loss is NaN or infinite.
        """
        # Summed over processes first, so that all processes raise together.
        if self._sums is not None and not math.isfinite(float(self.world.total(self._sums[:1]))):
            raise _not_finite(step)

    def state_dict(self) -> dict[str, Any]:
        """The steps since the last measurement and their sums in each process, for a checkpoint."""
        sums = None if self._sums is None else self._sums.cpu()
        return {"steps": self._steps, "sums": self.world.collect(sums)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict`, so that the next measurement is over the same steps as without an interruption.

        Sums of another number of processes are left out: the next measurement is then over fewer steps.
        """
        if len(state["sums"]) == self.world.size:
            self._steps, self._sums = int(state["steps"]), state["sums"][self.world.rank]

    def _measure(self, step: int, result: StepResult, lr: float) -> dict[str, Any]:
        assert self._sums is not None
        z = result.out.whole()
        measures = measure(z, result.rows) if self.unit_z else measure(z, result.rows, self._pooled(result))
        if self.labels is not None:
            measures["knn"], measures["knn_classes"] = self._knn(result, self.labels)
        # One transfer for all values: the only place where training waits for the device.
        loss, sums = result.loss, self.world.total(self._sums) / self._steps
        lengths = [1, len(loss.per_relation), len(loss.no_cross_positive), len(loss.counts), len(measures)]
        shares = slice(sum(lengths[:2]), sum(lengths[:3]))
        sums[shares] /= self.world.size  # a mean of shares over equally many rows; losses and counts are parts of a sum
        numbers = torch.cat([sums, *(value.double().reshape(1) for value in measures.values())])
        (self.loss,), per_relation, no_cross_positive, counts, measured = (
            part.tolist() for part in torch.split(numbers, lengths)
        )
        if not math.isfinite(self.loss):
            raise _not_finite(step)
        values: dict[str, Any] = {
            "step": step,
            "epoch": step / self.steps_per_epoch,
            "loss": self.loss,
            "per_relation": dict(zip(self.names, per_relation, strict=False)),
            "no_cross_positive": dict(zip(self.names, no_cross_positive, strict=False)),
            "lr": lr,
            "temperature": self.temperature(),
        }
        if loss.counts:
            values["counts"] = dict(zip(loss.counts, counts, strict=True))
        values |= dict(zip(measures, measured, strict=True))
        if self.labels is not None:
            values["knn_bank"] = self.world.size * self._remembered()
            values["knn_classes"] = int(values["knn_classes"])
        if not self.collapse:
            return values
        dimensions = z.shape[1] if self.unit_z else result.out.pooled.shape[1]
        warning = collapse_warning(values["std"], values["effective_rank"], dimensions, measured_rows(result.rows))
        return {**values, "warning": warning} if warning else values

    def _pooled(self, result: StepResult) -> Tensor:
        return self.world.everywhere(result.out.pooled.detach())

    def _warn_of_flags(self, values: Mapping[str, Any], result: StepResult) -> None:
        """Warn of each flag of the views when it first occurs."""
        for name, of_process in result.flags.items():
            number, views = values["counts"][name], self.world.size * of_process
            if number > 0 and name not in self._flagged:
                self._flagged.add(name)
                self.emit(Warned(f"step {values['step']}: {number:.3g} of {views} views in a step are {name}"))

    def _publish(self, values: dict[str, Any]) -> None:
        for tracker in self.trackers:
            tracker.log(values)
        self.emit(Measured(values))
        warning = values.get("warning", "")
        if warning and not self._warned:
            self.emit(Warned(f"step {values['step']}: {warning}"))
        self._warned = bool(warning)
        self._sums, self._steps, self._images, self._waited = None, 0, 0, 0.0
        self._since = time.perf_counter()

    def _remember(self, result: StepResult) -> None:
        if self.labels is None:
            return
        # One view of each sample. The bank holds earlier batches, so that nearly all neighbours are other samples.
        self._bank.append((_one_view(result), result.samples.to(result.out.z.device)))
        while len(self._bank) > 1 and self.world.size * self._remembered() > _BANK:
            self._bank.popleft()

    def _remembered(self) -> int:
        return sum(len(samples) for _, samples in self._bank)

    def _knn(self, result: StepResult, labels: OnlineLabels) -> tuple[Tensor, Tensor]:
        newest = (_one_view(result), result.samples.to(result.out.z.device))
        device = newest[0].device
        if not self._bank:
            return torch.tensor(float("nan"), device=device), torch.tensor(0, device=device)
        # The newest rows are classified, more than one batch of them: a share of 64 rows would jump by .06.
        classified = [newest]
        for kept in reversed(self._bank):
            if self.world.size * sum(len(samples) for _, samples in classified) >= _CLASSIFIED:
                break
            classified.append(kept)
        features, samples = self._everywhere(classified)
        bank, bank_samples = self._everywhere(self._bank)
        classes, groups = labels.classes.to(device), labels.groups.to(device)
        return knn_balanced_accuracy(
            features, classes[samples], groups[samples],
            bank, classes[bank_samples], groups[bank_samples], self.neighbours, labels.number,
        )  # fmt: skip

    def _everywhere(self, batches: Collection[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Features and samples of all processes, in the order that they have in one process: batch by batch."""
        features, samples = (self.world.everywhere(torch.cat(list(parts))) for parts in zip(*batches, strict=True))
        sizes = [len(kept) for _, kept in batches]
        if self.world.size > 1:
            place = torch.arange(self.world.size * sum(sizes), device=samples.device).view(self.world.size, -1)
            order = torch.cat([batch.reshape(-1) for batch in torch.split(place, sizes, dim=1)])
            features, samples = features[order], samples[order]
        return features, samples


def steps_between_measurements(total_steps: int) -> int:
    """The interval with which a run of ``total_steps`` steps is measured 20 to 50 times, or at each of fewer steps.

    The first and the last step, which are always measured, are among the 20 to 50.
    """
    return max(1, total_steps // _MEASUREMENTS)


def _one_view(result: StepResult) -> Tensor:
    return result.out.pooled.detach()


def _not_finite(step: int) -> DataError:
    message = f"the loss is not a finite number by step {step}"
    return DataError(message, "lower train.lr or set train.clip_norm; look for NaN or infinite values in the data")
