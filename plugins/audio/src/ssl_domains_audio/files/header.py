"""Header of a recording of any kind: rate, channels and how many samples there are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ssl_domains.samples import ReadError
from ssl_domains_audio.files.compressed import compressed_header
from ssl_domains_audio.files.kind import Kind, kind_of
from ssl_domains_audio.files.wav import WavHeader, wav_header

__all__ = ["SoundHeader", "opened_header", "sound_header"]

_FIRST = 512  # reaches the samples of most wav files
_NAMES = {"u1": "uint8", "i2": "int16", "i3": "int24", "i4": "int32", "f4": "float32", "f8": "float64"}


class SoundHeader(NamedTuple):
    """What the header of a recording says.

    Attributes:
        format: Container and type of its samples: ``wav int16``, ``wav mu-law``, ``flac int24``, ``ogg vorbis``.
        rate: Samples a second, Hz.
        channels: Number of channels.
        frames: Number of samples of each channel.
        remark: What is wrong with the file although it can be read, as a sentence; empty for a sound file.
    """

    format: str
    rate: int
    channels: int
    frames: int
    remark: str = ""

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.frames / self.rate


def sound_header(path: str | Path) -> SoundHeader | Kind:
    """Header of a file, or its `Kind` when it is no recording.

    Raises:
        ReadError: For a recording whose header is damaged.
        OSError: When the file can't be read.
    """
    return opened_header(path)[0]


def opened_header(path: str | Path) -> tuple[SoundHeader | Kind, WavHeader | None, int]:
    """(header, the layout of a wav file with plain samples or None, size of the file in bytes); errors as above."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        head = os.pread(descriptor, _FIRST, 0)
        kind = kind_of(head)
        if kind.name == "wav":
            wav = wav_header(descriptor, head, size)
            if not wav.codec:
                made = SoundHeader(f"wav {_NAMES[wav.type]}", wav.rate, wav.channels, wav.frames, wav.remark)
                return made, wav, size
        elif not kind.name:
            return kind, None, size
    finally:
        os.close(descriptor)
    try:
        format, rate, channels, frames, remark = compressed_header(str(path), kind.name, size)
    except ReadError as error:
        if kind.name != "wav":
            raise
        raise ReadError(f"the wav file has compressed samples ({wav.codec}), and {error}") from error
    return SoundHeader(format, rate, channels, frames, remark), None, size
