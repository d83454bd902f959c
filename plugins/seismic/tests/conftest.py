"""Small SEG-Y files, made to order: every header word can be wrong on purpose."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ssl_domains.samples import ScanResult
from ssl_domains_seismic.reader import SeismicReader

SHORT = frozenset({29, 35, 69, 71, 89, 95, 97, 99, 101, 103, 105, 107, 109, 115, 117, 215})
TYPES = {2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 10: "u4", 11: "u2", 16: "u1"}
Words = Sequence[Mapping[int, int]]


def ibm_words(values: NDArray[Any]) -> NDArray[np.uint32]:
    """Normalised IBM words of numbers, by the definition: fraction of 24 bits in [1/16, 1), power of 16."""
    words = np.zeros(values.shape, dtype=np.uint32)
    for place, value in np.ndenumerate(values.astype(np.float64)):
        if value:
            power = int(np.floor(np.log2(abs(value)) / 4)) + 1
            fraction = round(abs(value) * 16.0**-power * 2**24)
            if fraction == 2**24:
                power, fraction = power + 1, 2**20
            words[place] = (int(value < 0) << 31) | ((power + 64) << 24) | fraction
    return words


def grid_words(inlines: Sequence[int], crosslines: Sequence[int], a: int = 189, b: int = 193) -> list[dict[int, int]]:
    """Words of the traces of a full grid, sorted by inline."""
    return [{a: i, b: x} for i in inlines for x in crosslines]


def smooth(inlines: int, crosslines: int, samples: int, seed: int = 0) -> NDArray[np.float32]:
    """A layered cube, ``[inline, crossline, sample]``, in which neighbouring samples correlate; around ±1000."""
    rng = np.random.default_rng(seed)
    series = np.convolve(rng.normal(size=3 * samples), np.hanning(9), "same")
    i, x = np.meshgrid(np.arange(inlines), np.arange(crosslines), indexing="ij")
    shift = samples + 3 * np.sin(i / 3) + 2 * np.cos(x / 4)
    place = np.arange(samples) + shift[..., None]
    return np.asarray(600 * np.interp(place, np.arange(3 * samples), series), dtype=np.float32)


def write(
    path: Path, traces: NDArray[Any], words: Words, *, code: int = 5, order: str = ">", interval: int = 4000,
    binary: Mapping[int, tuple[str, Any]] | None = None, text: bytes | None = None, between: bytes = b"",
    header_code: int | None = None, extensions: int = 0, stored: NDArray[Any] | None = None, tail: bytes = b"",
) -> Path:  # fmt: skip
    """Write traces ``[n, samples]``.

    Args:
        path: The file.
        traces: Samples.
        words: Trace-header words of each trace, by first byte.
        code: Format that the samples are written in.
        order: Byte order.
        interval: Sample interval, µs.
        binary: Further words of the binary header: first byte → (kind of struct, value).
        text: Text header, 3,200 bytes.
        between: Bytes between binary header and first trace.
        header_code: Format code of the header, where it is another than ``code``.
        extensions: Further trace headers.
        stored: Words of the samples, in the place of ``traces`` encoded.
        tail: Bytes behind the last trace.
    """
    head = bytearray(400)
    values: dict[int, tuple[str, Any]] = {
        3217: ("H", interval), 3221: ("H", traces.shape[1]), 3225: ("h", header_code or code), 3255: ("h", 1),
        3501: ("H", 0x0100), 3503: ("h", 1), **(binary or {}),
    }  # fmt: skip
    for byte, (kind, value) in values.items():
        struct.pack_into(order + kind, head, byte - 3201, value)
    if stored is None:
        stored = ibm_words(traces) if code == 1 else traces
    body = stored.astype(order + ("u4" if code == 1 else TYPES.get(code, "i4")))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(text or "C 1 MADE FOR A TEST".ljust(3200).encode("cp037"))
        file.write(head + between)
        for number, (trace, given) in enumerate(zip(body, words, strict=True), 1):
            header = bytearray(240 * (1 + extensions))
            for byte, value in {1: number, 5: number, 29: 1, 115: traces.shape[1], 117: interval, **given}.items():
                kind = "H" if byte in (115, 117) else "h" if byte in SHORT else "i"
                struct.pack_into(order + kind, header, byte - 1, value)
            file.write(header + trace.tobytes())
        file.write(tail)
    return path


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Write a cube or traces to ``a.sgy``; without words, lines 100, 102, … and 300, 304, … at 189 and 193."""

    def made(cube: NDArray[Any], words: Words | None = None, name: str = "a.sgy", **settings: Any) -> Path:
        traces = cube.reshape(-1, cube.shape[-1])
        if words is None:
            words = grid_words(range(100, 100 + 2 * cube.shape[0], 2), range(300, 300 + 4 * cube.shape[1], 4))
        return write(tmp_path / name, traces, words, **settings)

    return made


@pytest.fixture
def cube() -> NDArray[np.float32]:
    return smooth(6, 8, 40)


@pytest.fixture
def scan(tmp_path: Path) -> Callable[..., ScanResult]:
    """Scan what the test wrote."""
    return lambda **options: SeismicReader().scan(tmp_path, **options)
