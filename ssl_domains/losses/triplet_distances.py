"""Distances of listed triplets, with a backward pass in few calls."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["triplet_distances"]


def triplet_distances(queries: Tensor, keys: Tensor, rows: Tensor, squared: bool) -> tuple[Tensor, Tensor]:
    """Euclidean distances of anchor and positive, and of anchor and negative: ``[T]`` each.

    They are computed from the differences of the rows, which is exact for near rows. The gradient at distance 0 is 0.

    Args:
        queries: ``[M, d]`` anchors.
        keys: ``[N, d]`` candidates.
        rows: int64 ``[3, T]``, anchors, positives and negatives.
        squared: Whether distances are squared.
    """
    to_positive, to_negative = _Distances.apply(queries, keys, rows, squared)
    return to_positive, to_negative


class _Distances(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, rows: Tensor, squared: bool) -> tuple[Tensor, Tensor]:
        anchors = queries.index_select(0, rows[0])
        differences = [anchors - keys.index_select(0, other) for other in rows[1:]]
        values = [d.square().sum(1) if squared else torch.linalg.vector_norm(d, dim=1) for d in differences]
        ctx.save_for_backward(rows, *differences, *values)
        ctx.squared, ctx.sizes = squared, (len(queries), len(keys))
        return values[0], values[1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, to_positive, to_negative, *values = ctx.saved_tensors
        directions = []
        for difference, value, gradient in zip((to_positive, to_negative), values, gradients, strict=True):
            factor = 2 * gradient if ctx.squared else torch.where(value > 0, gradient / value, 0)
            directions.append(difference * factor[:, None])
        to_queries, to_keys = (directions[0].new_zeros(size, directions[0].shape[1]) for size in ctx.sizes)
        to_queries.index_add_(0, rows[0], directions[0] + directions[1])
        for other, direction in zip(rows[1:], directions, strict=True):
            to_keys.index_add_(0, other, direction, alpha=-1)
        return to_queries, to_keys, None, None
