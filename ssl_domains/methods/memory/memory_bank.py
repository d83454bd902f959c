"""A memory bank: one vector for each training sample, which is compared with the rows of a batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.pairs import Rows

__all__ = ["MemoryBank"]


class MemoryBank(nn.Module):
    """Vectors of length 1 of all training samples, in the order of the table; they are saved as buffers.

    It starts with random vectors, the same in every process and run.

    Args:
        training: Number of training samples n, and the emitted numbers that the rule reads.
        width: Dimensions d of a vector.

    Attributes:
        vectors: ``[n, d]``.
        emitted: float64 ``[E, n]``, numbers of the views that a vector was last updated with; NaN before the first.
    """

    vectors: Tensor
    emitted: Tensor

    def __init__(self, training: TrainingSet, width: int) -> None:
        super().__init__()
        self.names = training.emitted
        vectors = torch.randn(training.samples, width, generator=torch.Generator().manual_seed(0))
        self.register_buffer("vectors", F.normalize(vectors, dim=1))
        emitted = torch.full((len(self.names), training.samples), torch.nan, dtype=torch.float64)
        self.register_buffer("emitted", emitted)

    def __len__(self) -> int:
        return len(self.vectors)

    def rows(self, samples: Tensor) -> Rows:
        """Rows of some samples' vectors as candidates, int64 ``[k]`` on the CPU; a sample may appear twice.

        They count as views of their samples, and not as stored rows (`Rows.stored`): a stored row of the anchor's own
        sample is ignored, but here it is the positive.
        """
        zeros = torch.zeros_like(samples)
        emitted = {name: self.emitted[number].cpu()[samples] for number, name in enumerate(self.names)}
        return Rows(samples, zeros, zeros, -1 - torch.arange(len(samples)), emitted)

    @torch.no_grad()
    def update(self, z: Tensor, rows: Rows, momentum: float) -> None:
        """Move the vectors of some samples towards their embeddings: v ← normalise(m v + (1 − m) z).

        Args:
            z: ``[M, d]``, embeddings of the rows; a sample of several rows takes their mean.
            rows: Rows of the whole batch, so that all processes update the same.
            momentum: m.
        """
        samples, place, count = torch.unique(rows.sample.to(z.device), return_inverse=True, return_counts=True)
        old = self.vectors[samples]
        mean = torch.zeros_like(old).index_add_(0, place, z.detach().to(old.dtype)) / count[:, None]
        self.vectors[samples] = F.normalize(torch.lerp(mean, old, momentum), dim=1)
        for number, name in enumerate(self.names):
            values = rows.emitted[name].to(self.emitted)
            sums = torch.zeros_like(self.emitted[number, samples]).index_add_(0, place, values)
            self.emitted[number, samples] = sums / count
