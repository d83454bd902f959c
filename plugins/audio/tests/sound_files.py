"""Small recordings, made to order: every field of a wav header can be wrong on purpose."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GUID = bytes.fromhex("000000001000800000aa00389b71")


def tone(count: int, rate: int = 8000, hz: float = 440.0, level: float = 0.5) -> NDArray[np.float64]:
    """A sine of ``count`` samples, ``[count]``."""
    return level * np.sin(2 * np.pi * hz * np.arange(count) / rate)


def chirp(count: int, rate: int = 8000, start: float = 200.0, stop: float = 2000.0) -> NDArray[np.float64]:
    """A tone that rises from ``start`` to ``stop`` Hz, of which no two parts are alike, ``[count]``."""
    t = np.arange(count) / rate
    return 0.4 * np.sin(2 * np.pi * (start * t + (stop - start) * t**2 / (2 * count / rate)))


def encoded(values: NDArray[Any], bits: int, order: str = "<") -> bytes:
    """Samples in ±1 as PCM of 8, 16, 24 or 32 bits, rounded to the nearest step."""
    steps = np.rint(np.clip(values, -1, 1 - 2.0 ** (1 - bits)) * 2.0 ** (bits - 1)).astype(np.int64)
    if bits == 8:
        return (steps + 128).astype(np.uint8).tobytes()
    raw = steps.astype(f"{order}i8").reshape(-1, 1).view(np.uint8)
    part = raw[:, : bits // 8] if order == "<" else raw[:, 8 - bits // 8 :]
    return part.tobytes()


def wav(
    path: Path, body: bytes, *, rate: int = 8000, channels: int = 1, bits: int = 16, tag: int = 1,
    inner: int | None = None, size: int | None = None, riff: bytes = b"RIFF", before: bytes = b"", after: bytes = b"",
) -> Path:  # fmt: skip
    """Write a wav file.

    Args:
        path: The file; its folder is made.
        body: Bytes of the samples.
        rate: Samples a second.
        channels: Number of channels.
        bits: Bits of a sample.
        tag: Format code.
        inner: Code of the inner format, for WAVE_FORMAT_EXTENSIBLE.
        size: Stated size of the samples; None for the right one.
        riff: First four bytes; RF64 states the size in a chunk ds64, RIFX is big-endian.
        before: Chunks between the format and the samples.
        after: Chunks behind the samples.
    """
    order = ">" if riff == b"RIFX" else "<"
    frame = channels * bits // 8
    form = struct.pack(order + "HHIIHH", 0xFFFE if inner else tag, channels, rate, rate * frame, frame, bits)
    if inner:
        form += struct.pack(order + "HHIH", 22, bits, 0, inner) + GUID
    stated = len(body) if size is None else size
    large = b""
    if riff in (b"RF64", b"BW64"):
        large = b"ds64" + struct.pack("<IQQQI", 28, 0, stated, 0, 0)
        stated = 0xFFFFFFFF
    chunks = large + b"fmt " + struct.pack(order + "I", len(form)) + form + before
    chunks += b"data" + struct.pack(order + "I", stated) + body + after
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(riff + struct.pack(order + "I", 4 + len(chunks) & 0xFFFFFFFF) + b"WAVE" + chunks)
    return path


def clip(path: Path, values: NDArray[Any] | None = None, **settings: Any) -> Path:
    """Write a 16-bit wav file of ``values``, ``[t]`` or ``[t, c]``; a tone of 0.2 s without them."""
    values = tone(1600) if values is None else values
    channels = 1 if values.ndim == 1 else values.shape[1]
    return wav(path, encoded(values.ravel(), 16), channels=channels, **settings)
