"""Damage to the headers of recordings: chunks of wav, blocks of flac, pages of ogg."""

from __future__ import annotations

import struct
from random import Random

from fuzzing.mutations.raw import RAW

__all__ = ["SOUND", "flac_stream", "ogg_page", "wav_field", "wav_size"]

_NUMBERS = (0, 1, 2, 3, 6, 7, 8, 12, 17, 24, 32, 64, 255, 256, 1000, 32767, 65534, 65535)
_SIZES = (0, 1, 7, 8, 16, 100, 65536, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
_WAV = (b"RIFF", b"RIFX", b"RF64", b"BW64")


def wav_field(data: bytes, rng: Random) -> bytes:
    """One field of the form of the samples: format, channels, rate, bytes a second, bytes a frame, bits."""
    place = data.find(b"fmt ")
    if data[:4] not in _WAV or place < 0 or len(data) < place + 24:
        raise ValueError
    start, kind = rng.choice(((8, "H"), (10, "H"), (12, "I"), (16, "I"), (20, "H"), (22, "H")))
    packed = struct.pack("<" + kind, rng.choice(_NUMBERS if kind == "H" else _SIZES))
    return data[: place + start] + packed + data[place + start + len(packed) :]


def wav_size(data: bytes, rng: Random) -> bytes:
    """The stated size or the name of a chunk, or the first four bytes."""
    if data[:4] not in _WAV:
        raise ValueError
    name = rng.choice((b"fmt ", b"data", b"data", b"ds64", data[:4]))
    place = data.find(name)
    if place < 0:
        raise ValueError
    if rng.random() < 0.2:
        return data[:place] + rng.choice((*_WAV, b"junk", b"LIST", b"data", b"fmt ")) + data[place + 4 :]
    return data[: place + 4] + struct.pack("<I", rng.choice(_SIZES)) + data[place + 8 :]


def flac_stream(data: bytes, rng: Random) -> bytes:
    """One byte of the stream information of flac: sizes of blocks, rate, channels, number of samples."""
    if data[:4] != b"fLaC" or len(data) < 42:
        raise ValueError
    place = rng.randrange(4, 42)
    return data[:place] + bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFF))]) + data[place + 1 :]


def ogg_page(data: bytes, rng: Random) -> bytes:
    """One field of a page of ogg: flags, position, sequence, number of segments."""
    pages = [place for place in range(len(data) - 27) if data[place : place + 4] == b"OggS"]
    if not pages:
        raise ValueError
    place = rng.choice(pages) + rng.choice((4, 5, 6, 13, 14, 18, 22, 26))
    return data[:place] + bytes([rng.choice((0, 1, 4, 0x7F, 0xFF))]) + data[place + 1 :]


SOUND = (*RAW, *(wav_field,) * 6, *(wav_size,) * 6, *(flac_stream,) * 6, *(ogg_page,) * 6)
