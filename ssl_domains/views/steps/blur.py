"""Gaussian blur, another width for each sample."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import Declared, check_range, check_share
from ssl_domains.views.steps.step import backend

__all__ = ["Blur"]

REACH = 3.5  # standard deviations on either side, as Pillow and albumentations cut the kernel


@dataclass(frozen=True)
class Blur(Declared):
    """Gaussian blur; the picture is mirrored at its border.

    Attributes:
        sigma: Range of the standard deviation, in pixels of the canvas.
        p: How often.
    """

    name: ClassVar[str] = "blur"
    sigma: tuple[float, float] = (0.1, 1.0)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "sigma", self.sigma, 0.01, 100.0)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``sigma`` in pixels, 0 where it isn't applied."""
        sigma = draws.between(*self.sigma)
        return {"sigma": torch.where(draws.happens(self.p), sigma, 0.0)}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Two batched products with the S×S matrix that blurs a line, for the samples that are blurred."""
        channels, size = images.shape[1:3]
        sigma = parameters["sigma"].to(images.dtype)
        reach = min(int(self.sigma[1] * REACH), size - 1)
        # Asking a GPU which are blurred would wait for it, so there all go through: σ = 0 is the identity.
        chosen = torch.nonzero(sigma > 0)[:, 0] if images.device.type == "cpu" else None
        if chosen is not None:
            if not len(chosen) or not reach:
                return images, mask
            sigma, part = sigma[chosen], images[chosen]
        else:
            part = images
        blur = _matrices(sigma, reach, size)
        across = torch.bmm(part.reshape(len(part), channels * size, size), blur.transpose(1, 2))
        blurred = torch.matmul(blur[:, None], across.reshape(part.shape))
        return (blurred if chosen is None else images.index_copy(0, chosen, blurred)), mask

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """albumentations' ``GaussianBlur`` with this σ."""
        sigma = float(parameters["sigma"])
        reach = min(int(sigma * REACH), image.shape[0] - 1)
        if not reach:
            return image
        blur = backend().GaussianBlur(blur_limit=(2 * reach + 1,) * 2, sigma_limit=(sigma, sigma), p=1.0)
        blurred: NDArray[np.float32] = blur(image=image)["image"]
        return blurred.reshape(image.shape)


def _matrices(sigma: Tensor, reach: int, size: int) -> Tensor:
    """``[B, S, S]``: row i holds what output pixel i takes from each input pixel, mirrored at the border."""
    distance = torch.arange(-reach, reach + 1, device=sigma.device, dtype=sigma.dtype)
    narrow = sigma[:, None].clamp(min=1e-3)
    weights = torch.exp(-0.5 * (distance / narrow) ** 2)
    weights = weights * (distance.abs() <= torch.floor(sigma[:, None] * REACH))
    weights = weights / weights.sum(dim=1, keepdim=True)
    matrices = torch.zeros((len(sigma), size, size), device=sigma.device, dtype=sigma.dtype)
    places = _mirrored(reach, size, sigma.device).expand(len(sigma), -1, -1)
    return matrices.scatter_add_(2, places, weights[:, None, :].expand(-1, size, -1))


@functools.lru_cache(maxsize=16)
def _mirrored(reach: int, size: int, device: torch.device) -> Tensor:
    """int64 ``[S, 2·reach + 1]``: the pixel at each distance from each pixel, ``dcb|abcd|cba``."""
    places = torch.arange(size)[:, None] + torch.arange(-reach, reach + 1)
    places = places.abs()
    return torch.where(places >= size, 2 * (size - 1) - places, places).to(device)
