"""BatchNorm over the batch of all processes on a CPU; torch's own ``SyncBatchNorm`` needs a GPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["SharedBatchNorm", "share_batch_norms"]

_PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class SharedBatchNorm(_BatchNorm):
    """BatchNorm with the mean and variance of the rows of all processes (Ioffe & Szegedy 2015).

    Weights and statistics have the names of torch's BatchNorm. Evaluation mode is that of torch's BatchNorm.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``[m, C, …]``. In training mode every process must call this, even when it has no row."""
        if not self.training:
            return super().forward(x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1] + [1] * (x.ndim - 2)
        count = _Sum.apply(x.new_full((1,), x.numel() / x.shape[1]))
        mean = _Sum.apply(x.sum(axes)) / count
        centred = x - mean.view(shape)
        variance = _Sum.apply(centred.square().sum(axes)) / count
        if self.track_running_stats and self.running_mean is not None and self.running_var is not None:
            self._move_statistics(mean.detach(), variance.detach() * count / (count - 1).clamp(min=1))
        x = centred * torch.rsqrt(variance + self.eps).view(shape)
        return x if self.weight is None else x * self.weight.view(shape) + self.bias.view(shape)

    def _move_statistics(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)

    def _check_input_dim(self, input: Tensor) -> None:
        pass


def share_batch_norms(module: nn.Module) -> None:
    """Turn torch's BatchNorm layers in a module into `SharedBatchNorm`, in place."""
    for layer in module.modules():
        if type(layer) in _PLAIN:
            layer.__class__ = SharedBatchNorm


class _Sum(torch.autograd.Function):
    """Sum over processes. Backward sums the gradients of all processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.clone()
        dist.all_reduce(total)
        return total
