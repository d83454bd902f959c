"""Take single traces out of a section, as if they were dead or missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views import Draws
from ssl_domains.views.draws import spread
from ssl_domains.views.steps.declared import Declared, check_range, check_share
from ssl_domains_seismic.views.zero import ZERO

__all__ = ["TraceDropout"]


@dataclass(frozen=True)
class TraceDropout(Declared):
    """Makes some columns of a section invalid, in all channels, so that they look as holes of a survey do.

    A dropped trace is false in the mask. Its values are ½ (no amplitude), as the preprocess leaves them in a hole; its
    own samples are gone. Put the step first, so that later steps treat dropped traces and holes alike. In each sample,
    one column always stays as it is.

    Attributes:
        share: Range of the probability with which each trace of a sample is dropped; drawn for each sample.
        p: Probability that the step is applied.
    """

    name: ClassVar[str] = "trace-dropout"
    share: tuple[float, float] = (0.0, 0.1)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "share", self.share, 0.0, 1.0)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``share``, 0 where the step isn't applied, and ``key``, int64, from which the dropped traces follow."""
        share = draws.between(*self.share)
        return {"share": torch.where(draws.happens(self.p), share, 0.0), "key": draws.keys()}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Drop traces of a batch; a mask is made when there is none."""
        dropped = _dropped(parameters["share"], parameters["key"], images.shape[3])[:, None, None, :]
        kept = (~dropped).expand(-1, 1, images.shape[2], -1)
        return images.masked_fill(dropped, ZERO), kept.clone() if mask is None else mask & kept

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The values of the same traces; a picture has no mask here."""
        share, key = (torch.tensor([parameters[name]]) for name in ("share", "key"))
        without = image.copy()
        without[:, _dropped(share, key, image.shape[1])[0].numpy()] = ZERO
        return without


def _dropped(share: Tensor, keys: Tensor, traces: int) -> Tensor:
    """bool ``[B, traces]``: true for a dropped trace; the one with the largest number is never dropped."""
    # 24 bits are exact in float32, which is what every device has.
    numbers = ((spread(keys, (traces,)) >> 40) & ((1 << 24) - 1)).to(torch.float32) * 2.0**-24
    stays = torch.arange(traces, device=keys.device) == numbers.argmax(dim=1, keepdim=True)
    return (numbers < share.to(torch.float32)[:, None]) & ~stays
