"""Prototypes: unit vectors that embeddings are compared with; shared by SwAV and DINO."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.errors import UsageError
from ssl_domains.methods.contract.training_set import TrainingSet

__all__ = ["Prototypes", "number_of_prototypes", "steps_of_freeze"]


class Prototypes(nn.Module):
    """``K`` trained vectors, normalised to length 1 where they are used, and frozen for the first steps.

    Frozen prototypes get a gradient of 0, so that an optimiser leaves them: weight decay changes their length only,
    which is normalised away.

    Args:
        number: Number of prototypes K.
        width: Width d of an embedding.
        frozen_steps: Steps for which they are frozen.
    """

    steps: Tensor

    def __init__(self, number: int, width: int, frozen_steps: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(number, width))
        nn.init.normal_(self.weight)
        self.frozen_steps = frozen_steps
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self) -> Tensor:
        """The prototypes ``[K, d]``, of length 1."""
        # `where` on the device needs no wait for the step number.
        weight = torch.where(self.steps < self.frozen_steps, self.weight.detach(), self.weight)
        return F.normalize(weight, dim=1)

    def count_step(self) -> None:
        """Count a training step."""
        self.steps.add_(1)


def number_of_prototypes(requested: int | None, usual: int, training: TrainingSet) -> int:
    """The number of prototypes; without a request ``usual``, or a tenth of the training samples if that is fewer.

    Raises:
        UsageError: When more are requested than there are training samples: some would never be used.
    """
    if requested is None:
        return max(2, min(usual, training.samples // 10))
    if requested > training.samples:
        cause = f"{requested} prototypes are more than the {training.samples} training samples"
        raise UsageError(cause, f"use --set method.prototypes={max(2, training.samples // 10)}")
    return requested


def steps_of_freeze(requested: int | None, training: TrainingSet) -> int:
    """Steps for which prototypes are frozen; without a request one epoch."""
    return max(1, training.samples // training.batch_size) if requested is None else requested
