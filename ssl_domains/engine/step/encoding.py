"""Encodes rows of a dataset batch by batch; used for embeddings, dense maps, refreshes and predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ssl_domains.encoders import Encoder
from ssl_domains.engine.processes.allocation import freed_memory_returned
from ssl_domains.engine.processes.precision import Precision, autocast
from ssl_domains.engine.processes.workers import GuardedDataset, loaded, settle_worker
from ssl_domains.inputs import Input
from ssl_domains.views import whole_batch

__all__ = ["encode_rows", "pooled"]

E = TypeVar("E", bound=nn.Module)
T = TypeVar("T")


@dataclass(frozen=True)
class _Batches:
    """Rows in batches of one size, made one batch at a time: there may be millions of rows or tiles."""

    index: range | Tensor
    size: int

    def __len__(self) -> int:
        return -(-len(self.index) // self.size)

    def __iter__(self) -> Iterator[list[int]]:
        for start in range(0, len(self.index), self.size):
            part = self.index[start : start + self.size]
            yield list(part) if isinstance(part, range) else part.tolist()


def pooled(encoder: Encoder, rows: Input) -> Tensor:
    """Pooled features of a batch, float32 ``[B, F]``."""
    return encoder(rows.values, rows.valid).pooled.float()  # type: ignore[no-any-return]


def encode_rows(
    encoder: E,
    dataset: Dataset[Any],
    read: Callable[[E, Input], T],
    *,
    device: torch.device,
    rows: Tensor | None = None,
    batch_size: int = 256,
    workers: int = 0,
    precision: Precision = "float32",
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[slice, T]]:
    """Encode rows in evaluation mode, without gradient and without augmentation.

    The encoder is moved to the device. Its layers return to their former modes (training or evaluation) after the last
    row.

    Args:
        encoder: The encoder, or another module that ``read`` calls.
        dataset: Its inputs, in batches like those of `InputDataset`. Its attribute ``most_at_once``, if it has one, is
            the largest size of a batch. Its function ``finish``, if it has one, turns a batch on the device into the
            form that the encoder takes.
        read: Computes the result of a batch, for instance `pooled`; called with the encoder and the batch on the
            device, pictures in [0, 1].
        device: Device of the encoder.
        rows: int64 ``[n]``, positions in the dataset; None for all.
        batch_size: Rows in the encoder at a time.
        workers: Number of worker processes; 0 reads in this process.
        precision: Precision of the encoder.
        progress: Called with the number of rows done and of all rows.

    Raises:
        Exception: An error of the dataset, as it was raised, also in a worker process.
        ResourceError: When a worker process was killed.

    Yields:
        The rows of the batch, as a slice of ``0 … n``, and the result of ``read``.
    """
    batch_size = min(batch_size, getattr(dataset, "most_at_once", batch_size))
    finish: Callable[[Input], Input] = getattr(dataset, "finish", lambda x: x)
    index = range(len(dataset)) if rows is None else rows  # type: ignore[arg-type]
    loader: DataLoader[Any] = DataLoader(
        GuardedDataset(dataset),
        batch_sampler=_Batches(index, batch_size),
        collate_fn=whole_batch,
        num_workers=workers,
        worker_init_fn=settle_worker,
        generator=torch.Generator(),
    )
    if workers:
        freed_memory_returned()
    encoder = encoder.to(device)
    modes = [(layer, layer.training) for layer in encoder.modules()]
    encoder.eval()
    start = 0
    try:
        for batch in loaded(loader):
            inputs: Input = batch["input"].to(device).unit()
            with torch.no_grad():
                inputs = finish(inputs)
                with autocast(device, precision):
                    made = read(encoder, inputs)
            stop = start + len(inputs)
            yield slice(start, stop), made
            start = stop
            if progress is not None:
                progress(stop, len(index))
    finally:
        for layer, training in modes:
            layer.training = training
