"""Preprocess of recordings: one channel, one rate, one level; and, on the device, a log-mel spectrogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import register_preprocess
from ssl_domains_audio.files import full_scale
from ssl_domains_audio.inputs.log_mel import LogMel
from ssl_domains_audio.inputs.resampling import resampled, resampled_length

__all__ = ["MelPreprocess", "SoundPreprocess"]

_SILENCE = 1e-7  # root mean square below which a recording is silence: -140 dB of full scale


@register_preprocess
@dataclass(frozen=True)
class SoundPreprocess:
    """Recordings ``[t, c]`` in the type of their file to waveforms float32 ``[1, 1, T]`` at one rate.

    The channel is the mean of all channels, or the one that the column ``channel`` names. ``T`` is
    ``round(seconds × rate)``.

    Attributes:
        rate: Sampling rate of the waveforms in Hz.
        level: ``"recording"``: the mean of the recording is taken off, and it is divided by its root mean square; a
            constant recording becomes silence, 0. ``"fixed"``: ±1 is full scale.
        fitted: Lines that are printed when a training starts.
    """

    name: ClassVar[str] = "sound"
    columns: ClassVar[tuple[str, ...]] = ("rate",)
    may_read: ClassVar[tuple[str, ...]] = ("channel",)
    rate: int
    level: Literal["recording", "fixed"] = "recording"
    fitted: tuple[str, ...] = ()

    @property
    def spec(self) -> InputSpec:
        """Waveforms ``[1, T]`` of any length; rate and level are facts, for encoders that were trained on others."""
        return InputSpec("wave", 1, (None,), facts=(("level", self.level), ("rate", self.rate)))

    @property
    def settings(self) -> dict[str, Any]:
        """Values of ``[input]`` that give this preprocess for every table."""
        return {"form": "wave", "rate": self.rate, "level": self.level}

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        """One recording as a batch of one. Values that are not finite become 0.

        Args:
            array: ``[t, c]`` or ``[t]``.
            facts: ``rate`` in Hz; ``channel``, the number of the channel to take, or None for the mean of all.

        Raises:
            DataError: When the array has another rank or no sample, or its rate or channel is unknown.
        """
        native, channel = self._facts(facts)
        if array.ndim not in (1, 2) or not len(array):
            raise DataError(f"a recording has shape {list(array.shape)}", "the preprocess takes [time, channels]")
        signal = _mono(full_scale(array.reshape(len(array), -1)), channel)
        if self.level == "recording":
            signal = signal - signal.mean(dtype=np.float64)
        made = resampled(signal.astype(np.float32), native, self.rate)
        if self.level == "recording":
            level = float(np.sqrt(np.mean(made.astype(np.float64) ** 2))) if len(made) else 0.0
            made = made / np.float32(level) if level > _SILENCE else np.zeros_like(made)
        return self.spec.input(torch.from_numpy(np.ascontiguousarray(made))[None, None])

    def sides(self, shape: Sequence[int], facts: Mapping[str, Any] | None = None) -> tuple[int]:
        """Length ``T`` of the waveform of an array of this shape."""
        return (resampled_length(shape[0], self._facts(facts)[0], self.rate),)

    def require(self, table: SampleTable, store: ArrayStore) -> None:
        """Check the rates and lengths of all recordings before any is read.

        Raises:
            DataError: When a rate is missing or not above 0, or a recording has no sample at the common rate.
        """
        samples = store.of(table)
        rates = table.numbers("rate")[samples.decoded]
        wrong = int((~(rates > 0)).sum())
        if wrong:
            raise DataError(f"{wrong} rows have no sampling rate", "the column rate holds it in Hz; scan writes it")
        lengths = samples.shapes()[samples.decoded][:, 0] / rates * self.rate
        if (lengths < 0.5).any():
            cause = f"{int((lengths < 0.5).sum())} recordings have no sample at {self.rate:,} Hz"
            raise DataError(cause, "leave them out: ssl-domains tables filter")

    def stored_form(self, dtypes: set[np.dtype[Any]]) -> tuple[torch.dtype, bool, bool]:
        """Form of cached inputs: float32, none with a mask."""
        return torch.float32, False, False

    def to_dict(self) -> dict[str, Any]:
        """Settings, as JSON values."""
        return {**asdict(self), "fitted": list(self.fitted)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SoundPreprocess:
        """The reverse of `to_dict`."""
        return cls(**{**values, "fitted": tuple(values["fitted"])})

    @staticmethod
    def _facts(facts: Mapping[str, Any] | None) -> tuple[float, int | None]:
        facts = facts or {}
        rate, channel = facts.get("rate"), facts.get("channel")
        if rate is None or not rate > 0:
            raise DataError(
                "the sampling rate of a recording is unknown", "give it in Hz: preprocess(array, {'rate': 8000})"
            )
        return float(rate), None if channel is None else int(channel)


@register_preprocess
@dataclass(frozen=True)
class MelPreprocess:
    """Recordings to log-mel spectrograms float32 ``[1, 1, bands, frames]``.

    Waveforms are loaded, and changed by the views; `finish` makes the spectrograms on the device.

    Attributes:
        sound: From recordings to waveforms.
        mel: From waveforms to spectrograms.
    """

    name: ClassVar[str] = "log-mel"
    columns: ClassVar[tuple[str, ...]] = SoundPreprocess.columns
    may_read: ClassVar[tuple[str, ...]] = SoundPreprocess.may_read
    sound: SoundPreprocess
    mel: LogMel

    @property
    def spec(self) -> InputSpec:
        """Spectrograms ``[1, bands, frames]`` with any number of frames."""
        return self.mel.spec

    @property
    def settings(self) -> dict[str, Any]:
        """Values of ``[input]`` that give this preprocess for every table."""
        return {**self.sound.settings, **self.mel.to_dict(), "form": "mel"}

    @property
    def loaded(self) -> InputSpec:
        """Waveforms ``[1, T]`` of any length."""
        return self.sound.spec

    @property
    def fitted(self) -> tuple[str, ...]:
        """Lines that are printed when a training starts."""
        return (*self.sound.fitted, self.mel.described)

    def compact(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        """The waveform of a recording; see `SoundPreprocess`."""
        return self.sound(array, facts)

    def finish(self, x: Input) -> Input:
        """The spectrograms of waveforms, on their device."""
        return self.mel(x)

    @staticmethod
    def shown(x: Input) -> Tensor:
        """The picture of a batch of one on pages, ``[1, bands, frames]``: high frequencies at the top."""
        return x.values[0].flip(1)

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        """The spectrogram of one recording, as a batch of one.

        Raises:
            DataError: In the cases of `SoundPreprocess`.
        """
        return self.finish(self.compact(array, facts))

    def sides(self, shape: Sequence[int], facts: Mapping[str, Any] | None = None) -> tuple[int]:
        """Length of the waveform of an array of this shape."""
        return self.sound.sides(shape, facts)

    def require(self, table: SampleTable, store: ArrayStore) -> None:
        """See `SoundPreprocess.require`."""
        self.sound.require(table, store)

    def stored_form(self, dtypes: set[np.dtype[Any]]) -> tuple[torch.dtype, bool, bool]:
        """Form of cached waveforms: float32, none with a mask."""
        return self.sound.stored_form(dtypes)

    def to_dict(self) -> dict[str, Any]:
        """Settings, as JSON values."""
        return {"sound": self.sound.to_dict(), "mel": self.mel.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MelPreprocess:
        """The reverse of `to_dict`."""
        return cls(SoundPreprocess.from_dict(values["sound"]), LogMel.from_dict(values["mel"]))


def _mono(samples: NDArray[np.float32], channel: int | None) -> NDArray[np.float64]:
    """One channel of ``[t, c]``, or the mean of all, float64 ``[t]``."""
    finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    if channel is None:
        return np.asarray(finite.mean(axis=1, dtype=np.float64))
    if not 0 <= channel < finite.shape[1]:
        cause = f"the column channel names channel {channel} of a recording with {finite.shape[1]}"
        raise DataError(cause, "channels are counted from 0; leave the value out for the mean of all")
    return finite[:, channel].astype(np.float64)
