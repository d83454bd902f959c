"""Euclidean distances of rows, with a gradient of 0 where two rows are equal."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["distances", "row_distances", "squared_distances"]


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """‖a_i − b_j‖² of rows ``[I, d]`` and ``[J, d]``: ``[I, J]``, by one matrix product."""
    squares = a.square().sum(1)[:, None] + b.square().sum(1)[None, :]
    return torch.addmm(squares, a, b.T, alpha=-2).clamp(min=0)


def distances(a: Tensor, b: Tensor, squared: bool = False) -> Tensor:
    """‖a_i − b_j‖, or its square, of rows ``[I, d]`` and ``[J, d]``: ``[I, J]``.

    A distance that is smaller than the rounding error of the product, √ε of the length of the rows, has a gradient
    of 0: its direction is not known.
    """
    values = squared_distances(a, b)
    if squared:
        return values
    error = torch.finfo(a.dtype).eps * (a.square().sum(1).detach()[:, None] + b.square().sum(1).detach()[None, :])
    known = values > error
    return torch.where(known, torch.where(known, values, 1).sqrt(), values.detach().sqrt())


def row_distances(a: Tensor, b: Tensor, squared: bool = False) -> Tensor:
    """‖a_t − b_t‖, or its square, of rows ``[T, d]`` and ``[T, d]``: ``[T]``."""
    difference = a - b
    return difference.square().sum(1) if squared else torch.linalg.vector_norm(difference, dim=1)
