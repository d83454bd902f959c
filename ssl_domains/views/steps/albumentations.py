"""Any albumentations transform as a step, picture by picture on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import Declared

__all__ = ["Albumentations"]


@dataclass(frozen=True)
class Albumentations(Declared):
    """A transform of albumentations, or a ``Compose`` of several, applied with the transform's ``p``.

    It gets float32 H×W×C in [0, 1] and must keep the shape. It is seeded for each (seed, step, slot, view), so views
    stay reproducible. On a GPU every batch is copied to the CPU and back, and changed one picture at a time. The mask
    is not changed, so use a transform that moves pixels only on canvases without padding.

    Example:
        >>> Albumentations(A.CLAHE(p=0.5), reason="fundus cameras differ in local contrast")     # doctest: +SKIP

    Attributes:
        transform: The transform of albumentations.
        label: Name of the step in a report, to distinguish several such steps; the transform's class if empty.
    """

    name: ClassVar[str] = "albumentations"
    transform: Any = field(compare=False)
    label: str = ""

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``seed``, int64 ≥ 0."""
        return {"seed": draws.keys() & 0xFFFF_FFFF}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Copy the batch to the CPU, apply the transform to each picture, and copy it back."""
        pictures = images.permute(0, 2, 3, 1).cpu().contiguous().numpy()
        seeds = parameters["seed"].tolist()
        changed = [self.cpu(picture, {"seed": seed}, {}) for picture, seed in zip(pictures, seeds, strict=True)]
        batch = torch.from_numpy(np.stack(changed)).permute(0, 3, 1, 2).contiguous()
        return batch.to(images.device), mask

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """Apply the transform with the drawn seed.

        Raises:
            UsageError: When the transform changes the shape or the type of the picture.
        """
        self.transform.set_random_seed(int(parameters["seed"]))
        changed = self.transform(image=image)["image"]
        if changed.shape != image.shape or changed.dtype != np.float32:
            label = self.label or type(self.transform).__name__
            raise UsageError(
                f"{label} made {changed.dtype} {changed.shape} of float32 {image.shape}",
                "a view step keeps shape and type; resize with the canvas",
            )
        return np.ascontiguousarray(changed)

    def to_dict(self) -> dict[str, Any]:
        """Name, label, reason, and albumentations' description of the transform, as JSON values."""
        described = self.transform.to_dict().get("transform", {})
        return {
            "name": self.name, "label": self.label or type(self.transform).__name__, "reason": self.reason,
            "transform": _plain(described),
        }  # fmt: skip


def _plain(value: Any) -> Any:
    """Convert to JSON values: albumentations' descriptions contain tuples and NumPy numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
