"""Gather the rows of all processes in one tensor, with gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["gather_rows"]


def gather_rows(x: Tensor, counts: Sequence[int]) -> Tensor:
    """Concatenate the rows of all processes, in the order of ranks.

    Processes may have different numbers of rows, also none: tensors are padded to the largest number for the exchange,
    and the padding is removed again.

    Args:
        x: ``[counts[rank], …]``: rows of this process.
        counts: Number of rows of each process.

    Returns:
        ``[sum(counts), …]``. Backward sums over processes: each gets the gradient of the sum of the losses of all
        processes.
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
