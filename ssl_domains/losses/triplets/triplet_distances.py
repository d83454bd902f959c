"""Distances of listed triplets, with a backward pass in few calls."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["triplet_distances"]


def triplet_distances(queries: Tensor, keys: Tensor, rows: Tensor, squared: bool) -> tuple[Tensor, Tensor]:
    """Euclidean distances of anchor and positive, and of anchor and negative: ``[T]`` each.

    They are computed from the differences of the rows, which is exact for near rows. A distance of 0 has a gradient
    of 0.

    Args:
        queries: ``[M, d]`` anchors.
        keys: ``[N, d]`` candidates.
        rows: int64 ``[3, T]``, anchors, positives and negatives.
        squared: Whether distances are squared.
    """
    both: Tensor = _Distances.apply(queries, None if keys is queries else keys, rows, squared)
    to_positive, to_negative = both.unbind()
    return to_positive, to_negative


class _Distances(torch.autograd.Function):
    """Distances ``[2, T]``; positives and negatives share every call."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor | None, rows: Tensor, squared: bool) -> Tensor:
        # One tensor in both roles gets its gradient in one sum.
        others = (queries if keys is None else keys).index_select(0, rows[1:].reshape(-1))
        differences = others.view(2, rows.shape[1], -1).sub_(queries.index_select(0, rows[0]))
        values = differences.square().sum(2) if squared else torch.linalg.vector_norm(differences, dim=2)
        ctx.save_for_backward(rows, differences, values)
        ctx.squared, ctx.sizes = squared, (len(queries), None if keys is None else len(keys))
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, differences, values = ctx.saved_tensors
        # Where a distance is 0, so is the difference.
        factor = 2 * gradient if ctx.squared else gradient / values.clamp(min=1e-30)
        directions = differences * factor[..., None]
        of_queries, of_keys = ctx.sizes
        to_queries = directions.new_zeros(of_queries, directions.shape[2])
        to_queries.index_add_(0, rows[0], directions.sum(0), alpha=-1)
        to_keys = None if of_keys is None else directions.new_zeros(of_keys, directions.shape[2])
        others = to_queries if to_keys is None else to_keys
        others.index_add_(0, rows[1:].reshape(-1), directions.view(-1, directions.shape[2]))
        return to_queries, to_keys, None, None
