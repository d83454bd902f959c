"""The header of a wav file: where its samples lie, of which type, and how many there really are.

Read here and not by a library, because libraries believe the stated size: 0 (a recorder that was switched off),
0xFFFFFFFF (a stream) or more than the file holds. Forms: RIFF, RIFX (big-endian), RF64 and BW64 (over 4 GB);
WAVE_FORMAT_EXTENSIBLE is followed to its inner format. Source: Microsoft's "Multiple channel audio data and WAVE
files", EBU Tech 3306 (RF64).
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from ssl_domains.samples import ReadError

__all__ = ["WavHeader", "wav_header"]

_EXTENSIBLE, _GUID = 0xFFFE, bytes.fromhex("000000001000800000aa00389b71")
_INNER = {2: "MS ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 49: "GSM 6.10", 64: "G.721", 80: "MPEG", 85: "MP3"}
_PLAIN = {(1, 1): "u1", (1, 2): "i2", (1, 3): "i3", (1, 4): "i4", (3, 4): "f4", (3, 8): "f8"}
_UNKNOWN = 0xFFFFFFFF
_MOST_CHUNKS = 10_000
_CHUNK, _CHUNK_BIG = struct.Struct("<4sI"), struct.Struct(">4sI")
_FORM, _FORM_BIG = struct.Struct("<HHIIHH"), struct.Struct(">HHIIHH")


class WavHeader(NamedTuple):
    """Header of a wav file.

    Attributes:
        type: ``u1``, ``i2``, ``i3`` (24 bit), ``i4``, ``f4`` or ``f8``; empty for compressed samples.
        order: ``<`` or ``>``.
        codec: Name of a compression; empty for plain samples.
        rate: Samples a second, Hz.
        channels: Number of channels.
        offset: Byte of the first sample.
        frames: Number of samples of a channel that the file really holds; 0 for compressed samples.
        remark: How the stated size differs from the size of the file, as a sentence; empty where it doesn't.
    """

    type: str
    order: str
    codec: str
    rate: int
    channels: int
    offset: int
    frames: int
    remark: str


def wav_header(descriptor: int, head: bytes, size: int) -> WavHeader:
    """Read the header of an open wav file.

    Args:
        descriptor: The open file.
        head: First bytes of the file, which begin with RIFF, RIFX, RF64 or BW64; a few hundred serve most files.
        size: Size of the file in bytes.

    Raises:
        ReadError: When the header is damaged, or says nothing of the samples.
    """
    big = head[:4] == b"RIFX"
    order, chunk = (">", _CHUNK_BIG) if big else ("<", _CHUNK)
    form, large, place = b"", None, 12
    for _ in range(_MOST_CHUNKS):
        part = head[place : place + 8]
        if len(part) < 8:
            part = os.pread(descriptor, 8, place) if place < size else b""
        if len(part) < 8:
            found = (
                "an empty RIFF file: it has no chunk" if place == 12 else "a wav file without samples (no data chunk)"
            )
            raise ReadError(f"the file is {found}")
        name, length = chunk.unpack(part)
        start = place + 8
        if name == b"data":
            break
        if name in (b"fmt ", b"ds64"):
            content = head[start : start + 40]
            if len(content) < min(length, 40):
                content = os.pread(descriptor, min(length, 40), start)
            if name == b"fmt ":
                form = content[: min(length, 40)]
            elif length >= 24 and len(content) >= 24:
                large = struct.unpack_from("<Q", content, 8)[0]
        place = start + length + (length & 1)
        if length & 1 and not _is_name(descriptor, head, place) and _is_name(descriptor, head, place - 1):
            place -= 1  # some programs leave out the byte that makes an odd chunk even
    else:
        raise ReadError(f"the wav file has more than {_MOST_CHUNKS:,} chunks before its samples")
    stated = large if length == _UNKNOWN and large is not None else length
    return _of_form(form, order, start, stated, size, _other_chunk(descriptor, stated, start, size))


def _of_form(form: bytes, order: str, start: int, stated: int, size: int, empty: bool) -> WavHeader:
    if len(form) < 16:
        raise ReadError("the wav file doesn't say the form of its samples (no whole fmt chunk)")
    tag, channels, rate, _, frame, bits = (_FORM if order == "<" else _FORM_BIG).unpack_from(form)
    if tag == _EXTENSIBLE and len(form) >= 40 and form[26:40] == _GUID:
        tag = struct.unpack_from(order + "H", form, 24)[0]
    if not channels or not rate:
        raise ReadError(f"the wav header gives {channels} channels at {rate} Hz")
    if tag not in (1, 3):
        codec = _INNER.get(tag, f"format {tag}")
        return WavHeader("", order, codec, rate, channels, start, 0, "")
    width = (bits + 7) // 8
    if (tag, width) not in _PLAIN or frame != channels * width:
        raise ReadError(f"the wav header gives {channels} channels of {bits} bits in {frame} bytes")
    there = 0 if empty else max(size - start, 0)
    remark = "" if empty or (stated <= there and (stated or not there)) else _remark(stated, there)
    length = min(stated or there, there)
    return WavHeader(_PLAIN[tag, width], order, "", rate, channels, start, length // frame, remark)


def _remark(stated: int, there: int) -> str:
    if stated == _UNKNOWN:
        said = "the header doesn't state a size (0xFFFFFFFF: a stream)"
    else:
        said = f"the header states {stated:,} bytes of samples"
    return f"{said}, the file has {there:,}: samples are counted from the bytes that exist"


def _other_chunk(descriptor: int, stated: int, start: int, size: int) -> bool:
    """Whether a data chunk of size 0 is really empty: another chunk, which ends with the file, follows it."""
    if stated or size - start < 8:
        return not stated and size <= start
    name, length = _CHUNK.unpack(os.pread(descriptor, 8, start))
    return name.isalnum() and start + 8 + length + (length & 1) in (size, size + 1)


def _is_name(descriptor: int, head: bytes, place: int) -> bool:
    name = head[place : place + 4]
    if len(name) < 4:
        name = os.pread(descriptor, 4, place)
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)
