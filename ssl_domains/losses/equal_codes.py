"""Positives by equality of codes, as a linear operator that never becomes a matrix."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["EqualCodes", "accumulator"]


def accumulator(device: torch.device) -> torch.dtype:
    """Sums over the batch run in float64, except on MPS, which has none."""
    return torch.float32 if device.type == "mps" else torch.float64


class EqualCodes:
    """The matrix W with ``W[i, j] = 1`` where ``codes[i] == candidate_codes[j]`` and j is not the anchor itself.

    Rows with equal codes have equal sums, so W times a matrix is a segment sum and a look-up: O((M + N)·d), in float64.
    Only the anchor's own column is taken out again; that is exact enough because it is one term of a float64 sum, which
    the same subtraction from a sum of exponentials would not be.

    Args:
        codes: int64 ``[M]``, ranks below ``M + N``.
        candidate_codes: int64 ``[N]``, on the same scale.
        self_index: int64 ``[M]``, the anchor's own column, −1 where it is not a candidate.
    """

    def __init__(self, codes: Tensor, candidate_codes: Tensor, self_index: Tensor) -> None:
        self.codes, self.candidate_codes = codes, candidate_codes
        self.segments = len(codes) + len(candidate_codes)
        self.own = self_index.clamp_min(0)
        if len(candidate_codes):
            self.has_own = (self_index >= 0) & (candidate_codes[self.own] == codes)
        else:
            self.has_own = torch.zeros_like(codes, dtype=torch.bool)
        sizes = torch.bincount(candidate_codes, minlength=self.segments)
        self.counts = sizes[codes] - self.has_own.long()

    def times(self, x: Tensor) -> Tensor:
        """``W @ x`` for x ``[N, d]``: ``[M, d]``."""
        sums = x.new_zeros(self.segments, x.shape[1]).index_add_(0, self.candidate_codes, x)
        total = sums.index_select(0, self.codes)
        if len(x):
            total -= x.index_select(0, self.own) * self.has_own[:, None]
        return total

    def transpose_times(self, y: Tensor) -> Tensor:
        """``W.T @ y`` for y ``[M, d]``: ``[N, d]``."""
        sums = y.new_zeros(self.segments, y.shape[1]).index_add_(0, self.codes, y)
        total = sums.index_select(0, self.candidate_codes)
        if len(total):
            total.index_add_(0, self.own, y * self.has_own[:, None], alpha=-1)
        return total

    def has_other_sample(self, samples: Tensor, candidate_samples: Tensor) -> Tensor:
        """Bool ``[M]``: the anchor's segment holds a candidate of another sample."""
        unset = torch.iinfo(torch.int64)
        lowest = samples.new_full((self.segments,), unset.max)
        lowest.scatter_reduce_(0, self.candidate_codes, candidate_samples, "amin")
        highest = samples.new_full((self.segments,), unset.min)
        highest.scatter_reduce_(0, self.candidate_codes, candidate_samples, "amax")
        low, high = lowest[self.codes], highest[self.codes]
        return (low <= high) & ((low != samples) | (high != samples))
