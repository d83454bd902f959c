"""Rows of all processes in one tensor, through which gradients flow back to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["gather_rows"]


def gather_rows(x: Tensor, counts: Sequence[int]) -> Tensor:
    """The rows of every process, one below the other.

    Processes may have different numbers of rows, none among them: all exchange as many as the largest has, and what
    was added is cut off again.

    Args:
        x: ``[counts[rank], …]``, this process's rows.
        counts: Rows of each process.

    Returns:
        ``[sum(counts), …]``. Backward sums over processes: each gets the gradient of the sum of all their losses.
    """
    most = max(counts)
    if len(x) < most:
        x = torch.cat([x, x.new_zeros(most - len(x), *x.shape[1:])])
    gathered: Tensor = _Gather.apply(x)
    if all(count == most for count in counts):
        return gathered
    return torch.cat([part[:count] for part, count in zip(torch.split(gathered, most), counts, strict=True)])


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
