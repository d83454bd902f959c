"""From views to gradients, all samples of this process at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor, nn

from ssl_domains.engine.processes.precision import Precision, autocast
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings

__all__ = ["Score", "See", "Seen", "WholeBatch", "backward"]


@dataclass(frozen=True)
class Seen:
    """The views of some samples, as the encoder takes them: rows are view-major.

    Attributes:
        images: ``[views·m, C, S, S]``.
        mask: bool ``[views·m, 1, S, S]``; None when all is valid.
        emitted: Numbers of the views by name, float64 ``[views·m]``.
    """

    images: Tensor
    mask: Tensor | None
    emitted: Mapping[str, Tensor]


See: TypeAlias = Callable[[slice], Seen]
"""Makes the views of some of the samples."""

Score: TypeAlias = Callable[[Embeddings, Mapping[str, Tensor]], tuple[Embeddings, LossOutput]]
"""From this process's embeddings and emitted numbers to the same beside those of the others, and the loss of them."""


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

    def __call__(self, samples: int, see: See, score: Score) -> tuple[Embeddings, LossOutput]:
        """Embed, score, and leave gradients in the parameters."""
        seen = see(slice(0, samples))
        with autocast(seen.images.device, self.precision):
            out: Embeddings = self.model(seen.images, seen.mask)
        out, loss = score(out, seen.emitted)
        backward(loss, self.processes)
        return out, loss


def backward(loss: LossOutput, processes: int) -> None:
    """Backward through this process's share of the loss, so that the mean over processes is the whole gradient."""
    (loss.loss if processes == 1 else processes * loss.loss).backward()  # type: ignore[no-untyped-call]
