"""Tables of segments of recordings, of every kind: which kind a file is, and its segments."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.samples import ReadError
from ssl_domains.samples.encodings import decoded
from ssl_domains_audio.labels.audacity import is_audacity, read_audacity
from ssl_domains_audio.labels.audioset import is_audioset, read_audioset
from ssl_domains_audio.labels.columns import read_columns
from ssl_domains_audio.labels.rttm import is_rttm, read_rttm
from ssl_domains_audio.labels.segment import SegmentTable

__all__ = ["read_segments"]

_LARGEST = 1 << 30


def read_segments(path: Path) -> SegmentTable:
    """Read a table of segments; its kind is known by its contents.

    Kinds: AudioSet CSV; RTTM; Audacity labels (start, end and label between tabs, without a header); and tables with a
    header, as those of Raven or CSV files with columns such as ``file``, ``start``, ``end``, ``label``.

    Raises:
        ReadError: When it is none of these, or no line of it can be read.
    """
    if path.stat().st_size > _LARGEST:
        raise ReadError(f"a table of segments of more than {_LARGEST >> 20:,} MB")
    raw = path.read_bytes()
    if b"\x00" in raw[:4096] and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ReadError("no table of segments: it is no text")
    text = decoded(raw)[0].removeprefix("\ufeff")
    lines = text.splitlines()
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith((";;", "#"))), "")
    if not first:
        raise ReadError("no table of segments: it holds no line")
    if is_audioset(lines):
        made = read_audioset(lines)
    elif is_rttm(first):
        made = read_rttm(lines)
    elif is_audacity(first):
        made = read_audacity(lines)
    else:
        made = read_columns(text)
    if not made.segments and made.bad_lines:
        raise ReadError(f"no line of it can be read as one of {made.kind}: line {made.bad_lines[0]} is the first")
    return made
