"""Move a section up or down in time."""

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

__all__ = ["TimeShift"]


@dataclass(frozen=True)
class TimeShift(Declared, Geometric):
    """Moves all traces of a section by the same time. Rows are time, so the step is of no use for time slices.

    Places without data move with the picture. Rows that come from outside the picture are not valid; they hold the
    picture, reflected at its border.

    Attributes:
        share: Range of the shift, as a share of the picture's height; positive is downwards, to later times. For 64
            samples of 4 ms, a share of 0.1 is 25.6 ms.
        p: Probability that the section is moved.
    """

    name: ClassVar[str] = "time-shift"
    exposes: ClassVar[bool] = True
    share: tuple[float, float] = (-0.1, 0.1)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "share", self.share, -0.5, 0.5)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``share``, 0 where the step isn't applied."""
        share = draws.between(*self.share)
        return {"share": torch.where(draws.happens(self.p), share, 0.0)}

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """The place as far above as the section moves down; the whole height is 2."""
        return x, y - 2 * parameters["share"].to(y.dtype)[:, None, None]

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The same by `column_shifted`."""
        size = len(image)
        return column_shifted(image, np.full(size, float(parameters["share"]) * size))
