"""Gaussian noise, independent in each pixel and channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views.draws import Draws, normals
from ssl_domains.views.steps.declared import Declared, check_range, check_share

__all__ = ["Noise"]


@dataclass(frozen=True)
class Noise(Declared):
    """x + σ·n, clipped to [0, 1]; n is standard normal, and the same on every device.

    Attributes:
        sigma: Range of the standard deviation.
        p: Probability that the step is applied.
    """

    name: ClassVar[str] = "noise"
    sigma: tuple[float, float] = (0.0, 0.05)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "sigma", self.sigma, 0.0, 1.0)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``sigma``, 0 where it isn't applied, and ``key``, int64."""
        sigma = draws.between(*self.sigma)
        return {"sigma": torch.where(draws.happens(self.p), sigma, 0.0), "key": draws.keys()}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Add noise to a batch; it is generated on the batch's device from ``key``."""
        sigma, key = parameters["sigma"].to(images.dtype)[:, None, None, None], parameters["key"]
        if images.device.type == "cpu":  # on an accelerator, selecting the noisy samples would wait for the device
            noisy = torch.nonzero(parameters["sigma"] > 0)[:, 0]
            noise = normals(key[noisy], images.shape[1:]).mul_(sigma[noisy])
            return images.index_copy(0, noisy, noise.add_(images[noisy]).clamp_(0, 1)), mask
        return torch.addcmul(images, normals(key, images.shape[1:]), sigma).clamp_(0, 1), mask

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """Add the same noise as `device`; albumentations isn't used, as its noise has another generator."""
        height, width, channels = image.shape
        noise = normals(torch.tensor([int(parameters["key"])]), (channels, height, width))[0].numpy().transpose(1, 2, 0)
        changed: NDArray[np.float32] = np.clip(image + np.float32(parameters["sigma"]) * noise, 0, 1)
        return changed
