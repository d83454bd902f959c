"""Settings of the encoder's input: the section ``[input]`` of a configuration, as ``--set input.bands=40``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["SoundSettings"]


class SoundSettings(BaseModel):
    """What the encoder gets of a recording. Settings without a value follow from the rate."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    form: Literal["mel", "wave"] = Field(default="mel", description="'mel' is a log-mel spectrogram, 'wave' a waveform")
    rate: int | None = Field(
        default=None,
        ge=100,
        description="sampling rate in Hz that all recordings are brought to; by default the most common one of the "
        "training rows",
    )
    level: Literal["recording", "fixed"] = Field(
        default="recording",
        description="'recording' divides each recording by its root mean square, 'fixed' keeps ±1 as full scale",
    )
    bands: int | None = Field(default=None, ge=1, description="mel bands; by default 40 up to a rate of 8 kHz, else 80")
    window: int | None = Field(
        default=None, ge=2, description="samples of a frame; by default the power of two nearest to 32 ms"
    )
    hop: int | None = Field(default=None, ge=1, description="samples between frames; by default 10 ms")
    n_fft: int | None = Field(
        default=None,
        ge=2,
        description="samples of the Fourier transform; by default the next power of two of the window",
    )
    low_hz: float = Field(default=0.0, ge=0, description="lower end of the lowest band in Hz")
    high_hz: float | None = Field(
        default=None, gt=0, description="upper end of the highest band in Hz; by default half of the rate"
    )
    scale: Literal["slaney", "htk"] = Field(
        default="slaney", description="mel scale: 'slaney' is linear below 1 kHz, 'htk' is logarithmic throughout"
    )
    floor_db: float | None = Field(
        default=None,
        lt=0,
        description="values below it become the floor, in dB of white noise at level 1; by default -60, and -100 with "
        "level 'fixed'",
    )
