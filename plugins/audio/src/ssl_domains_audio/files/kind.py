"""What a file is, by its first bytes: a container of sound, or in words what else it is."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FIRST_BYTES", "Kind", "kind_of"]

FIRST_BYTES = 64
"""Number of bytes that `kind_of` needs."""

_STARTS = (
    (b"fLaC", "flac"), (b"OggS", "ogg"), (b"caff", "caf"), (b".snd", "au"), (b"NIST_1A", "nist"),
    (b"riff\x2e\x91\xcf\x11", "w64"),
)  # fmt: skip
_OTHERS = (
    (b"ADIF", "ADIF AAC"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM file"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a WMA or ASF file"),
    (b"#!AMR", "AMR"),
    (b"MAC ", "Monkey's Audio"),
    (b"wvpk", "WavPack"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"PAR1", "a Parquet table"),
    (b"version https://git-lfs", "a pointer of Git LFS: the data were not fetched"),
)
_MARKUP = ((b"<!doctype html", "HTML"), (b"<html", "HTML"), (b"<?xml", "XML"))
_TEXT = bytes({*range(0x20, 0x7F), 9, 10, 13}) + bytes(range(0x80, 0x100))


class Kind(NamedTuple):
    """Kind of a file.

    Attributes:
        name: ``wav``, ``flac``, ``ogg``, ``mp3``, ``aiff``, ``caf``, ``au``, ``nist`` or ``w64``; empty for a file that
            is no recording this package can read.
        words: What it is, in words that follow "the file is".
    """

    name: str
    words: str


def kind_of(head: bytes) -> Kind:
    """Kind of a file by its first `FIRST_BYTES` bytes; the suffix of its name plays no part."""
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        form = head[8:12]
        if form == b"WAVE":
            return Kind("wav", "a wav file")
        return Kind("", f"a RIFF file of the form {form.decode('ascii', 'replace').strip()!r}, not WAVE")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return Kind("aiff", "an AIFF file")
    for start, name in _STARTS:
        if head.startswith(start):
            return Kind(name, f"a {name} file")
    return _mpeg(head) or Kind("", _other(head))


def _mpeg(head: bytes) -> Kind | None:
    """mp3 and AAC, whose frames begin with eleven or twelve set bits."""
    if head[:3] == b"ID3":
        return Kind("mp3", "an mp3 file")
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 2 & 3
    if head[1] & 0xF6 == 0xF0:
        return Kind("", "ADTS AAC")
    if version != 1 and layer and rate != 3 and head[2] >> 4 != 15:
        return Kind("mp3", "an mp3 file")
    return None


def _other(head: bytes) -> str:
    if not head:
        return "empty"
    for start, words in _OTHERS:
        if head.startswith(start):
            return words
    if head[4:8] == b"ftyp":
        return "an MP4 file (AAC or ALAC)"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, words in _MARKUP:
        if text.startswith(start):
            return words
    if not any(head):
        return "zeros only"
    if not head.translate(None, _TEXT):
        return "text"
    return f"of no known kind (first bytes {head[:4].hex(' ')})"
