"""Made-up recordings: words of changing pitch in noise, as arrays and as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

__all__ = ["clip", "write_clips", "write_long"]

_AT_ONCE = 60  # seconds of a long recording that are written at a time


def clip(number: int, samples: int, rate: int) -> NDArray[np.float32]:
    """A harmonic sound whose pitch glides, in noise, float32 ``[t]`` in ±1; each number has its own."""
    rng = np.random.default_rng(number)
    time = np.arange(samples) / rate
    pitch = rng.uniform(90, 230) * (1 + 0.3 * rng.uniform(-1, 1) * time * rate / max(samples, 1))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 8))
    envelope = np.sin(np.pi * np.arange(samples) / max(samples, 1)) ** 0.5
    made = 0.2 * voice * envelope + 0.01 * rng.normal(size=samples)
    return np.asarray(np.clip(made, -1, 1), dtype=np.float32)


def write_clips(folder: Path, count: int, samples: int, rate: int, suffix: str) -> Path:
    """Write ``count`` files of one channel with 16 bits; 100 in a folder, named as those of FSDD.

    Args:
        folder: It is made.
        count: Number of files.
        samples: Samples of each.
        rate: Samples a second.
        suffix: ``wav`` or ``flac``.
    """
    for number in range(count):
        place = folder / f"part{number // 100}"
        place.mkdir(parents=True, exist_ok=True)
        name = f"{number % 10}_speaker{chr(97 + number % 20)}_{number}.{suffix}"
        soundfile.write(place / name, clip(number, samples, rate), rate, subtype="PCM_16")
    return folder


def write_long(path: Path, seconds: int, rate: int) -> Path:
    """Write a recording of one channel with 16 bits; every second of it differs from all others."""
    with soundfile.SoundFile(path, "w", rate, 1, subtype="PCM_16") as file:
        for start in range(0, seconds, _AT_ONCE):
            file.write(clip(start, min(_AT_ONCE, seconds - start) * rate, rate))
    return path
