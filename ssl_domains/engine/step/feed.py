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
from ssl_domains.pairs import BatchSampler

__all__ = ["Batch", "Feed"]


@dataclass(frozen=True)
class Batch:
    """One process's part of a batch, as canvases: its samples and, where batches have them, behind them the partners.

    Attributes:
        images: float32 ``[B, C, S, S]`` in [0, 1], on the training device.
        mask: bool ``[B, 1, S, S]`` where the canvas has data; None where all of it is.
        index: int64 ``[B]`` positions in the training table, on the CPU.
        columns: float64 ``[B]`` by name, the table's numbers that view steps read, on the training device.
        waited: Seconds the training process waited for it.
        planned: int64 ``[kinds, samples]`` on the CPU, the batch of all processes: the samples, below them with
            partners the partner of each; None where ``index`` is all of it.
    """

    images: Tensor
    mask: Tensor | None
    index: Tensor
    columns: dict[str, Tensor]
    waited: float
    planned: Tensor | None = None

    @property
    def whole(self) -> Tensor:
        """int64 ``[kinds, samples]``, the batch of all processes; see ``planned``."""
        return self.index[None] if self.planned is None else self.planned

    @property
    def samples(self) -> Tensor:
        """int64 ``[b]``, the positions of this process's samples; without their partners."""
        return self.index[: len(self.index) // len(self.whole)]


class Feed:
    """Feeds the batches a sampler plans.

    Args:
        dataset: Its ``__getitems__(indices)`` gives a dictionary of ``images``, ``mask`` and ``index``.
        sampler: Plans the batches.
        columns: float64 ``[n]`` by name: table numbers that view steps read.
        device: Where batches go.
        workers: Worker processes; 0 reads in this one.
        channels_last: Memory layout of the images.
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
        images = found["images"].to(self.device, non_blocking=True)
        images = images.float().div_(255) if images.dtype == torch.uint8 else images.float()
        mask, index = found["mask"], found["index"].long()
        return Batch(
            images=images.contiguous(memory_format=self.layout),
            mask=None if mask is None else mask.to(self.device, non_blocking=True),
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
