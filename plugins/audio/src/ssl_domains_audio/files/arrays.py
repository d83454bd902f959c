"""The samples of a recording as an array ``[time, channels]`` that is read in part."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import LazyArray, ReadError, Region, mapped_file, normal_slices
from ssl_domains_audio.files.compressed import opened_file
from ssl_domains_audio.files.header import SoundHeader, opened_header
from ssl_domains_audio.files.messages import decoder_messages

__all__ = ["DecodedSound", "Pcm24", "load_sound", "open_sound", "readable"]

LONG = 1 << 20
"""Samples of a channel from which on a flac file is decoded in part, where a part is read, and never copied whole."""

_AGAIN = "run again: the file is read as it is now"


@dataclass(frozen=True)
class Pcm24:
    """A `LazyArray` of the 24-bit samples of a wav file, float32 in ±1: each is an int24 divided by 2^23, exactly.

    Attributes:
        path: The file.
        offset: Byte of the first sample.
        shape: Number of samples and of channels.
        order: ``<`` or ``>``, the byte order.
        size: Size of the file when its header was read.
    """

    path: str
    offset: int
    shape: tuple[int, ...]
    order: str
    size: int

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """float32."""
        return np.dtype(np.float32)

    def read(self, slices: Sequence[slice]) -> tuple[NDArray[np.float32], None]:
        """The requested part.

        Raises:
            DataError: When the file is not there, or has another size than when its header was read.
        """
        time, channel = normal_slices(slices, self.shape)
        try:
            mapped = mapped_file(self.path)
        except (OSError, ValueError) as error:
            cause = f"{Path(self.path).name} can't be read where it lies: {getattr(error, 'strerror', None) or error}"
            raise DataError(cause, _AGAIN) from error
        if len(mapped) != self.size:
            cause = f"{Path(self.path).name} changed while it was being used: {len(mapped)} bytes, not {self.size}"
            raise DataError(cause, _AGAIN)
        whole: NDArray[np.uint8] = np.ndarray((*self.shape, 3), np.uint8, mapped, self.offset)
        part = whole[time, channel]
        words = np.zeros((*part.shape[:2], 4), dtype=np.uint8)
        # The three bytes are the upper ones of an int32, whose sign is then right without a further step.
        words[..., 1:] = part if self.order == "<" else part[..., ::-1]
        return words.view("<i4")[..., 0].astype(np.float32) * np.float32(2.0**-31), None


@dataclass(frozen=True)
class DecodedSound:
    """A `LazyArray` of a file that libsndfile decodes, float32 in ±1; only the requested part is decoded.

    Attributes:
        path: The file.
        shape: Number of samples and of channels.
        messages: Whether its decoder may write to standard error; this is kept away, see `decoder_messages`.
    """

    path: str
    shape: tuple[int, ...]
    messages: bool = False

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """float32."""
        return np.dtype(np.float32)

    def read(self, slices: Sequence[slice]) -> tuple[NDArray[np.float32], None]:
        """The requested part.

        Raises:
            DataError: When the file is gone, or ends before the part does.
        """
        time, channel = normal_slices(slices, self.shape)
        try:
            with decoder_messages() if self.messages else contextlib.nullcontext():
                part = _decoded(self.path, time.start, time.stop - time.start, self.shape[1])
        except (ReadError, OSError) as error:
            raise DataError(f"{Path(self.path).name} can't be read any more: {error}", _AGAIN) from error
        return np.ascontiguousarray(part[:: time.step, channel]), None


def open_sound(path: str | Path) -> LazyArray | None:
    """The samples of a file, not yet read, ``[time, channels]``; None for one that is better decoded once and copied.

    Plain wav files are read where they lie, in the type of the file; 24 bit becomes float32 in ±1. A long flac file is
    decoded in part.

    Raises:
        ReadError: When the file is no recording, or its header is damaged.
    """
    lazy, in_place = _opened(str(path))
    return lazy if in_place else None


def readable(path: str | Path) -> LazyArray:
    """As `open_sound`, but of every file: of a compressed one, the part that is read is decoded.

    Raises:
        ReadError: When the file is no recording, or its header is damaged.
    """
    return _opened(str(path))[0]


def _opened(path: str) -> tuple[LazyArray, bool]:
    """(the samples, whether they are to be read in place)."""
    try:
        header, wav, size = opened_header(path)
    except OSError as error:
        raise ReadError(error.strerror or "the file can't be opened") from error
    if not isinstance(header, SoundHeader):
        raise ReadError(f"no recording: the file is {header.words}")
    if not header.frames:
        raise ReadError("no samples")
    shape = (header.frames, header.channels)
    if wav is not None:
        if wav.type == "i3":
            return Pcm24(path, wav.offset, shape, wav.order, size), True
        return Region(path, np.dtype(wav.order + wav.type), wav.offset, shape, None, size), True
    messages = not header.format.startswith(("flac", "ogg"))
    return DecodedSound(path, shape, messages), header.format.startswith("flac") and header.frames >= LONG


def load_sound(path: str | Path) -> NDArray[Any]:
    """All samples of a file, ``[time, channels]``, in the type of the file; decoded formats as float32 in ±1.

    Raises:
        ReadError: When the file is no recording or damaged.
    """
    lazy = readable(path)
    try:
        return lazy.read(tuple(slice(0, side) for side in lazy.shape))[0]
    except DataError as error:
        raise ReadError(str(error)) from error


def _decoded(path: str, start: int, count: int, channels: int) -> NDArray[np.float32]:
    """Decode ``count`` samples from ``start`` on, float32 ``[count, channels]``.

    Raises:
        ReadError: When the file has other channels, or ends before.
    """
    import soundfile

    with opened_file(path) as file:
        try:
            if start:
                file.seek(start)
            part = file.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise ReadError(f"it can't be decoded at {start / file.samplerate:.2f} s: it is damaged") from error
        if part.shape != (count, channels):
            raise ReadError(f"it gives {list(part.shape)} samples and channels at {start}, not {[count, channels]}")
        return np.asarray(part)
