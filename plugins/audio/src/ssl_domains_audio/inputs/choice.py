"""Chooses the preprocess of a table: rate, window, hop and bands follow from the recordings unless they are set."""

from __future__ import annotations

import math

import numpy as np

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains_audio.inputs.log_mel import LogMel
from ssl_domains_audio.inputs.settings import SoundSettings
from ssl_domains_audio.inputs.sound_preprocess import MelPreprocess, SoundPreprocess
from ssl_domains_audio.rates import usual_rate

__all__ = ["log_mel_of", "sounds_for"]

_WINDOW_S, _HOP_S = 0.032, 0.010
_NARROW, _FEW_BANDS, _MANY_BANDS = 8_000, 40, 80
_FLOOR_DB, _FIXED_FLOOR_DB = -60.0, -100.0
_OF_MEL = ("bands", "window", "hop", "n_fft", "low_hz", "high_hz", "scale", "floor_db")


def sounds_for(table: SampleTable, settings: SoundSettings | None = None) -> MelPreprocess | SoundPreprocess:
    """The preprocess of a table of recordings.

    Args:
        table: The training rows, with the column ``rate`` in Hz.
        settings: The section ``[input]``; None for the defaults.

    Raises:
        DataError: When no row has a rate.
        UsageError: For settings that don't fit each other, and for filters that would be empty.
    """
    settings = settings or SoundSettings()
    rates = table.numbers("rate")
    rates = rates[rates > 0]
    if not len(rates):
        raise DataError(
            "no row has a sampling rate", "the column rate holds it in Hz; ssl-domains audio scan writes it"
        )
    rate = settings.rate or usual_rate(rates.tolist())
    sound = SoundPreprocess(rate, settings.level, _said(rates, rate))
    if settings.form == "mel":
        return MelPreprocess(sound, log_mel_of(rate, settings))
    for name in _OF_MEL:
        if getattr(settings, name) != SoundSettings.model_fields[name].default:
            cause = f"input.{name} belongs to spectrograms, and input.form is 'wave'"
            raise UsageError(cause, f"leave input.{name} out, or use --set input.form=mel")
    return sound


def log_mel_of(rate: int, settings: SoundSettings) -> LogMel:
    """The spectrogram at a rate: 32-ms windows rounded to a power of two, every 10 ms, unless they are set.

    Args:
        rate: Sampling rate in Hz.
        settings: The section ``[input]``.

    Raises:
        UsageError: For settings that don't fit each other, and for filters that would be empty.
    """
    window = settings.window or settings.n_fft or 2 ** round(math.log2(_WINDOW_S * rate))
    floor = _FLOOR_DB if settings.level == "recording" else _FIXED_FLOOR_DB
    return LogMel(
        rate=rate,
        window=window,
        hop=settings.hop or max(1, round(_HOP_S * rate)),
        n_fft=settings.n_fft or 1 << math.ceil(math.log2(window)),
        bands=settings.bands or (_FEW_BANDS if rate <= _NARROW else _MANY_BANDS),
        low_hz=settings.low_hz,
        high_hz=rate / 2 if settings.high_hz is None else settings.high_hz,
        scale=settings.scale,
        floor_db=floor if settings.floor_db is None else settings.floor_db,
    )


def _said(rates: np.ndarray[tuple[int], np.dtype[np.float64]], rate: int) -> tuple[str, ...]:
    """Lines on the common rate and the recordings that have another one."""
    other, lower = int((rates != rate).sum()), int((rates < rate).sum())
    line = f"waveforms at {rate:,} Hz" + (f"; {other:,} of {len(rates):,} recordings resampled" if other else "")
    if not lower:
        return (line,)
    lowest = round(float(rates.min()))
    return (
        line,
        f"{lower:,} recordings have a lower rate, and no sound above half of it: an encoder can tell them by that. "
        f"--set input.rate={lowest} makes all alike",
    )
