"""Frames of many samples, of differing number, in one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["FrameFeatures"]


@dataclass(frozen=True, eq=False)
class FrameFeatures:
    """Frozen features of the frames of ``n`` samples.

    Attributes:
        values: float32 ``[frames of all samples, F]``.
        first: int64 ``[n + 1]``: the frames of sample ``i`` are ``values[first[i]:first[i + 1]]``.
    """

    values: NDArray[np.float32]
    first: NDArray[np.int64]

    @classmethod
    def of(cls, samples: Sequence[NDArray[np.float32]], width: int) -> FrameFeatures:
        """The frames ``[T_i, F]`` of samples, joined."""
        first = np.concatenate([[0], np.cumsum([len(one) for one in samples])]).astype(np.int64)
        joined = np.concatenate(list(samples)) if samples else np.zeros((0, width), dtype=np.float32)
        return cls(np.ascontiguousarray(joined, dtype=np.float32), first)

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def width(self) -> int:
        """Number ``F`` of features of a frame."""
        return int(self.values.shape[1])

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of frames of each sample, int64 ``[n]``."""
        return np.diff(self.first)

    def __getitem__(self, row: int) -> NDArray[np.float32]:
        return self.values[self.first[row] : self.first[row + 1]]

    def batch(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Frames of some samples, padded by 0 to the longest: ``[b, T, F]``, and their numbers, int64 ``[b]``."""
        counts = self.counts[rows]
        out = np.zeros((len(rows), int(counts.max(initial=0)), self.width), dtype=np.float32)
        for place, row in enumerate(rows.tolist()):
            out[place, : counts[place]] = self[row]
        return torch.from_numpy(out), torch.from_numpy(counts)
