"""The sessions of the demonstration: microphone, room, noise and hum, which all takes of a session share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains_audio.demo.words import RATE

__all__ = ["SESSIONS", "Session", "draw_session", "record"]

SESSIONS = 3
"""Sessions of each speaker."""

_KNOTS_HZ = np.geomspace(80.0, 3800.0, 6)
_KNOT_DB = 6.0  # standard deviation of the gain at a knot
_SNR_DB = (18.0, 32.0)
_ROOMS_S = (0.08, 0.35)  # reverberation times; sessions alternate between the two rooms
_ROOM_DB = -6.0  # energy of the reverberation beside the direct sound
_HUM_HZ, _HUM_DB = 50.0, (-36.0, -22.0)
_LEVEL_DBFS, _LEVEL_RANGE_DB = -24.0, 6.0


@dataclass(frozen=True)
class Session:
    """How a speaker was recorded on one day.

    Attributes:
        name: Id, such as ``"S01-2"``.
        day: Number of the session among those of its speaker, from 1.
        gains: Gains of the microphone at six frequencies, dB.
        snr: Ratio of the word to the noise, dB.
        hum: Level of the 50-Hz hum beside the word, dB.
        room: Impulse response, float64 ``[n]``; the direct sound is its first value, 1.
    """

    name: str
    day: int
    gains: NDArray[np.float64]
    snr: float
    hum: float
    room: NDArray[np.float64]


def draw_session(name: str, number: int, rng: np.random.Generator) -> Session:
    """A session; even and odd numbers are recorded in two different rooms."""
    seconds = _ROOMS_S[number % len(_ROOMS_S)]
    times = np.arange(round(seconds * RATE)) / RATE
    tail = rng.normal(size=len(times)) * 10 ** (-3 * times / seconds)  # falls by 60 dB in `seconds`
    tail[: round(0.002 * RATE)] = 0.0
    room = tail * np.sqrt(10 ** (_ROOM_DB / 10) / np.sum(tail**2))
    room[0] = 1.0
    return Session(
        name,
        number + 1,
        rng.normal(0, _KNOT_DB, size=len(_KNOTS_HZ)),
        float(rng.uniform(*_SNR_DB)),
        float(rng.uniform(*_HUM_DB)),
        room,
    )


def record(voice: NDArray[np.float64], session: Session, rng: np.random.Generator) -> NDArray[np.float64]:
    """A voice as the session records it, float64 ``[t]`` in ±1, of the same length.

    The level is at random from take to take, so that loudness tells neither speaker nor session.

    Args:
        voice: The voice, ``[t]``.
        session: Room, microphone, hum and noise.
        rng: The noise, the phase of the hum and the level.
    """
    size = 1 << int(np.ceil(np.log2(len(voice) + len(session.room))))
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    gain = 10 ** (np.interp(np.log(np.maximum(frequencies, 1.0)), np.log(_KNOTS_HZ), session.gains) / 20)
    spectrum = np.fft.rfft(voice, size) * np.fft.rfft(session.room, size) * gain
    heard = np.fft.irfft(spectrum, size)[: len(voice)]
    power = np.mean(heard**2)
    noise = rng.normal(0, np.sqrt(power * 10 ** (-session.snr / 10)), size=len(voice))
    amplitude = np.sqrt(2 * power * 10 ** (session.hum / 10))
    hum = amplitude * np.sin(2 * np.pi * (_HUM_HZ * np.arange(len(voice)) / RATE + rng.random()))
    made = heard + noise + hum
    level = _LEVEL_DBFS + rng.uniform(-_LEVEL_RANGE_DB, _LEVEL_RANGE_DB)
    made *= 10 ** (level / 20) / np.sqrt(np.mean(made**2))
    return np.asarray(np.clip(made, -1, 1 - 2.0**-15))
