"""A sample as a short wav file that every browser plays."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ssl_domains_audio.files.scale import full_scale
from ssl_domains_audio.report.channels import mono

__all__ = ["MOST_BYTES", "wav_of"]

MOST_BYTES = 100_000
"""Size of the samples of a file: 3 s of one channel at 16,000 Hz fit."""

_MOST_HZ, _LEAST_HZ = 16_000, 4_000  # browsers refuse lower rates
_MOST_S = 3.0


def wav_of(array: NDArray[Any], row: Mapping[str, Any]) -> bytes | None:
    """The first 3 s of a sample as a wav file of 16 bits; None where its rate is not known or it has no samples.

    Two channels stay two where they fit and the table doesn't name the channel to take; more are mixed. Rates above
    16,000 Hz are resampled to it. The level is that of the sample.

    Args:
        array: ``[t, c]`` in the type of the file.
        row: Its row: ``rate`` and ``channel`` are read.
    """
    rate = row.get("rate")
    if not rate or not len(array):
        return None
    rate = float(rate)
    part = array[: max(1, round(_MOST_S * rate))]
    stereo = part.shape[1] == 2 and row.get("channel") is None
    target = round(min(max(rate, _LEAST_HZ), _MOST_HZ))
    if stereo and 4 * target * len(part) / rate > MOST_BYTES:
        stereo = False
    values = np.nan_to_num(full_scale(part), posinf=0.0, neginf=0.0) if stereo else mono(part, row)[:, None]
    if target != rate:
        values = soxr.resample(values, rate, target)
    file = io.BytesIO()
    samples = np.clip(np.rint(values * 2.0**15), -(2**15), 2**15 - 1).astype(np.int16)
    soundfile.write(file, samples, target, format="WAV", subtype="PCM_16")
    return file.getvalue()
