"""Brightness, contrast, saturation and hue of a colour picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import Declared, check_share
from ssl_domains.views.steps.pictures import as_images, as_pictures, convert
from ssl_domains.views.steps.step import backend

__all__ = ["ColorJitter"]

_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class ColorJitter(Declared):
    """The colour changes of SimCLR, in the order brightness, contrast, saturation, hue; three channels, red first.

    Attributes:
        brightness: Factor drawn from 1 ± brightness.
        contrast: Factor drawn from 1 ± contrast, about the mean grey of the picture.
        saturation: Factor drawn from 1 ± saturation.
        hue: Turn of the colour circle, drawn from ±hue; 0.5 is half of it.
        p: Probability that brightness, contrast, saturation and hue are changed.
        grey: Probability that the picture becomes grey, after the other changes.
    """

    name: ClassVar[str] = "colour"
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.1
    p: float = 0.8
    grey: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.name, self.p)
        check_share(self.name, self.grey)
        for what, most in (("brightness", 1.0), ("contrast", 1.0), ("saturation", 1.0), ("hue", 0.5)):
            if not 0 <= getattr(self, what) <= most:
                raise UsageError(f"{self.name}: {what}={getattr(self, what)}", f"give a number from 0 to {most}")

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """Factors ``brightness``, ``contrast``, ``saturation`` (0 for a grey picture), and the turn ``hue``."""
        used = draws.happens(self.p)
        factors = {
            key: torch.where(used, draws.between(1 - width, 1 + width), 1.0)
            for key, width in (
                ("brightness", self.brightness), ("contrast", self.contrast), ("saturation", self.saturation),
            )
        }  # fmt: skip
        factors["hue"] = torch.where(used, draws.between(-self.hue, self.hue), 0.0)
        factors["saturation"] = torch.where(draws.happens(self.grey), 0.0, factors["saturation"])
        return factors

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Change the colours of a batch. The mean grey is taken over the whole square, padding included.

        Raises:
            UsageError: When there aren't three channels.
        """
        _three_channels(images.shape[1])
        brightness, contrast, saturation, hue = (
            parameters[key].to(images.dtype)[:, None, None, None]
            for key in ("brightness", "contrast", "saturation", "hue")
        )
        if not len(images):
            return images, mask
        change = changed_on_cpu if images.device.type == "cpu" else changed
        return change(images, brightness, contrast, saturation, hue if self.hue else None), mask

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """albumentations' ``ColorJitter``, called once for each change, because one call would shuffle their order.

        Raises:
            UsageError: When there aren't three channels.
        """
        _three_channels(image.shape[2])
        nothing = {"brightness": (1.0, 1.0), "contrast": (1.0, 1.0), "saturation": (1.0, 1.0), "hue": (0.0, 0.0)}
        for key in nothing:
            value = float(parameters[key])
            jitter = backend().ColorJitter(**{**nothing, key: (value, value)}, p=1.0)
            image = np.clip(jitter(image=image)["image"], 0, 1)
        return image


def changed(images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor | None) -> Tensor:
    """All changes in torch: images ``[B, 3, H, W]``, factors ``[B, 1, 1, 1]``; ``hue`` None turns no hue."""
    images = (images * brightness).clamp_(0, 1)
    mean = _grey(images).mean(dim=(2, 3), keepdim=True)
    images.mul_(contrast).add_(mean * (1 - contrast)).clamp_(0, 1)
    grey = _grey(images).mul_(1 - saturation)
    images.mul_(saturation).add_(grey).clamp_(0, 1)
    return images if hue is None else _turn_hue(images, hue)


def changed_on_cpu(
    images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor | None
) -> Tensor:
    """The same with OpenCV's colour conversions, in a fifth of the time."""
    images = (images * brightness).clamp_(0, 1).contiguous(memory_format=torch.channels_last)
    grey = torch.from_numpy(convert(as_pictures(images), cv2.COLOR_RGB2GRAY))
    mean = grey.mean(dim=(1, 2))[:, None, None, None]
    images.mul_(contrast).add_(mean * (1 - contrast)).clamp_(0, 1)
    greys = convert(convert(as_pictures(images), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    images.mul_(saturation).addcmul_(as_images(greys), 1 - saturation).clamp_(0, 1)
    if hue is None:
        return images
    turned = convert(as_pictures(images), cv2.COLOR_RGB2HSV)
    # Degrees are kept at or above 0, as some versions of OpenCV convert a negative hue wrongly.
    torch.from_numpy(turned)[..., 0].add_(hue.remainder(1).mul_(360)[:, 0])
    return as_images(convert(turned, cv2.COLOR_HSV2RGB))


def _three_channels(channels: int) -> None:
    if channels != 3:
        raise UsageError(
            f"the view step 'colour' needs 3 channels, not {channels}", "use Intensity in the recipe instead"
        )


def _grey(images: Tensor) -> Tensor:
    red, green, blue = images.unbind(dim=1)
    return (red * _GREY[0]).add_(green, alpha=_GREY[1]).add_(blue, alpha=_GREY[2])[:, None]


def _turn_hue(images: Tensor, hue: Tensor) -> Tensor:
    """Turn the hue of ``[B, 3, H, W]`` by a fraction ``[B, 1, 1, 1]`` of the colour circle.

    Value v and chroma c of HSV stay the same. With the new hue h, channel n is
    v − c·clip(min(k, 4 − k), 0, 1) with k = (n + 6h) mod 6, n = 5, 3, 1.
    """
    red, green, blue = (channel[:, None] for channel in images.unbind(dim=1))
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    by_red, by_green = value == red, value == green
    # h = (difference of the other two) / chroma + 0, 2 or 4, by which channel is the largest.
    turns = torch.where(by_red, green - blue, torch.where(by_green, blue - red, red - green))
    turns.div_(chroma.clamp(min=1e-12)).add_(torch.where(by_red, 0.0, torch.where(by_green, 2.0, 4.0)))
    turns.add_(6 * hue)
    turned = torch.empty_like(images)
    for channel, offset in enumerate((5.0, 3.0, 1.0)):
        k = turns + offset
        k.sub_((k / 6).floor_().mul_(6))
        k = torch.minimum(k, 4 - k).clamp_(0, 1)
        turned[:, channel : channel + 1] = torch.addcmul(value, chroma, k, value=-1)
    return turned
