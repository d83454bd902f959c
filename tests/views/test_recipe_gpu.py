"""Views made on a GPU are those made on the CPU; a file of its own, as it needs neither albumentations nor OpenCV."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views import (
    Blur,
    HorizontalFlip,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    VerticalFlip,
    ViewRecipe,
    ViewStep,
)

WHY = "a reason"
GEOMETRY: tuple[ViewStep, ...] = (
    Rotate((-30.0, 30.0), reason=WHY), RandomResizedCrop((0.3, 1.0), reason=WHY), HorizontalFlip(reason=WHY),
    VerticalFlip(reason=WHY),
)  # fmt: skip
RECIPE = ViewRecipe((*GEOMETRY, Intensity(reason=WHY), Blur(reason=WHY), Noise(reason=WHY)), 32)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_views_on_the_gpu_equal_those_on_the_cpu(
    pictures: Callable[..., NDArray[np.float32]], batched: Callable[[NDArray[np.float32]], Tensor]
) -> None:
    images = batched(pictures("smooth", 3))
    cpu = RECIPE.device_views(images, seed=1, step=2, slots=torch.arange(12))
    gpu = RECIPE.device_views(images.cuda(), seed=1, step=2, slots=torch.arange(12))
    for a, b in zip(cpu, gpu, strict=True):
        assert a.mask is not None
        assert b.mask is not None
        assert (a.mask != b.mask.cpu()).float().mean() < 1e-3
        assert ((a.images - b.images.cpu()).abs() * a.mask * b.mask.cpu()).max() < 1e-4
