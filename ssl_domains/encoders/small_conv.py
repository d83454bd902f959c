"""A four-layer convolutional network for small pictures and quick studies, registered with timm as ``small_conv``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from timm.models import build_model_with_cfg, register_model
from torch import Tensor, nn

__all__ = ["SmallConv", "small_conv"]

default_cfgs = {
    "small_conv": {
        "url": "",
        "num_classes": 0,
        "input_size": (3, 32, 32),
        "pool_size": (4, 4),
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "first_conv": "stages.0.0",
        "classifier": "fc",
    }
}


class SmallConv(nn.Module):
    """Four 3×3 convolutions, each with BatchNorm and ReLU, the last three of stride 2; 0.1 M parameters.

    As in timm, ``forward_features`` returns ``[B, F, H/8, W/8]`` and ``forward_head`` pools it to ``[B, F]``.

    Args:
        num_classes: Width of a linear classifier, 0 for none.
        in_chans: Channels of the input.
        widths: Channels of the four layers.
    """

    def __init__(
        self, num_classes: int = 0, in_chans: int = 3, widths: tuple[int, int, int, int] = (16, 32, 64, 128)
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.num_features = self.head_hidden_size = widths[-1]
        self.stages = nn.Sequential()
        self.feature_info: list[dict[str, Any]] = []
        for before, after, stride in zip((in_chans, *widths), widths, (1, 2, 2, 2), strict=False):
            index = len(self.stages)
            self.feature_info.append({"num_chs": after, "reduction": 2**index, "module": f"stages.{index}"})
            convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
            self.stages.append(nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)))
        self.fc: nn.Module
        self.reset_classifier(num_classes)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Patterns of the parameter names of each stage, as in timm."""
        return {"blocks": r"^stages\.(\d+)"}

    def reset_classifier(self, num_classes: int) -> None:
        """Replace the classifier; with 0 classes the output is the pooled features."""
        self.num_classes = num_classes
        self.fc = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def forward_features(self, x: Tensor) -> Tensor:
        """``[B, C, H, W]`` to ``[B, F, H/8, W/8]``."""
        return torch.as_tensor(self.stages(x))

    def forward_intermediates(
        self,
        x: Tensor,
        indices: Sequence[int] | None = None,
        output_fmt: str = "NCHW",
        intermediates_only: bool = True,
    ) -> list[Tensor]:
        """The maps of the stages (stride 1, 2, 4 and 8), all or those at ``indices``; as in timm."""
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps if indices is None else [maps[index] for index in indices]

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Average over the map, then apply the classifier unless ``pre_logits``."""
        pooled = x.mean(dim=(2, 3))
        return pooled if pre_logits else torch.as_tensor(self.fc(pooled))

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, H, W]`` to ``[B, F]``, or ``[B, num_classes]``."""
        return self.forward_head(self.forward_features(x))


@register_model  # type: ignore[untyped-decorator]
def small_conv(pretrained: bool = False, **kwargs: Any) -> SmallConv:
    """Build the network; ``timm.create_model("small_conv")`` calls it once `ssl_domains.encoders` is imported."""
    model = build_model_with_cfg(SmallConv, "small_conv", pretrained, **kwargs)
    assert isinstance(model, SmallConv)
    return model
