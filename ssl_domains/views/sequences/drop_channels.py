"""Set whole channels of a signal to zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws
from ssl_domains.views.sequences.step import Pointwise
from ssl_domains.views.steps.declared import check_share

__all__ = ["DropChannels"]


@dataclass(frozen=True)
class DropChannels(Pointwise):
    """Set each channel to 0 with probability ``p``; one channel of each sample always stays.

    Attributes:
        p: Probability with which a channel is dropped.
    """

    name: ClassVar[str] = "drop channels"
    p: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``keep``, bool ``[B, C]``."""
        numbers = draws.uniform(channels)
        kept = numbers >= self.p
        kept[torch.arange(len(kept)), numbers.argmax(dim=1)] = True
        return {"keep": kept}

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Drop channels of a batch."""
        dropped = ~parameters["keep"].view(len(x), -1, *[1] * len(x.space))
        return x.values.masked_fill(dropped, 0.0)
