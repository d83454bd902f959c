"""Gaussian blur, with a width drawn for each sample."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import Declared, check_range, check_share
from ssl_domains.views.steps.pictures import as_images, as_pictures, written
from ssl_domains.views.steps.step import backend

__all__ = ["Blur"]

REACH = 3.5  # standard deviations on either side, as Pillow and albumentations cut the kernel


@dataclass(frozen=True)
class Blur(Declared):
    """Gaussian blur; beyond its border the picture is continued by reflection.

    Attributes:
        sigma: Range of the standard deviation, in pixels of the canvas.
        p: Probability that the step is applied.
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
        """Blur the rows, then the columns, of a batch.

        A CPU filters only the samples with σ > 0. On an accelerator, selecting them would wait for the device, so all
        samples are multiplied twice with an S×S blur matrix, which is the identity for σ = 0.
        """
        reach = min(int(self.sigma[1] * REACH), images.shape[2] - 1)
        blur = blurred_on_cpu if images.device.type == "cpu" else blurred
        return blur(images, parameters["sigma"].to(images.dtype), reach), mask

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


def blurred(images: Tensor, sigma: Tensor, reach: int) -> Tensor:
    """Blur each picture of ``[B, C, S, S]`` by its σ ``[B]``; no kernel is wider than ``reach`` pixels on a side."""
    channels, size = images.shape[1:3]
    blur = _matrices(sigma, reach, size)
    across = torch.bmm(images.reshape(len(images), channels * size, size), blur.transpose(1, 2))
    return torch.matmul(blur[:, None], across.reshape(images.shape))


def blurred_on_cpu(images: Tensor, sigma: Tensor, reach: int) -> Tensor:
    """The same with OpenCV's separable filter, for pictures with σ > 0; the others are copied."""
    if not reach:
        return images
    pictures = as_pictures(images)
    result, kernels = pictures.copy(), _kernels(sigma, reach).numpy()
    places = written(result)
    reaches = torch.floor(sigma * REACH).clamp(max=reach).int().tolist()
    for k in torch.nonzero(sigma > 0)[:, 0].tolist():
        kernel = kernels[k, reach - reaches[k] : reach + reaches[k] + 1]
        cv2.sepFilter2D(pictures[k], -1, kernel, kernel, dst=places[k], borderType=cv2.BORDER_REFLECT_101)
    return as_images(result)


def _kernels(sigma: Tensor, reach: int) -> Tensor:
    """``[B, 2·reach + 1]``: the Gaussian kernel of each sample, cut at `REACH` · σ; for σ = 0 it is 1 in the middle."""
    distance = torch.arange(-reach, reach + 1, device=sigma.device, dtype=sigma.dtype)
    narrow = sigma[:, None].clamp(min=1e-3)
    weights = torch.exp(-0.5 * (distance / narrow) ** 2)
    weights = weights * (distance.abs() <= torch.floor(sigma[:, None] * REACH))
    return weights / weights.sum(dim=1, keepdim=True)


def _matrices(sigma: Tensor, reach: int, size: int) -> Tensor:
    """``[B, S, S]``: blur matrices; row i has the weights of the input pixels in output pixel i."""
    weights = _kernels(sigma, reach)
    matrices = torch.zeros((len(sigma), size, size), device=sigma.device, dtype=sigma.dtype)
    places = _mirrored(reach, size, sigma.device).expand(len(sigma), -1, -1)
    return matrices.scatter_add_(2, places, weights[:, None, :].expand(-1, size, -1))


@functools.lru_cache(maxsize=16)
def _mirrored(reach: int, size: int, device: torch.device) -> Tensor:
    """int64 ``[S, 2·reach + 1]``: for each pixel, its neighbours up to ``reach`` away, reflected ``dcb|abcd|cba``."""
    places = torch.arange(size)[:, None] + torch.arange(-reach, reach + 1)
    places = places.abs()
    return torch.where(places >= size, 2 * (size - 1) - places, places).to(device)
