"""From views to gradients, all samples of this process at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from torch import nn

from ssl_domains.engine.processes.precision import Precision, autocast
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings

__all__ = ["MakeViews", "Score", "WholeBatch", "backward"]

MakeViews: TypeAlias = Callable[[slice], Views]
"""Makes the views of some of the process's samples; the same samples always give the same views."""

Score: TypeAlias = Callable[[Embeddings], tuple[Embeddings, LossOutput]]
"""Gathers embeddings from all processes, builds the pairs, and returns this process's share of the loss."""


@dataclass
class WholeBatch:
    """Embeds all samples at once.

    Attributes:
        model: The method, or DistributedDataParallel around it.
        precision: Of the encoder.
        processes: How many; the mean over them, that DistributedDataParallel takes, must be their sum.
    """

    model: nn.Module
    precision: Precision
    processes: int = 1

    def __call__(self, samples: int, views_of: MakeViews, score: Score) -> tuple[Embeddings, LossOutput]:
        """Embed, score, and leave gradients in the parameters."""
        views = views_of(slice(0, samples))
        with autocast(views.device, self.precision):
            out: Embeddings = self.model(views)
        out, loss = score(out)
        backward(loss, self.processes)
        return out, loss


def backward(loss: LossOutput, processes: int) -> None:
    """Backward through this process's share of the loss, so that the mean over processes is the whole gradient."""
    (loss.loss if processes == 1 else processes * loss.loss).backward()  # type: ignore[no-untyped-call]
