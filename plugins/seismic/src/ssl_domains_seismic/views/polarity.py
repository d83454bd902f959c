"""Change the sign of all amplitudes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views import Draws
from ssl_domains.views.steps.declared import Declared, check_share
from ssl_domains_seismic.views.zero import ZERO

__all__ = ["Polarity"]


@dataclass(frozen=True)
class Polarity(Declared):
    """Changes the sign of all amplitudes of a picture: 1 − x, so that the amplitude 0 stays ½.

    It is used only when it is asked for, because the sign of a reflection says whether the rock below is harder or
    softer, and views of both signs teach an encoder to ignore that. Use it where files of both polarity conventions are
    trained together.

    Attributes:
        p: Probability that the sign is changed.
    """

    name: ClassVar[str] = "polarity"
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``reversed``, bool."""
        return {"reversed": draws.happens(self.p)}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Change the signs of a batch."""
        return torch.where(parameters["reversed"][:, None, None, None], 2 * ZERO - images, images), mask

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The same in NumPy."""
        return np.asarray(2 * ZERO - image, dtype=np.float32) if parameters["reversed"] else image
