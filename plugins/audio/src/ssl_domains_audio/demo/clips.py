"""All clips of the demonstration, with the truth of each: 12 speakers × 3 sessions × 10 words × 3 takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains_audio.demo.sessions import SESSIONS, Session, draw_session, record
from ssl_domains_audio.demo.speakers import Speaker, draw_speakers
from ssl_domains_audio.demo.words import WORDS, speak

__all__ = ["TAKES", "Clip", "draw_clips"]

TAKES = 3
"""Takes of each word in a session."""

_FLAC_EVERY = 10


@dataclass(frozen=True)
class Clip:
    """One take of a word.

    Attributes:
        file: Name of its file, such as ``"c0042.wav"``; it tells nothing about the clip.
        speaker: The voice.
        session: Room, microphone, hum and noise.
        word: The word.
        seeds: Numbers that its sound is drawn from.
    """

    file: str
    speaker: Speaker
    session: Session
    word: str
    seeds: tuple[int, ...]

    def sound(self) -> NDArray[np.float64]:
        """The recorded sound, float64 ``[t]`` in ±1, 8,000 samples a second; the same at each call."""
        rng = np.random.default_rng(self.seeds)
        return record(speak(self.speaker, self.word, rng), self.session, rng)


def draw_clips(seed: int) -> list[Clip]:
    """All clips, speaker by speaker and session by session. Every tenth is a flac file, the others are wav files.

    Args:
        seed: Seed of the data.
    """
    rng = np.random.default_rng(seed)
    clips: list[Clip] = []
    for speaker in draw_speakers(rng):
        for session in [draw_session(f"{speaker.name}-{n + 1}", n, rng) for n in range(SESSIONS)]:
            for word in WORDS:
                for _ in range(TAKES):
                    number = len(clips) + 1
                    suffix = "flac" if number % _FLAC_EVERY == 0 else "wav"
                    clips.append(Clip(f"c{number:04d}.{suffix}", speaker, session, word, (seed, number)))
    return clips
