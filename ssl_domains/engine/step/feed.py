"""Batches on their device, from any number of worker processes, from any step of any epoch."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ssl_domains.errors import SslDomainsError
from ssl_domains.inputs import Input
from ssl_domains.pairs import BatchSampler

__all__ = ["Batch", "Feed"]


@dataclass(frozen=True)
class Batch:
    """One process's part of a batch: the samples of its slots, seat below seat.

    A slot has one seat, or two where batches are composed of partners: a sample and, below, its partner.

    Attributes:
        input: The samples ``[S · b, …]``, on the training device; pictures are float32 in [0, 1].
        index: int64 ``[S · b]`` positions in the training table, on the CPU.
        columns: float64 ``[S · b]`` by name, the table's numbers that view steps read, on the training device.
        waited: Seconds the training process waited for it.
        planned: int64 ``[S, slots]`` on the CPU, the seats of the batch of all processes; None where ``index`` is all
            of it and there is one seat.
        beside: Further inputs of the same samples, which move with them.
        negatives: How many of the last seats are drawn negatives.
    """

    input: Input
    index: Tensor
    columns: dict[str, Tensor]
    waited: float
    planned: Tensor | None = None
    beside: tuple[Input, ...] = ()
    negatives: int = 0

    @property
    def whole(self) -> Tensor:
        """int64 ``[S, slots]``, the batch of all processes; see ``planned``."""
        return self.index[None] if self.planned is None else self.planned

    @property
    def samples(self) -> Tensor:
        """int64 ``[b]``, the positions of the samples in the first seat of this process's slots."""
        return self.index[: len(self.index) // len(self.whole)]


class Feed:
    """Feeds the batches a sampler plans.

    Args:
        dataset: Its ``__getitems__(indices)`` gives a dictionary of ``input``, ``beside`` and ``index``.
        sampler: Plans the batches.
        columns: float64 ``[n]`` by name: table numbers that view steps read.
        device: Where batches go.
        workers: Worker processes; 0 reads in this one.
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
            dataset,
            batch_sampler=sampler,
            collate_fn=_as_it_is,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=2 if workers else None,
            pin_memory=device.type == "cuda",
            worker_init_fn=_ignore_interrupt,
            # Of its own, or it would draw its base seed from the generator that dropout uses.
            generator=torch.Generator(),
        )

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from a step on.

        Raises:
            SslDomainsError: What the dataset raises, in one line, also from a worker process.
        """
        # Workers read ahead, so the sampler runs ahead of training: where to start is always told from here.
        self.sampler.set_position(epoch, first_step)
        plan = self.sampler.plan(epoch)
        batches = iter(self.loader)
        while True:
            before = time.perf_counter()
            try:
                found = next(batches, None)
            except SslDomainsError as error:
                raise _in_one_line(error) from error
            if found is None:
                return
            yield self._to_device(found, plan[first_step], time.perf_counter() - before)
            first_step += 1

    def _to_device(self, found: dict[str, Any], planned: NDArray[np.int64], waited: float) -> Batch:
        index = found["index"].long()
        moved = found["input"].to(self.device, non_blocking=True).unit()
        return Batch(
            input=moved.to(self.device, memory_format=self.layout),
            beside=tuple(one.to(self.device, non_blocking=True) for one in found["beside"]),
            index=index,
            columns={name: values[index].to(self.device, non_blocking=True) for name, values in self.columns.items()},
            waited=waited,
            planned=torch.tensor(planned).view(-1, self.sampler.batch_size),
        )


def _in_one_line(error: SslDomainsError) -> SslDomainsError:
    """The error as it was raised: what crosses from a worker process carries its whole traceback as its message."""
    last = error.message.strip().splitlines()[-1]
    name = f"{type(error).__name__}: "
    return type(error)(last.partition(name)[2] or last, error.hint)


def _as_it_is(batch: Any) -> Any:
    return batch


def _ignore_interrupt(worker: int) -> None:
    # A terminal sends Ctrl-C to the workers too; the training process decides, between two steps.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
