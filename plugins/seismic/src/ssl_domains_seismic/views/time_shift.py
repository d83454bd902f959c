"""Move a section up or down in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.views import Draws, Geometric
from ssl_domains.views.steps.declared import Declared, check_range, check_share
from ssl_domains_seismic.views.column_shift import column_shifted

__all__ = ["TimeShift"]

_MOST = 0.5  # of the height


@dataclass(frozen=True)
class TimeShift(Declared, Geometric):
    """Moves all traces of a section by the same time. Rows are time, so the step is of no use for time slices.

    Places without data move with the picture. Rows that come from outside the picture are not valid; they hold the
    picture, reflected at its border.

    Attributes:
        share: Range of the shift, as a share of the picture's height; positive is downwards, to later times. For 64
            samples of 4 ms, a share of 0.1 is 25.6 ms.
        ms: In the place of ``share``, where surveys have other sample intervals: range of the shift in ms. At most half
            a picture is moved out of it.
        span: With ``ms``: a column with the time that the rows of each sample cover, ms. A sample of which it isn't
            known stays where it is.
        p: Probability that the section is moved.
    """

    name: ClassVar[str] = "time-shift"
    exposes: ClassVar[bool] = True
    share: tuple[float, float] = (-0.1, 0.1)
    p: float = 0.5
    ms: tuple[float, float] | None = None
    span: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "share", self.share, -_MOST, _MOST)
        if (self.ms is None) != (self.span is None):
            raise UsageError(f"{self.name}: ms without span, or span without ms", "give both or neither")
        if self.ms is not None:
            check_range(self.name, "ms", self.ms, -10_000.0, 10_000.0)
        check_share(self.name, self.p)

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]  # of the step as it is set
        """The column ``span``, where there is one."""
        return () if self.span is None else (self.span,)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``shift``, as a share of the height or in ms; 0 where the step isn't applied."""
        shift = draws.between(*(self.share if self.ms is None else self.ms))
        return {"shift": torch.where(draws.happens(self.p), shift, 0.0)}

    def _share(self, shift: Tensor, columns: Mapping[str, Tensor]) -> Tensor:
        """The shift of each sample as a share of its height, ``[B]``."""
        if self.span is None:
            return shift
        return (shift / columns[self.span].to(shift.device)).nan_to_num(0.0, 0.0, 0.0).clamp(-_MOST, _MOST)

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """The place as far above as the section moves down; the whole height is 2."""
        return x, y - 2 * self._share(parameters["shift"], columns).to(y.dtype)[:, None, None]

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The same by `column_shifted`."""
        size = len(image)
        given = {name: torch.tensor(value, dtype=torch.float64) for name, value in columns.items()}
        shift = torch.tensor(parameters["shift"], dtype=torch.float64)
        return column_shifted(image, np.full(size, float(self._share(shift, given)) * size))
