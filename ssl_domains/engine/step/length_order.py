"""Encodes inputs of any length with such of about the same length in a batch, which takes the least padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

from ssl_domains.engine.step.encoding import encode_rows
from ssl_domains.inputs import Input

__all__ = ["encode_features", "encoding_order", "length_order"]

E = TypeVar("E", bound=nn.Module)

_BATCHES = 16
"""Batches whose rows are sorted together: features stay few, and files are read from front to back."""


def encoding_order(dataset: Dataset[Any], batch_size: int, rows: Tensor | None = None) -> NDArray[np.int64]:
    """The order in which rows are encoded so that those of about one length share a batch, int64 ``[n]``.

    Args:
        dataset: The inputs. Its attribute ``lengths``, if it has one, is how long they are, in any unit, int64 ``[N]``;
            None where all are alike, which are encoded as they stand.
        batch_size: Rows in the encoder at a time.
        rows: int64 ``[n]``, positions in the dataset; None for all.

    Returns:
        Positions in ``rows``, or in the dataset without it.
    """
    lengths: NDArray[np.int64] | None = getattr(dataset, "lengths", None)
    if lengths is None:
        return np.arange(len(dataset) if rows is None else len(rows))  # type: ignore[arg-type]
    return length_order(lengths if rows is None else lengths[rows.cpu().numpy()], _together(dataset, batch_size))


def _together(dataset: Dataset[Any], batch_size: int) -> int:
    """Rows that are sorted together."""
    return _BATCHES * min(batch_size, getattr(dataset, "most_at_once", batch_size))


def encode_features(
    encoder: E,
    dataset: Dataset[Any],
    read: Callable[[E, Input], Tensor],
    *,
    rows: Tensor | None = None,
    batch_size: int = 256,
    **options: Any,
) -> Iterator[tuple[slice, Tensor]]:
    """Encode rows to vectors, as `encode_rows` does; of ragged inputs those of about the same length share a batch.

    Args:
        encoder: The encoder, or another module that ``read`` calls.
        dataset: Its inputs, as in `encoding_order`.
        read: Computes the vectors ``[B, F]`` of a batch.
        rows: int64 ``[n]``, positions in the dataset; None for all.
        batch_size: Rows in the encoder at a time.
        options: Further arguments of `encode_rows`.

    Raises:
        Exception: As `encode_rows`.

    Yields:
        Some rows, as a slice of ``0 … n``, and their vectors, in the order of the rows.
    """
    if getattr(dataset, "lengths", None) is None:
        yield from encode_rows(encoder, dataset, read, rows=rows, batch_size=batch_size, **options)
        return
    together = _together(dataset, batch_size)
    order = encoding_order(dataset, batch_size, rows)
    places = torch.from_numpy(order)
    parts: list[Tensor] = []
    start = 0
    encoded = encode_rows(
        encoder, dataset, read, rows=places if rows is None else rows.cpu()[places], batch_size=batch_size, **options
    )
    for done, part in encoded:
        parts.append(part)
        if done.stop % together and done.stop < len(order):
            continue
        sorted_here = torch.cat(parts)
        vectors = torch.empty_like(sorted_here)
        vectors[(places[start : done.stop] - start).to(sorted_here.device)] = sorted_here
        yield slice(start, done.stop), vectors
        parts, start = [], done.stop


def length_order(lengths: NDArray[np.int64], together: int) -> NDArray[np.int64]:
    """The order in which rows are encoded: the longest first among each ``together`` rows, int64 ``[n]``.

    Example:
        >>> length_order(np.array([3, 5, 4, 1, 2]), 3).tolist()
        [1, 2, 0, 4, 3]
    """
    order = np.arange(len(lengths))
    for start in range(0, len(order), together):
        order[start : start + together] = start + np.argsort(-lengths[start : start + together], kind="stable")
    return order
