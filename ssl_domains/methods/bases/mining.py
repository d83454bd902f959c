"""The miner of a method by its name, and the state of its random draws."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import nn

from ssl_domains.encoders import Encoder
from ssl_domains.losses.triplets.mined_strips import Miner
from ssl_domains.methods.bases.pair_method import PairMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.miners import batch_all, batch_hard, distance_weighted, semi_hard

__all__ = ["MinerName", "MiningMethod"]

MinerName = Literal["batch_all", "batch_hard", "semi_hard", "distance_weighted"]


class MiningMethod(PairMethod):
    """A method over pairs that mines triplets.

    Draws of a miner depend on a seed, the number of the step and the anchor's row in the whole batch. Both numbers are
    buffers: a resumed run draws what the uninterrupted one draws, and processes together draw what one process draws.
    """

    seed: torch.Tensor
    steps: torch.Tensor

    def __init__(self, encoder: Encoder, head: nn.Module, settings: MethodOptions) -> None:
        super().__init__(encoder, head, settings)
        self.register_buffer("seed", torch.randint(2**62, ()))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def miner(self, name: MinerName, margin: float | None, dimensions: int) -> Miner:
        """A miner by its name.

        Args:
            name: Its name.
            margin: Margin of the loss, which bounds ``semi_hard``; None for a soft margin.
            dimensions: Dimensions of the embedding.
        """
        if name == "distance_weighted":
            seed, step = int(self.seed), int(self.steps)
            return partial(distance_weighted, dimensions=dimensions, seed=seed, step=step)
        if name == "semi_hard":
            return partial(semi_hard, margin=margin)
        return batch_all if name == "batch_all" else batch_hard

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Count the step."""
        self.steps += 1
