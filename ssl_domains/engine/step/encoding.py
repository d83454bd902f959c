"""The one loop from stored arrays to an encoder's output: embedding, dense maps, refreshes and predictions use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ssl_domains.encoders import Encoder
from ssl_domains.engine.processes.precision import Precision, autocast
from ssl_domains.inputs import Input
from ssl_domains.views import whole_batch

__all__ = ["encode_rows", "pooled"]

T = TypeVar("T")


def pooled(encoder: Encoder, rows: Input) -> Tensor:
    """Pooled features of a batch, float32 ``[B, F]``."""
    return encoder(rows.values, rows.valid).pooled.float()  # type: ignore[no-any-return]


def encode_rows(
    encoder: Encoder,
    dataset: Dataset[Any],
    read: Callable[[Encoder, Input], T],
    *,
    device: torch.device,
    rows: Tensor | None = None,
    batch_size: int = 256,
    workers: int = 0,
    precision: Precision = "float32",
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[slice, T]]:
    """Show rows to an encoder in evaluation mode, without gradient and without augmentation.

    The encoder goes to the device, and back into the mode that it was in when the last row is done.

    Args:
        encoder: The encoder.
        dataset: Its inputs; batches as `InputDataset` gives them.
        read: What is wanted of a batch, for instance `pooled`; called with the encoder and the batch on the device,
            pictures in [0, 1].
        device: Where the encoder runs.
        rows: int64 ``[n]``, positions in the dataset; None for all.
        batch_size: Rows in the encoder at a time.
        workers: Processes that read; 0 reads in this one.
        precision: Of the encoder.
        progress: Called with rows done and rows in all.

    Yields:
        Which of the rows, as a slice of ``0 … n``, and what was read of them.
    """
    index = torch.arange(len(dataset)) if rows is None else rows  # type: ignore[arg-type]
    batches = [part.tolist() for part in torch.split(index, batch_size)] if len(index) else []
    loader: DataLoader[Any] = DataLoader(
        dataset, batch_sampler=batches, collate_fn=whole_batch, num_workers=workers, generator=torch.Generator()
    )
    encoder = encoder.to(device)
    training = encoder.training
    encoder.eval()
    start = 0
    try:
        for batch in loader:
            found: Input = batch["input"].to(device).unit()
            with torch.no_grad(), autocast(device, precision):
                made = read(encoder, found)
            stop = start + len(found)
            yield slice(start, stop), made
            start = stop
            if progress is not None:
                progress(stop, len(index))
    finally:
        encoder.train(training)
