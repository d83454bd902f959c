"""Exact search: the vectors with the largest inner products, over blocks of a collection of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["nearest"]

_BLOCK, _QUERIES = 16_384, 256


def nearest(
    queries: NDArray[Any] | Tensor,
    vectors: NDArray[Any] | Tensor,
    k: int,
    *,
    device: torch.device | str = "cpu",
    leave_out: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the k vectors with the largest inner product with each query.

    Vectors may be a memory map: they are read block by block, 16,384 at a time, and nothing else is kept of them.

    Args:
        queries: ``[q, d]``.
        vectors: ``[n, d]``.
        k: Number of hits, at most n.
        device: Where products are computed.
        leave_out: Position of one vector that is no hit for each query, such as the query itself, int64 ``[q]``; −1
            for none.

    Returns:
        Scores float32 ``[q, k]`` in descending order, and positions int64 ``[q, k]``. Of equal scores, the smaller
        position comes first. With ``leave_out``, a query may have −inf at its end, where there are too few vectors.
    """
    k = min(k, len(vectors))
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    found = np.full((len(queries), k), -1, dtype=np.int64)
    if k == 0:
        return scores, found
    for first in range(0, len(queries), _QUERIES):
        strip = slice(first, min(first + _QUERIES, len(queries)))
        asked = _tensor(queries[strip], device)
        left = None if leave_out is None else torch.from_numpy(leave_out[strip]).to(device)
        best: tuple[Tensor, Tensor] | None = None
        for start in range(0, len(vectors), _BLOCK):
            block = asked @ _tensor(vectors[start : start + _BLOCK], device).T
            if left is not None:
                inside = (left >= start) & (left < start + block.shape[1])
                rows = torch.nonzero(inside).flatten()
                block[rows, left[rows] - start] = -torch.inf
            values, columns = top(block, min(k, block.shape[1]))
            columns = columns + start
            if best is not None:  # earlier blocks have smaller positions and come first among equal scores
                joined = torch.cat([best[0], values], dim=1)
                values, places = top(joined, min(k, joined.shape[1]))
                columns = torch.cat([best[1], columns], dim=1).gather(1, places)
            best = values, columns
        assert best is not None
        scores[strip], found[strip] = best[0].cpu().numpy(), best[1].cpu().numpy()
    return scores, found


def top(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest values of each row in descending order, and their columns; of equal values the first columns.

    `torch.topk` alone promises nothing for equal values, and they are common: a collection has copies.
    """
    values, columns = scores.topk(k, dim=1)
    least = values[:, -1:]
    crowded = torch.nonzero((scores == least).sum(1) > (values == least).sum(1)).flatten()
    if len(crowded):
        order = torch.sort(scores[crowded], dim=1, descending=True, stable=True)
        values[crowded], columns[crowded] = order.values[:, :k], order.indices[:, :k]
    columns, place = torch.sort(columns, dim=1)
    values, place = torch.sort(values.gather(1, place), dim=1, descending=True, stable=True)
    return values, columns.gather(1, place)


def _tensor(x: NDArray[Any] | Tensor, device: torch.device | str) -> Tensor:
    made = torch.from_numpy(np.array(x, dtype=np.float32)) if isinstance(x, np.ndarray) else x.detach().float()
    return made.to(device)
