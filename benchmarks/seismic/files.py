"""A made-up survey in any format: whole numbers within ±120, so that all formats hold the same volume."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.demo.segy_bytes import ibm_words, text_header

__all__ = ["CODES", "inline_of", "write_survey"]

CODES = {"IEEE": 5, "IBM": 1, "int16": 3, "int8": 8}
_TYPES = {5: ">f4", 3: ">i2", 8: ">i1"}
_AT_ONCE = 4096  # traces that are written at a time


def inline_of(number: int, crosslines: int, samples: int) -> NDArray[np.float32]:
    """One inline of the volume, float32 ``[crossline, sample]``: layers that rise and fall."""
    crossline = np.arange(crosslines, dtype=np.float32)[:, None]
    depth = np.arange(samples, dtype=np.float32) + 5 * np.sin(number / 23) + 4 * np.cos(crossline / 31)
    return np.asarray(np.rint(80 * np.sin(depth / 5) + 40 * np.cos(depth / 3.1 + crossline / 17)), dtype=np.float32)


def write_survey(
    path: Path,
    shape: tuple[int, int, int],
    code: int,
    *,
    every: int | None = None,
    shuffled: bool = False,
    sparse: bool = False,
) -> Path:
    """Write a survey with its lines at 189 and 193, sorted by inline.

    Args:
        path: The file.
        shape: Inlines, crosslines, samples.
        code: Format of the samples.
        every: Leave out the last trace of each inline that this number divides; None for no holes.
        shuffled: Write the traces of each inline in random order, and the inlines too.
        sparse: Write the headers only; samples are 0 and take no space on the disk.
    """
    inlines, crosslines, samples = shape
    stored = np.dtype(_TYPES.get(code, ">u4"))
    trace = np.dtype([("words", ">i4", (60,)), ("samples", stored, (samples,))])
    rng = np.random.default_rng(0)
    binary = bytearray(400)
    for byte, value in {3217: 4000, 3221: samples, 3225: code, 3229: 4, 3255: 1, 3501: 0x0100, 3503: 1}.items():
        struct.pack_into(">H", binary, byte - 3201, value)
    with path.open("wb") as file:
        file.write(text_header({1: "MADE UP FOR A BENCHMARK"}) + binary)
        for inline in rng.permutation(inlines) if shuffled else range(inlines):
            number = int(inline)
            heads = _heads(number, crosslines, samples)
            if sparse:
                for head in heads:
                    file.write(head.tobytes())
                    file.seek(samples * stored.itemsize, 1)
                continue
            values = inline_of(number, crosslines, samples)
            made = np.empty(crosslines, trace)
            made["words"] = heads
            made["samples"] = ibm_words(values) if code == 1 else values
            kept = made[:-1] if every is not None and number % every == 0 else made
            file.write((kept[rng.permutation(len(kept))] if shuffled else kept).tobytes())
        file.truncate()
    return path


def _heads(inline: int, crosslines: int, samples: int) -> NDArray[np.int32]:
    """Trace headers of an inline as words of four bytes, ``[crosslines, 60]``."""
    numbers = np.arange(crosslines)
    heads = np.zeros((crosslines, 60), dtype=">i4")
    heads[:, 0] = heads[:, 1] = inline * crosslines + numbers + 1
    heads[:, 7] = 1 << 16  # word 29, the first two of these bytes: a trace with data
    heads[:, 28] = samples  # word 115 behind word 113, which is 0
    heads[:, 29] = 4000 << 16  # word 117
    heads[:, 45], heads[:, 46] = 500_000 + 25 * numbers, 6_000_000 + 25 * inline
    heads[:, 47], heads[:, 48] = 1000 + inline, 2000 + numbers
    return heads
