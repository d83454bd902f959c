"""Narrow the band of frequencies of a section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.views import Draws
from ssl_domains.views.steps.declared import Declared, check_range, check_share
from ssl_domains_seismic.views.band import (
    band_passed,
    band_passed_picture,
    check_interval,
    span_to_nyquist,
    to_nyquist,
)
from ssl_domains_seismic.views.zero import ZERO

__all__ = ["SpectralBand"]

_HIGHEST = 10_000.0  # Hz


@dataclass(frozen=True)
class SpectralBand(Declared):
    """Keeps a band of frequencies of each trace. Rows are time, so the step is of no use for time slices.

    Frequencies between the two drawn edges pass unchanged. Below the lower edge, amplitudes fall smoothly to 0 at half
    of it; above the upper edge, to 0 at 4/3 of it. A trace without amplitude stays so. Put the step before those that
    resize the picture, so that the edges are those of the data.

    Attributes:
        low: Range of the lower edge; 0 keeps the lowest frequencies. As a fraction of the Nyquist frequency, which is
            half a cycle per row of the picture; in Hz with ``interval_ms`` or ``span``.
        high: Range of the upper edge, likewise; the smallest must not lie below the largest lower edge.
        interval_ms: Time between two rows of the picture in ms, with which the edges are in Hz.
        span: In the place of ``interval_ms``, where surveys have other sample intervals: a column with the time that
            the rows of each sample cover, ms. A sample of which it isn't known stays as it is.
        p: Probability that the step is applied.
    """

    name: ClassVar[str] = "spectral-band"
    low: tuple[float, float] = (0.0, 0.06)
    high: tuple[float, float] = (0.4, 1.0)
    interval_ms: float | None = None
    p: float = 0.5
    span: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_interval(self.name, self.interval_ms, self.span)
        most = 1.0 if self.interval_ms is None and self.span is None else _HIGHEST
        check_range(self.name, "low", self.low, 0.0, most)
        check_range(self.name, "high", self.high, 0.0, most)
        if not self.low[1] <= self.high[0] > 0:
            cause = f"{self.name}: low up to {self.low[1]:g}, high from {self.high[0]:g}"
            raise UsageError(cause, "let the upper edge be above 0 and not below the lower edge")
        if self.span is None and self.low[1] * to_nyquist(self.interval_ms) >= 1:
            cause = f"{self.name}: low up to {self.low[1]:g}, at or above the Nyquist frequency"
            raise UsageError(cause, "lower it: nothing would be left of a trace")
        check_share(self.name, self.p)

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]  # of the step as it is set
        """The column ``span``, where there is one."""
        return () if self.span is None else (self.span,)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``low`` and ``high`` as fractions of Nyquist, or in Hz with ``span``; and ``used``, bool."""
        scale = to_nyquist(self.interval_ms)
        low, high = draws.between(*self.low) * scale, draws.between(*self.high) * scale
        return {"low": low, "high": high, "used": draws.happens(self.p)}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Filter the traces of a batch; values beyond [0, 1] are clipped."""
        low, high, used = (parameters[key] for key in ("low", "high", "used"))
        if self.span is not None:
            scale = span_to_nyquist(columns[self.span], images.shape[2])
            used, scale = used & scale.isfinite(), scale.nan_to_num(nan=1.0)
            low, high = low * scale, high * scale
        if images.device.type != "cpu":  # selecting samples would wait for the device
            changed = band_passed(images - ZERO, low, high).add_(ZERO).clamp_(0, 1)
            return torch.where(used[:, None, None, None], changed, images), mask
        rows = torch.nonzero(used)[:, 0]
        if not len(rows):
            return images, mask
        changed = band_passed(images[rows] - ZERO, low[rows], high[rows]).add_(ZERO).clamp_(0, 1)
        return images.index_copy(0, rows, changed), mask

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The same by SciPy's cosine transform."""
        scale = 1.0
        if self.span is not None:
            span = torch.tensor(columns[self.span], dtype=torch.float64)
            scale = float(span_to_nyquist(span, len(image)))
        if not parameters["used"] or not np.isfinite(scale):
            return image
        filtered = band_passed_picture(image, float(parameters["low"]) * scale, float(parameters["high"]) * scale)
        return np.asarray(np.clip(filtered + ZERO, 0, 1), dtype=np.float32)
