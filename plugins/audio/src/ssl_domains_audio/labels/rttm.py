"""RTTM files of speaker diarisation: who speaks when. Source: NIST RT-09 evaluation plan, appendix A."""

from __future__ import annotations

from collections.abc import Sequence

from ssl_domains_audio.labels.segment import Segment, SegmentTable, seconds_of

__all__ = ["is_rttm", "read_rttm"]

_TYPES = frozenset({"SPEAKER", "SPKR-INFO", "SEGMENT", "NOSCORE", "LEXEME", "NON-LEX", "NON-SPEECH", "SU", "FILLER"})
_FIELDS = 8


def is_rttm(line: str) -> bool:
    """Whether a line is one of an RTTM file."""
    fields = line.split()
    return len(fields) >= _FIELDS and fields[0] in _TYPES


def read_rttm(lines: Sequence[str]) -> SegmentTable:
    """The lines of type SPEAKER: file, start and duration in seconds, and the speaker; other types are passed over."""
    table = SegmentTable("an RTTM file")
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields or fields[0].startswith((";;", "#")) or (fields[0] in _TYPES and fields[0] != "SPEAKER"):
            continue
        if len(fields) < _FIELDS or fields[0] != "SPEAKER":
            table.add(number, None)
            continue
        start, speaker = seconds_of(fields[3]), "" if fields[7] == "<NA>" else fields[7]
        table.add(number, Segment(fields[1], start, start + seconds_of(fields[4]), (), speaker))
    return table
