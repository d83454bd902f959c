"""Loads batches in worker processes and moves them to the training device, from any step of any epoch on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ssl_domains.engine.processes.workers import GuardedDataset, loaded, settle_worker
from ssl_domains.inputs import Input, View
from ssl_domains.pairs import BatchSampler

__all__ = ["Batch", "Feed"]


@dataclass(frozen=True)
class Batch:
    """One process's part of a batch: the samples of the first seat of its slots, then those of the next seat.

    A slot has a seat for its sample, one for the partner where batches are composed of partners, and one for each drawn
    negative.

    Attributes:
        input: The samples ``[S · b, …]``, on the training device; pictures are float32 in [0, 1]. None where each view
            has a crop of its own.
        index: int64 ``[S · b]`` positions in the training table, on the CPU.
        columns: float64 ``[S · b]`` by name, numeric columns that view steps read, on the training device.
        waited: Seconds that the training process waited for the batch.
        planned: int64 ``[S, slots]`` on the CPU, positions of the samples of the whole batch, of all processes. None if
            there is one process and one seat, so that ``index`` has them all.
        beside: Further inputs of the same samples, which get the same geometric changes.
        negatives: Number of seats, at the end, that are drawn negatives.
        crops: The crop of each view ``[b, …]``, with the numbers that it emits; view ``v`` shows seat ``v mod S``.
            Empty where ``input`` has whole samples.
    """

    input: Input | None
    index: Tensor
    columns: dict[str, Tensor]
    waited: float
    planned: Tensor | None = None
    beside: tuple[Input, ...] = ()
    negatives: int = 0
    crops: tuple[View, ...] = ()

    @property
    def whole(self) -> Tensor:
        """int64 ``[S, slots]``, the batch of all processes; see ``planned``."""
        return self.index[None] if self.planned is None else self.planned

    @property
    def samples(self) -> Tensor:
        """int64 ``[b]``, the positions of the samples in the first seat of this process's slots."""
        return self.index[: len(self.index) // len(self.whole)]


class Feed:
    """Loads the batches that a sampler plans, and moves them to the training device.

    Args:
        dataset: Its ``__getitems__(ask)`` gives a dictionary as that of `InputDataset`.
        sampler: Plans the batches.
        columns: float64 ``[n]`` by name: numeric columns of the table that view steps read.
        device: Training device.
        workers: Number of worker processes; 0 reads in this process.
        channels_last: Memory layout of pictures.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        sampler: BatchSampler,
        columns: dict[str, NDArray[np.float64]],
        device: torch.device,
        workers: int,
        channels_last: bool,
    ) -> None:
        self.sampler = sampler
        self.columns = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in columns.items()}
        self.device = device
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.loader: DataLoader[Any] = DataLoader(
            GuardedDataset(dataset),
            batch_sampler=sampler,
            collate_fn=_as_it_is,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=2 if workers else None,
            pin_memory=device.type == "cuda",
            worker_init_fn=settle_worker,
            # A separate generator: the loader draws a base seed, by default from the generator that dropout uses.
            generator=torch.Generator(),
        )

    def epoch(self, epoch: int, first_step: int = 0, steps_before: int | None = None) -> Iterator[Batch]:
        """The batches of an epoch, from step ``first_step`` of the epoch on.

        Args:
            epoch: Counted from 0.
            first_step: Step of the epoch to start with.
            steps_before: Steps of all earlier epochs; None if each had as many as this one.

        Raises:
            Exception: An error of the dataset, as it was raised, also in a worker process.
            ResourceError: When a worker process was killed.
        """
        # Workers read ahead, so the sampler's position is ahead of training and must be set for each epoch.
        self.sampler.set_position(epoch, first_step, steps_before)
        plan = self.sampler.plan(epoch)
        batches = loaded(self.loader)
        while True:
            before = time.perf_counter()
            batch = next(batches, None)
            if batch is None:
                return
            yield self._to_device(batch, plan[first_step], time.perf_counter() - before)
            first_step += 1

    def _to_device(self, made: dict[str, Any], planned: NDArray[np.int64], waited: float) -> Batch:
        index = made["index"].long()
        return Batch(
            input=self._moved(made["input"]) if "input" in made else None,
            beside=self._beside_moved(made.get("beside", ())),
            crops=tuple(
                replace(one, input=self._moved(one.input), beside=self._beside_moved(one.beside))
                for one in made.get("crops", ())
            ),
            index=index,
            columns={name: values[index].to(self.device, non_blocking=True) for name, values in self.columns.items()},
            waited=waited,
            planned=torch.tensor(planned).view(-1, self.sampler.batch_size),
            negatives=self.sampler.composition.negative_seats,
        )

    def _moved(self, loaded: Input) -> Input:
        moved = loaded.to(self.device, non_blocking=True).unit()
        return moved.to(self.device, memory_format=self.layout)

    def _beside_moved(self, loaded: Sequence[Input]) -> tuple[Input, ...]:
        return tuple(one.to(self.device, non_blocking=True) for one in loaded)


def _as_it_is(batch: Any) -> Any:
    return batch
