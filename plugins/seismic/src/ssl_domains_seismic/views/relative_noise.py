"""Add noise whose strength is a share of the amplitudes of the sample."""

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
from ssl_domains.views.draws import normals
from ssl_domains.views.steps.declared import Declared, check_range, check_share
from ssl_domains_seismic.views.band import (
    band_passed,
    band_passed_picture,
    check_interval,
    response,
    span_to_nyquist,
    to_nyquist,
)
from ssl_domains_seismic.views.zero import ZERO

__all__ = ["RelativeNoise"]

_SILENT = 1e-4  # |x − ½| below which a place has no amplitude: holes, muted times


@dataclass(frozen=True)
class RelativeNoise(Declared):
    """Adds Gaussian noise to a picture, clipped to [0, 1]; its strength is relative to the amplitudes of the sample.

    The noise's root mean square is a drawn share of that of the sample's amplitudes, taken over all places that have
    any. White noise is independent in each place and channel; noise of a band is independent in each trace, and has
    these frequencies only, like the noise that processing leaves in a section.

    Attributes:
        ratio: Range of the noise's root mean square over that of the amplitudes; 0.3 is a signal 10 dB above the noise.
        band: Lower and upper edge of the noise's frequencies along the rows, which are then time; None for white noise.
            As fractions of the Nyquist frequency, which is half a cycle per row; in Hz with ``interval_ms`` or
            ``span``.
        interval_ms: Time between two rows of the picture in ms, with which the band is in Hz.
        span: In the place of ``interval_ms``, where surveys have other sample intervals: a column with the time that
            the rows of each sample cover, ms. A sample of which it isn't known gets white noise.
        p: Probability that the step is applied.
    """

    name: ClassVar[str] = "relative-noise"
    ratio: tuple[float, float] = (0.0, 0.3)
    band: tuple[float, float] | None = None
    interval_ms: float | None = None
    p: float = 0.5
    span: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "ratio", self.ratio, 0.0, 10.0)
        check_interval(self.name, self.interval_ms, self.span)
        if self.band is not None and not 0 <= self.band[0] < self.band[1]:
            raise UsageError(f"{self.name}: band {self.band[0]} to {self.band[1]}", "give two edges in order, from 0")
        if self.band is not None and self.span is None and self.band[0] * to_nyquist(self.interval_ms) >= 1:
            cause = f"{self.name}: the band starts at {self.band[0]:g}, at or above the Nyquist frequency"
            raise UsageError(cause, "give edges in Hz with interval_ms, else fractions of Nyquist below 1")
        check_share(self.name, self.p)

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]  # of the step as it is set
        """The column ``span``, where there is one."""
        return () if self.span is None else (self.span,)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``ratio``, 0 where the step isn't applied, and ``key``, int64, from which the noise follows."""
        ratio = draws.between(*self.ratio)
        return {"ratio": torch.where(draws.happens(self.p), ratio, 0.0), "key": draws.keys()}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Add noise to a batch; invalid places get it as well, so that it doesn't show which they are."""
        ratio, key = parameters["ratio"].to(images.dtype), parameters["key"]
        edges = self._edges(columns, images.shape[2], images.device)
        edges = None if edges is None else edges.expand(2, len(images))
        if images.device.type != "cpu":  # selecting samples would wait for the device
            return self._noisy(images, ratio, key, edges), mask
        rows = torch.nonzero(ratio > 0)[:, 0]
        if not len(rows):
            return images, mask
        chosen = None if edges is None else edges[:, rows]
        return images.index_copy(0, rows, self._noisy(images[rows], ratio[rows], key[rows], chosen)), mask

    def _noisy(self, images: Tensor, ratio: Tensor, keys: Tensor, edges: Tensor | None) -> Tensor:
        noise = normals(keys, images.shape[1:])
        if edges is not None:
            low, high = edges
            loss = _loss(low, high, images.shape[2]).to(images.dtype)
            noise = band_passed(noise, low, high) / loss[:, None, None, None]
        amplitudes = images - ZERO
        sounds = amplitudes.abs() > _SILENT
        power = amplitudes.square().sum(dim=(1, 2, 3)) / sounds.sum(dim=(1, 2, 3)).clamp(min=1)
        return torch.addcmul(images, noise, (ratio * power.sqrt())[:, None, None, None]).clamp_(0, 1)

    def _edges(self, columns: Mapping[str, Tensor], size: int, device: torch.device) -> Tensor | None:
        """The band as fractions of Nyquist, float64 ``[2, 1]``, or ``[2, B]`` by sample; None for white noise."""
        if self.band is None:
            return None
        edges = torch.tensor(self.band, dtype=torch.float64, device=device)[:, None]
        if self.span is None:
            return edges * to_nyquist(self.interval_ms)
        scale = span_to_nyquist(columns[self.span].to(device, torch.float64), size)
        everything = torch.tensor([[0.0], [1.0]], dtype=torch.float64, device=device)
        return torch.where(scale.isfinite(), edges * scale, everything)

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The same noise, filtered by SciPy's cosine transform."""
        height, width, channels = image.shape
        drawn = normals(torch.tensor([int(parameters["key"])]), (channels, height, width))[0]
        noise: NDArray[Any] = drawn.numpy().transpose(1, 2, 0)
        given = {name: torch.tensor([value], dtype=torch.float64) for name, value in columns.items()}
        edges = self._edges(given, height, torch.device("cpu"))
        if edges is not None:
            low, high = (float(edge) for edge in edges[:, 0])
            loss = float(_loss(edges[0], edges[1], height)[0])
            noise = band_passed_picture(noise + np.float32(ZERO), low, high) / loss
        amplitudes = image.astype(np.float64) - ZERO
        sounding = amplitudes[np.abs(amplitudes) > _SILENT]
        strength = float(np.sqrt(np.mean(sounding**2))) if sounding.size else 0.0
        return np.asarray(np.clip(image + float(parameters["ratio"]) * strength * noise, 0, 1), dtype=np.float32)


def _loss(low: Tensor, high: Tensor, size: int) -> Tensor:
    """Root mean square of white noise of strength 1 after the filter of each sample, ``[B]``.

    Args:
        low: Lower edges as fractions of Nyquist, float64 ``[B]``.
        high: Upper edges, likewise.
        size: Rows of the pictures.
    """
    frequency = torch.arange(size, dtype=low.dtype, device=low.device) / size
    return response(frequency, low[:, None], high[:, None]).square().mean(dim=1).sqrt().clamp(min=1e-6)
