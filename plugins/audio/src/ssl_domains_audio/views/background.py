"""Mixes each signal with a stretch of a background recording, such as rain, traffic or other voices."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from ssl_domains.errors import DataError, UsageError
from ssl_domains.inputs import Input
from ssl_domains.samples import Problems, ReadError
from ssl_domains.views import Pointwise
from ssl_domains.views.draws import Draws
from ssl_domains.views.sequences.step import fraction, whole_number
from ssl_domains.views.steps.declared import check_range, check_share
from ssl_domains_audio.files import full_scale, load_sound
from ssl_domains_audio.inputs.resampling import resampled
from ssl_domains_audio.scanning.sounds import find_sounds
from ssl_domains_audio.views.kernels import level_of

__all__ = ["Background", "Backgrounds", "backgrounds"]

_MOST_S = 3600.0  # one hour at 16 kHz takes 230 MB
_SILENCE = 1e-7
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Backgrounds:
    """The recordings of a folder, one channel each, at one rate.

    Attributes:
        waves: All of them, one behind the other, float32 ``[samples]``.
        starts: First sample of each, int64 ``[n]``.
        lengths: Number of samples of each, int64 ``[n]``.
        digest: Hash of the samples.
    """

    waves: Tensor
    starts: Tensor
    lengths: Tensor
    digest: str


@dataclass(frozen=True)
class Background(Pointwise):
    """Adds a stretch of one of the recordings of a folder, at a signal-to-noise ratio.

    A background recording that is shorter than the view is repeated. The choice depends on (seed, step, slot, view)
    alone and the recordings are those of a folder that the configuration names, never other samples of the batch.

    Attributes:
        folder: The folder, as the user names it.
        rate: Sampling rate in Hz to which the recordings are brought.
        recordings: Their number.
        digest: Hash of their samples, so that a resumed run notices another folder.
        snr_db: Range of the ratio of the levels in dB.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "background"
    folder: str
    rate: int
    recordings: int
    digest: str
    snr_db: tuple[float, float] = (5.0, 20.0)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "snr_db", self.snr_db, -60.0, 120.0)
        check_share(self.name, self.p)

    @classmethod
    def of(cls, folder: str, rate: int, *, reason: str) -> Self:
        """The step with the recordings of a folder.

        Raises:
            UsageError: When there is no such folder, it holds no sound, or more than an hour of it.
            DataError: When a recording can't be decoded.
        """
        found = backgrounds(folder, rate)
        return cls(folder=folder, rate=rate, recordings=len(found.starts), digest=found.digest, reason=reason)

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``ratio``, the background's share of the amplitude, 0 where it isn't applied; ``number`` of the recording.

        ``start`` is where the stretch begins, in units of 2⁻³⁰ of the length of the recording.
        """
        ratio = 10 ** (-draws.between(*self.snr_db) / 20)
        number = whole_number(fraction(draws), self.recordings)
        return {
            "ratio": torch.where(draws.happens(self.p), ratio, 0.0).float(), "number": number, "start": fraction(draws),
        }  # fmt: skip

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Add backgrounds to a batch ``[B, C, T]``.

        Raises:
            DataError: When the folder holds other recordings than at the start of the run.
        """
        if backgrounds(self.folder, self.rate).digest != self.digest:
            raise DataError(f"the background recordings in {self.folder!r} have changed", "put the former ones back")
        waves, starts, lengths = _on(self.folder, self.rate, x.device)
        number = parameters["number"]
        length = lengths[number]
        first = whole_number(parameters["start"], length)
        places = (first[:, None] + torch.arange(x.values.shape[2], device=x.device)) % length[:, None]
        added = waves[starts[number][:, None] + places][:, None]
        level = level_of(Input(added, x.valid, x.kind, x.ragged))
        share = level_of(x) * parameters["ratio"] / level.clamp(min=_TINY)
        share = torch.where(level > _SILENCE, share, 0.0)
        return torch.addcmul(x.values, added.to(x.values.dtype), share.to(x.values.dtype).view(-1, 1, 1))


@functools.lru_cache(maxsize=4)
def backgrounds(folder: str, rate: int) -> Backgrounds:
    """Read the recordings of a folder, once in a process; the mean of their channels, less its mean.

    Args:
        folder: The folder.
        rate: Sampling rate in Hz of the result.

    Raises:
        UsageError: When there is no such folder, it holds no sound, or more than an hour of it.
        DataError: When a recording can't be decoded.
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise UsageError(f"there is no folder {folder!r} of background recordings", 'views.extra=["background=FOLDER"]')
    sounds = sorted(find_sounds(place.resolve(), Problems()).sounds, key=lambda one: one.name)
    seconds = sum(sound.header.seconds for sound in sounds)
    if seconds > _MOST_S:
        cause = (
            f"{folder!r} holds {seconds / 60:,.0f} minutes of background recordings, {_MOST_S / 60:.0f} are the most"
        )
        raise UsageError(cause, "name a folder with some of them")
    made, digest = [], hashlib.blake2b(digest_size=8)
    for sound in sounds:
        try:
            values = full_scale(load_sound(sound.path)).mean(axis=1, dtype=np.float64)
        except ReadError as error:
            raise DataError(f"the background recording {sound.name} can't be read: {error}", "take it out") from error
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
        wave = resampled((values - values.mean()).astype(np.float32), sound.header.rate, rate)
        if np.sqrt(np.mean(wave.astype(np.float64) ** 2)) > _SILENCE:
            made.append(wave)
            digest.update(wave.tobytes())
    if not made:
        raise UsageError(f"{folder!r} holds no background recording with sound", "name a folder of recordings")
    lengths = torch.tensor([len(wave) for wave in made])
    starts = lengths.cumsum(0) - lengths
    return Backgrounds(torch.from_numpy(np.concatenate(made)), starts, lengths, digest.hexdigest())


@functools.lru_cache(maxsize=4)
def _on(folder: str, rate: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Waves, starts and lengths on a device."""
    found = backgrounds(folder, rate)
    return found.waves.to(device), found.starts.to(device), found.lengths.to(device)
