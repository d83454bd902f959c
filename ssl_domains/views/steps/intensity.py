"""Brightness, contrast and gamma, the same for all channels."""

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
from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import Declared, check_share
from ssl_domains.views.steps.step import backend

__all__ = ["Intensity"]


@dataclass(frozen=True)
class Intensity(Declared):
    """clip(contrast · (x − ½) + ½ + brightness) ^ gamma; contrast is about ½, the zero of a seismic picture.

    Attributes:
        brightness: Added, drawn from ±brightness.
        contrast: Factor drawn from 1 ± contrast.
        gamma: Exponent drawn from 1/(1 + gamma) to 1 + gamma on a log scale.
        p: Probability that the step is applied.
    """

    name: ClassVar[str] = "intensity"
    brightness: float = 0.2
    contrast: float = 0.2
    gamma: float = 0.0
    p: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.name, self.p)
        for what, value, most in (("brightness", self.brightness, 1), ("contrast", self.contrast, 1)):
            if not 0 <= value <= most:
                raise UsageError(f"{self.name}: {what}={value}", f"give a number from 0 to {most}")
        if not 0 <= self.gamma <= 10:
            raise UsageError(f"{self.name}: gamma={self.gamma}", "give a number from 0 to 10")

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``scale``, ``shift`` and ``gamma``: (x · scale + shift) ^ gamma; 1, 0, 1 where it isn't applied."""
        scale = draws.between(1 - self.contrast, 1 + self.contrast)
        shift = 0.5 * (1 - scale) + draws.between(-self.brightness, self.brightness)
        gamma = draws.between(-math.log1p(self.gamma), math.log1p(self.gamma)).exp()
        used = draws.happens(self.p)
        return {
            "scale": torch.where(used, scale, 1.0),
            "shift": torch.where(used, shift, 0.0),
            "gamma": torch.where(used, gamma, 1.0),
        }

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Change the intensities of a batch."""
        scale, shift, gamma = (
            parameters[key].to(images.dtype)[:, None, None, None] for key in ("scale", "shift", "gamma")
        )
        images = torch.addcmul(shift, images, scale).clamp_(0, 1)
        return (images.pow(gamma) if self.gamma else images), mask

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """albumentations' ``RandomBrightnessContrast`` and ``RandomGamma`` with one value each."""
        a, contrast, shift = backend(), float(parameters["scale"]) - 1, float(parameters["shift"])
        line = a.RandomBrightnessContrast((shift, shift), (contrast, contrast), brightness_by_max=True, p=1.0)
        power = a.RandomGamma((100 * float(parameters["gamma"]),) * 2, p=1.0)
        changed: NDArray[np.float32] = power(image=line(image=image)["image"])["image"]
        return changed
