"""Sound files as the demonstration writes them: 16-bit wav and flac, 24-bit stereo, and wav with a LIST chunk."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ssl_domains_audio.demo.words import RATE

__all__ = ["add_list_chunk", "as_int16", "write_clip", "write_stereo24"]


def as_int16(sound: NDArray[np.float64]) -> NDArray[np.int16]:
    """A sound in ±1 as 16-bit numbers."""
    return np.asarray(np.clip(np.rint(sound * 2**15), -(2**15), 2**15 - 1), dtype=np.int16)


def write_clip(path: Path, sound: NDArray[np.float64], rate: int = RATE) -> None:
    """Write a mono sound with 16 bits; the suffix says whether as wav or as flac.

    Args:
        path: The file.
        sound: ``[t]`` in ±1.
        rate: Rate that the header says, Hz.
    """
    soundfile.write(path, as_int16(sound), rate, subtype="PCM_16")


def write_stereo24(path: Path, left: NDArray[np.float64], right: NDArray[np.float64]) -> None:
    """Write two channels, ``[t]`` in ±1 each, as wav with 24 bits."""
    soundfile.write(path, np.stack([left, right], axis=1), RATE, subtype="PCM_24")


def add_list_chunk(wav: bytes, title: str) -> bytes:
    """The same sound with another header: a ``LIST`` chunk with a title stands before the samples.

    Args:
        wav: A wav file whose samples are its last chunk.
        title: ASCII text.
    """
    text = title.encode("ascii") + b"\0"
    text += b"\0" * (len(text) % 2)
    info = b"INFOINAM" + struct.pack("<I", len(text)) + text
    chunk = b"LIST" + struct.pack("<I", len(info)) + info
    place = wav.index(b"data")
    return b"RIFF" + struct.pack("<I", len(wav) - 8 + len(chunk)) + wav[8:place] + chunk + wav[place:]
