"""Embeds and scores a batch and computes its gradients, all samples of this process at once."""

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
        precision: Precision of the encoder.
        processes: Number of processes, see `backward`.
    """

    model: nn.Module
    precision: Precision
    processes: int = 1

    def __call__(self, samples: int, views_of: MakeViews, score: Score) -> tuple[Embeddings, LossOutput]:
        """Embed and score the samples of this process; adds the gradients to the parameters' ``grad``.

        Args:
            samples: Number of samples of this process.
            views_of: Makes the views of a slice of the samples.
            score: Computes the loss of the embeddings."""
        views = views_of(slice(0, samples))
        with autocast(views.device, self.precision):
            out: Embeddings = self.model(views)
        del views  # the graph keeps what backward needs
        out, loss = score(out)
        backward(loss, self.processes)
        return out, loss


def backward(loss: LossOutput, processes: int) -> None:
    """Backward through this process's share of the loss.

    The share is multiplied by the number of processes, because DistributedDataParallel takes the mean of the gradients
    over processes, while the gradient of the whole loss is their sum."""
    (loss.loss if processes == 1 else processes * loss.loss).backward()  # type: ignore[no-untyped-call]
