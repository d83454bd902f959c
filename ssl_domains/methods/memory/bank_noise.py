"""Noise of noise-contrastive estimation against a memory bank: drawn samples and the partition constant."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ssl_domains.losses.nce import log_partition

__all__ = ["BankNoise"]


class BankNoise(nn.Module):
    """Samples that are the noise of a step, all equally likely, and log Z; they are saved as buffers.

    All rows of a batch share the noise of a step, which takes one product of matrices. It is drawn by the number of the
    step, so that all processes draw the same.

    Args:
        bank: Number of vectors in the bank, n.
        size: Number of samples drawn at each step, k.
        partition: Z; None estimates it at the first step.

    Attributes:
        samples: int64 ``[k]``, the samples drawn for the next step.
        log_z: Scalar, NaN before it is estimated.
        steps: Number of steps done.
    """

    samples: Tensor
    log_z: Tensor
    steps: Tensor

    def __init__(self, bank: int, size: int, partition: float | None) -> None:
        super().__init__()
        self.bank, self.size, self.estimated = bank, size, partition is None
        self.register_buffer("log_z", torch.tensor(math.nan if partition is None else math.log(partition)))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("samples", self._drawn(0))

    def log_probability(self, candidates: int) -> Tensor:
        """log p_n of some candidates: float64 ``[candidates]`` on the CPU, −log n of each."""
        return torch.full((candidates,), -math.log(self.bank), dtype=torch.float64)

    def log_partition(self, scores: Tensor) -> Tensor:
        """log Z: the constant as it was set or estimated; before the first step, an estimate from the batch.

        Args:
            scores: ``[M, k]``, scores of all rows of the batch with the noise.
        """
        if not self.estimated:
            return self.log_z
        found = log_partition(scores, self.log_probability(self.size))
        return torch.where(self.log_z.isnan(), found.to(self.log_z.dtype), self.log_z)

    @torch.no_grad()
    def next_step(self, log_z: Tensor) -> None:
        """Keep log Z, and draw the noise of the next step."""
        self.log_z.copy_(log_z)
        self.steps += 1
        self.samples.copy_(self._drawn(int(self.steps)))

    def _drawn(self, step: int) -> Tensor:
        return torch.randint(self.bank, (self.size,), generator=torch.Generator().manual_seed(step))
