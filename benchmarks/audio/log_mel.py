"""Log-mel spectrograms of a batch, as a training makes them on the device, against librosa."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import librosa
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.audio.files import clip
from benchmarks.result import Row
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.inputs import Input
from ssl_domains_audio.inputs import LogMel, MelPreprocess, SoundPreprocess, SoundSettings, log_mel_of
from ssl_domains_audio.inputs.log_mel import UNIT_DB

__all__ = ["Batch", "arms_of", "log_mel_rows"]

_POWER = 1e-5  # largest difference of the power, as a share of the largest power of the clip
_UNITS = 1e-3  # largest difference of the values; a unit is 20 dB


@dataclass(frozen=True)
class Batch:
    """A batch of clips.

    Attributes:
        clips: Their number.
        samples: Samples of each.
        rate: Samples a second.
    """

    clips: int
    samples: int
    rate: int

    @property
    def words(self) -> str:
        """For the table."""
        return f"{self.clips} clips of {self.samples / self.rate:g} s at {self.rate / 1000:g} kHz"


def log_mel_rows(batch: Batch, rounds: int, calls: int) -> Iterator[Row]:
    """Ratios of processor time, after the values of all arms were compared.

    Args:
        batch: What is computed.
        rounds: How often each arm is timed.
        calls: Calls of an arm in each round.

    Raises:
        AssertionError: When an arm gives other values.
    """
    arms = arms_of(batch)
    _assert_agreement(batch, arms)
    seconds = interleave(arms, rounds, calls=calls, clock=time.process_time)
    yield Row.of(f"log-mel of {batch.words}", spread([1000 * one for one in seconds["ours"]]), "ms")
    loop, batched = (paired_ratio(seconds[name], seconds["ours"]) for name in ("librosa, clip by clip", "librosa"))
    yield Row.at_least(f"librosa clip by clip / ours, {batch.words}", loop, "×", 2.5)
    yield Row.at_least(f"librosa on the whole batch / ours, {batch.words}", batched, "×", 0.7)


def arms_of(batch: Batch) -> dict[str, Callable[[], NDArray[np.float32]]]:
    """Spectrograms of the same waveforms, float32 ``[clips, bands, frames]`` in the unit of the encoder's input.

    ``ours`` is the part of the preprocess that runs on the device; the others call librosa for the whole batch and for
    each clip. librosa makes its mel filters at each call.
    """
    sound = SoundPreprocess(batch.rate)
    preprocess = MelPreprocess(sound, log_mel_of(batch.rate, SoundSettings()))
    sounds = [clip(number, batch.samples, batch.rate)[:, None] for number in range(batch.clips)]
    waves = Input.cat([preprocess.compact(one, {"rate": batch.rate}) for one in sounds])
    array = waves.values[:, 0].numpy()

    def ours() -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(preprocess.finish(waves).values[:, 0].numpy())

    def one_by_one() -> NDArray[np.float32]:
        return np.stack([_librosa(one, preprocess.mel) for one in array])

    return {
        "ours": ours, "librosa": lambda: _librosa(array, preprocess.mel), "librosa, clip by clip": one_by_one,
    }  # fmt: skip


def _librosa(waves: NDArray[np.float32], mel: LogMel) -> NDArray[np.float32]:
    """Spectrograms of ``[t]`` or ``[clips, t]`` by librosa, at the same floor and in the same unit."""
    reference = mel.reference
    decibels = librosa.power_to_db(
        _power(waves, mel), ref=reference, amin=reference * 10 ** (mel.floor_db / 10), top_db=None
    )
    return np.asarray((decibels - mel.floor_db) / UNIT_DB, dtype=np.float32)


def _power(waves: NDArray[np.float32], mel: LogMel) -> NDArray[Any]:
    return np.asarray(
        librosa.feature.melspectrogram(
            y=waves, sr=mel.rate, n_fft=mel.n_fft, hop_length=mel.hop, win_length=mel.window, n_mels=mel.bands,
            fmin=mel.low_hz, fmax=mel.high_hz, htk=mel.scale == "htk", pad_mode="constant",
        )
    )  # fmt: skip


def _assert_agreement(batch: Batch, arms: dict[str, Callable[[], NDArray[np.float32]]]) -> None:
    values = {name: arm() for name, arm in arms.items()}
    for name, value in values.items():
        assert value.shape == values["ours"].shape, f"{name} has another shape"
        assert np.abs(value - values["ours"]).max() <= _UNITS, f"{name} differs: {batch.words}"
    mel = log_mel_of(batch.rate, SoundSettings())
    wave = clip(0, batch.samples, batch.rate)
    power, ours = _power(wave, mel), mel.power(torch.from_numpy(wave)[None])[0].numpy()
    assert np.abs(power - ours).max() <= _POWER * power.max(), f"the power differs: {batch.words}"
