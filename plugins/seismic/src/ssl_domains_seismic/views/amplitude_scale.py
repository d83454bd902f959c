"""Scale the amplitudes of a picture; the amplitude zero stays zero."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.views import Draws
from ssl_domains.views.steps.declared import Declared, check_share
from ssl_domains_seismic.views.zero import ZERO

__all__ = ["AmplitudeScale"]


@dataclass(frozen=True)
class AmplitudeScale(Declared):
    """Multiplies all amplitudes of a picture by one factor: ½ + factor · (x − ½), clipped to [0, 1].

    A place with amplitude 0 (½ in the picture) keeps exactly this value. What is clipped are the amplitudes beyond the
    clip of the survey.

    Attributes:
        gain: Largest factor; the factor is drawn from 1/gain to gain on a log scale (1.5 is ±3.5 dB).
        p: Probability that the step is applied.
    """

    name: ClassVar[str] = "amplitude-scale"
    gain: float = 1.5
    p: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.name, self.p)
        if not 1 <= self.gain <= 100:
            raise UsageError(f"{self.name}: gain={self.gain}", "give the largest factor, from 1 to 100")

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``factor``, 1 where the step isn't applied."""
        factor = draws.between(-math.log(self.gain), math.log(self.gain)).exp()
        return {"factor": torch.where(draws.happens(self.p), factor, 1.0)}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Scale the amplitudes of a batch."""
        factor = parameters["factor"].to(images.dtype)[:, None, None, None]
        return (images - ZERO).mul_(factor).add_(ZERO).clamp_(0, 1), mask

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The same formula in NumPy."""
        scaled = ZERO + np.float32(parameters["factor"]) * (image - ZERO)
        return np.asarray(np.clip(scaled, 0, 1), dtype=np.float32)
