"""Log-mel spectrogram of a batch of waveforms, computed on their device."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.views.sequences.step import lengths_along
from ssl_domains_audio.inputs.filterbank import Scale, empty_filters, mel_filters

__all__ = ["UNIT_DB", "LogMel"]

UNIT_DB = 20.0
"""Decibels of one unit of a spectrogram: a factor of 10 in amplitude."""


@dataclass(frozen=True)
class LogMel:
    """Waveforms ``[B, 1, T]`` to spectrograms ``[B, 1, bands, 1 + T // hop]`` of kind ``"mel"``.

    The power of a frame is that of its Hann-windowed samples, summed with the weights of each mel filter; frames are
    centred at the samples 0, hop, 2·hop, …, with silence before the first and after the last valid sample. The power
    is that of ``librosa.feature.melspectrogram``. It is divided by the power of white noise with variance 1, so values
    don't depend on rate, window and bands: ``dB = 10 log10(power / power of white noise)``.

    The encoder gets ``(max(dB, floor_db) - floor_db) / 20``: 0 is the floor, which stands for silence and padding, and
    one unit is 20 dB. So the zeros with which convolutions pad a map are silence too.

    Attributes:
        rate: Sampling rate in Hz.
        window: Samples of a frame.
        hop: Samples between the centres of frames.
        n_fft: Samples of the Fourier transform; frames are padded to it.
        bands: Number of mel bands.
        low_hz: Lower end of the lowest band.
        high_hz: Upper end of the highest band.
        scale: Mel scale.
        floor_db: Lowest value in dB.

    Raises:
        UsageError: When the frequencies or lengths don't fit each other, or a filter is empty.
    """

    rate: int
    window: int
    hop: int
    n_fft: int
    bands: int
    low_hz: float
    high_hz: float
    scale: Scale = "slaney"
    floor_db: float = -60.0

    def __post_init__(self) -> None:
        if not 0 <= self.low_hz < self.high_hz <= self.rate / 2:
            cause = f"mel bands from {self.low_hz:g} to {self.high_hz:g} Hz at a rate of {self.rate:,} Hz"
            raise UsageError(cause, f"--set input.high_hz={self.rate / 2:g} is the highest; low_hz lies below high_hz")
        if not 2 <= self.window <= self.n_fft or self.hop < 1:
            cause = f"a window of {self.window} samples, a transform of {self.n_fft} and a hop of {self.hop}"
            raise UsageError(cause, f"the transform holds the window: --set input.n_fft={_power_of_two(self.window)}")
        if self.bands < 1 or self.floor_db >= 0:
            raise UsageError(f"{self.bands} bands, floor {self.floor_db:g} dB", "at least 1 band, a floor below 0")
        self._require_filled()

    def _require_filled(self) -> None:
        """Refuse filters that hold no frequency of the transform: they would be constant channels."""
        empty = self._empty_with(self.bands, self.n_fft)
        if not empty:
            return
        verb = "is" if empty == 1 else "are"
        cause = (
            f"{empty} of {self.bands} mel filters ({self.scale}) {verb} empty at {self.rate:,} Hz with n_fft = "
            f"{self.n_fft}: they lie between two frequencies of the transform, so their bands are constant"
        )
        most = next((n for n in range(self.bands - 1, 0, -1) if not self._empty_with(n, self.n_fft)), 1)
        longer = _power_of_two(self.n_fft + 1)
        while self._empty_with(self.bands, longer):
            longer *= 2
        raise UsageError(cause, f"--set input.bands={most}, or --set input.n_fft={longer}")

    def _empty_with(self, bands: int, n_fft: int) -> int:
        return empty_filters(self.rate, n_fft, bands, self.low_hz, self.high_hz, self.scale)

    @property
    def spec(self) -> InputSpec:
        """Spectrograms ``[1, bands, frames]`` with any number of frames; padding is the floor, 0."""
        return InputSpec("mel", 1, (self.bands, None))

    @property
    def described(self) -> str:
        """The settings in one line."""
        milliseconds = 1000 / self.rate
        return (
            f"log-mel: {self.bands} bands ({self.scale}) from {self.low_hz:g} to {self.high_hz:g} Hz, windows of "
            f"{self.window * milliseconds:g} ms every {self.hop * milliseconds:g} ms, no empty filter, floor "
            f"{self.floor_db:g} dB"
        )

    def frames(self, samples: int) -> int:
        """Number of frames of so many samples: the first at sample 0, then one every ``hop`` samples."""
        return 1 + samples // self.hop

    def power(self, waves: Tensor) -> Tensor:
        """Mel power of waveforms, float32 ``[B, T]`` to ``[B, bands, 1 + T // hop]``, with silence around them."""
        window, filters = _constants(self, waves.device)
        with torch.autocast(waves.device.type, enabled=False):
            transform = torch.stft(
                waves.float(), self.n_fft, self.hop, self.window, window,
                center=True, pad_mode="constant", return_complex=True,
            )  # fmt: skip
            return filters @ (transform.real.square() + transform.imag.square())

    def __call__(self, x: Input) -> Input:
        """The spectrograms of a batch.

        Args:
            x: Waveforms ``[B, 1, T]``; values at invalid places are not read.

        Returns:
            Spectrograms of the form `spec`. A frame is valid where its centre lies within its sample, or one sample
            behind it.
        """
        values, valid = x.values[:, 0], None
        if x.valid is not None:
            values = values.masked_fill(~x.valid[:, 0], 0.0)
        powers = self.power(values)
        floor = 10 ** (self.floor_db / 10)
        levels = 10 * (powers / self.reference).clamp(min=floor).log10()
        made = ((levels - self.floor_db) / UNIT_DB)[:, None]
        if x.valid is not None:
            length = lengths_along(x, 0)
            count = torch.where(length > 0, 1 + length // self.hop, 0)
            inside = torch.arange(made.shape[3], device=made.device) < count[:, None]
            valid = inside[:, None, None, :].expand(-1, -1, self.bands, -1)
            made = made.masked_fill(~valid, 0.0)
        return self.spec.input(made, valid)

    @property
    def reference(self) -> float:
        """Mel power of white noise with variance 1: the filters have area 1 over frequency."""
        window = torch.hann_window(self.window, dtype=torch.float64)
        return float(window.square().sum()) * self.n_fft / self.rate

    def to_dict(self) -> dict[str, Any]:
        """Settings, as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LogMel:
        """The reverse of `to_dict`."""
        return cls(**values)


@functools.lru_cache(maxsize=16)
def _constants(settings: LogMel, device: torch.device) -> tuple[Tensor, Tensor]:
    """Hann window ``[window]`` and filters ``[bands, n_fft // 2 + 1]``, float32 on a device."""
    filters = mel_filters(
        settings.rate, settings.n_fft, settings.bands, settings.low_hz, settings.high_hz, settings.scale
    )
    window = torch.hann_window(settings.window, dtype=torch.float64)
    return window.float().to(device), torch.from_numpy(filters).float().to(device)


def _power_of_two(number: int) -> int:
    """The smallest power of two that is not below a number."""
    return 1 << math.ceil(math.log2(number))
