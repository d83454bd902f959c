"""The embeddings that a loss over pairs compares: checked against the pairs, in one dtype, without unfilled rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ssl_domains.errors import UsageError

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["Total", "global_total", "operands"]

Total = Callable[[Tensor], Tensor] | None
"""From counts of a part of the batch to those of the whole batch; None where the part is the whole."""


def operands(z: Tensor, pairs: PairBatch, candidates: Tensor | None) -> tuple[Tensor, Tensor, PairBatch]:
    """Anchors ``[M, d]`` and candidates ``[N, d]`` in float32 or float64, and the pairs on their device.

    Args:
        z: ``[M, d]`` embeddings of the anchors, in the order of ``pairs.anchors``.
        pairs: The pairs.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; None when they are the anchors. Rows of sample −1,
            the unfilled places of a queue, may hold any values, NaN included.

    Raises:
        UsageError: When the shapes don't fit the pairs, or candidates are missing.
    """
    if candidates is None and not pairs.square:
        raise UsageError("these pairs have candidates of their own", "hand their embeddings over as candidates=")
    keys = z if candidates is None else candidates
    for name, x, rows in (("z", z, len(pairs.anchors)), ("candidates", keys, len(pairs.candidates))):
        if x.ndim != 2 or x.shape[0] != rows:
            raise UsageError(f"{name} is {list(x.shape)} but the pairs have {rows} rows", "one embedding [d] a row")
    if z.shape[1] != keys.shape[1]:
        raise UsageError(f"anchors have {z.shape[1]} dimensions, candidates {keys.shape[1]}", "use one projection")
    dtype = torch.promote_types(torch.promote_types(z.dtype, keys.dtype), torch.float32)
    pairs = pairs.to(z.device)
    queries = z.to(dtype)
    keys = queries if candidates is None else keys.to(dtype)
    # No anchor uses an unfilled row, but NaN times a weight of 0 would be NaN.
    return queries, keys if pairs.filled is None else torch.where(pairs.filled[:, None], keys, 0), pairs


def global_total(counts: Tensor, total: Total) -> Tensor:
    """Counts or sums of weights of the whole batch, to divide by: 1 instead of 0."""
    whole = counts if total is None else total(counts)
    return torch.where(whole > 0, whole, 1)
