"""Tilt the layers of a section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views import Draws, Geometric
from ssl_domains.views.steps.declared import Declared, check_range, check_share
from ssl_domains_seismic.views.column_shift import column_shifted

__all__ = ["Dip"]


@dataclass(frozen=True)
class Dip(Declared, Geometric):
    """Moves each trace of a section down in proportion to its distance from the middle trace: layers dip more or less.

    Unlike a rotation, it leaves traces vertical and the distance of layers in time as it was. Rows are time, so the
    step is of no use for time slices. Places without data move with their trace. Places that come from outside the
    picture are not valid; they hold the picture, reflected at its border.

    Attributes:
        slope: Range of the added dip, in rows per column (samples per trace, where the picture isn't resized); positive
            is down to the right. For samples of 4 ms and traces 25 m apart, 0.1 is 16 ms per km.
        p: Probability that layers are tilted.
    """

    name: ClassVar[str] = "dip"
    exposes: ClassVar[bool] = True
    slope: tuple[float, float] = (-0.1, 0.1)
    p: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "slope", self.slope, -1.0, 1.0)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``slope``, 0 where the step isn't applied."""
        slope = draws.between(*self.slope)
        return {"slope": torch.where(draws.happens(self.p), slope, 0.0)}

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """The place as far above as its trace moves down."""
        return x, y - parameters["slope"].to(y.dtype)[:, None, None] * x

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The same by `column_shifted`."""
        size = len(image)
        return column_shifted(image, float(parameters["slope"]) * (np.arange(size, dtype=np.float64) - (size - 1) / 2))
