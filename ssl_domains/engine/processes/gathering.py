"""Embeddings of all processes in one tensor, through which gradients flow back to each."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["gather_rows", "view_major"]


def gather_rows(x: Tensor) -> Tensor:
    """``[m, d]`` of each process, equal in shape, one below the other: ``[processes · m, d]``.

    Backward sums over processes: each gets the gradient of the sum of all their losses.
    """
    gathered: Tensor = _Gather.apply(x)
    return gathered


def view_major(gathered: Tensor, size: int, views: int) -> Tensor:
    """Rows in the order that one process would have them in.

    Args:
        gathered: ``[size · views · b, …]``, process by process, each view-major.
        size: Processes.
        views: Views of each sample.

    Returns:
        ``[views · size · b, …]``: view-major over the global batch.
    """
    return gathered.reshape(size, views, -1, *gathered.shape[1:]).transpose(0, 1).flatten(0, 2)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.contiguous()
        parts = [torch.empty_like(x) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, x)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.contiguous().clone()
        dist.all_reduce(total)
        return total.chunk(dist.get_world_size())[dist.get_rank()]
