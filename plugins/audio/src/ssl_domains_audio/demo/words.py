"""Made-up words: two vowels, one after the other, spoken by a source of harmonics and a filter of four formants.

Half of the words are the others reversed (``"ai"`` and ``"ia"``), so that the mean spectrum of a clip does not tell its
word: the order of the vowels does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains_audio.demo.speakers import Speaker

__all__ = ["RATE", "WORDS", "speak"]

RATE = 8_000
"""Samples in a second."""

WORDS = ("ai", "ia", "au", "ua", "ae", "ea", "iu", "ui", "eo", "oe")

# The first three formants of men, Hz (Peterson & Barney 1952, *Control methods used in a study of the vowels*); the
# fourth is the same for all vowels.
_FORMANTS = {
    "a": (730.0, 1090.0, 2440.0, 3400.0),
    "e": (530.0, 1840.0, 2480.0, 3400.0),
    "i": (270.0, 2290.0, 3010.0, 3400.0),
    "o": (570.0, 840.0, 2410.0, 3400.0),
    "u": (300.0, 870.0, 2240.0, 3400.0),
}
_BANDWIDTHS = (70.0, 90.0, 130.0, 200.0)
_JITTER = 0.03  # standard deviation of a formant from take to take, as a share of it
_PITCH_JITTER = 0.05
_SECONDS = (0.46, 0.58)
_STEP = 40  # samples from one frame of the filter to the next: 5 ms
_LEAST_HZ = 60.0


def speak(speaker: Speaker, word: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """One take of a word without room and noise, float64 ``[t]`` of RMS 1; 0.46 to 0.58 s.

    Args:
        speaker: The voice.
        word: Two letters of a, e, i, o and u.
        rng: Length, pitch, formants and where the first vowel turns into the second.
    """
    count = round(rng.uniform(*_SECONDS) * RATE)
    frames = np.arange(0, count + _STEP, _STEP)
    place = frames / count
    turn, width = rng.uniform(0.42, 0.58), rng.uniform(0.04, 0.08)
    second = 1 / (1 + np.exp(-(place - turn) / width))
    first, last = (np.array(_FORMANTS[vowel]) * speaker.scale * (1 + rng.normal(0, _JITTER, size=4)) for vowel in word)
    formants = first + (last - first) * second[:, None]
    pitch = speaker.pitch * (1 + rng.normal(0, _PITCH_JITTER)) * (1.05 - 0.12 * place + 0.02 * np.sin(9 * place))

    harmonics = np.arange(1, int(RATE / 2 / max(_LEAST_HZ, pitch.min())) + 1)
    frequency = pitch[:, None] * harmonics
    level = _filter(frequency, formants) * harmonics ** (-speaker.tilt / (20 * np.log10(2)))
    level[frequency > 0.48 * RATE] = 0.0

    times = np.arange(count)
    phase = 2 * np.pi * np.cumsum(np.interp(times, frames, pitch)) / RATE
    voice = np.zeros(count)
    for number, harmonic in enumerate(harmonics):
        voice += np.interp(times, frames, level[:, number]) * np.cos(harmonic * phase)
    voice *= _fade(times / count)
    return np.asarray(voice / np.sqrt(np.mean(voice**2)))


def _filter(frequency: NDArray[np.float64], formants: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain of four resonances in cascade, ``[frame, harmonic]``, each 1 at 0 Hz."""
    gain = np.ones_like(frequency)
    for number, bandwidth in enumerate(_BANDWIDTHS):
        centre = formants[:, number : number + 1]
        gain *= centre**2 / np.hypot(centre**2 - frequency**2, bandwidth * frequency)
    return gain


def _fade(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Silence, a rise, the word, a fall, silence; ``place`` is in [0, 1]."""
    rise = np.clip((place - 0.06) / 0.08, 0, 1)
    fall = np.clip((0.90 - place) / 0.16, 0, 1)
    return np.asarray(np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2)
