"""A segment of a recording, and the segments of one table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Segment", "SegmentTable", "seconds_of"]

_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d*)?)")


class Segment(NamedTuple):
    """A part of a recording with its labels.

    Attributes:
        recording: Name of the recording as the table writes it; empty where the name of the table says it.
        start_s: Start in seconds.
        stop_s: End in seconds.
        labels: Its labels; several for tags.
        speaker: Who speaks; empty where the table doesn't say it.
    """

    recording: str
    start_s: float
    stop_s: float
    labels: tuple[str, ...] = ()
    speaker: str = ""


@dataclass
class SegmentTable:
    """The segments of one file.

    Attributes:
        kind: What the file is, such as "an RTTM file".
        segments: In the order of its lines.
        bad_lines: Numbers of lines that can't be read, from 1.
        clips: Whether each recording may be only the segment cut out of a longer one, as in AudioSet.
        tags: Whether a segment may have several labels.
    """

    kind: str
    segments: list[Segment] = field(default_factory=list)
    bad_lines: list[int] = field(default_factory=list)
    clips: bool = False
    tags: bool = False

    def add(self, line: int, segment: Segment | None) -> None:
        """Add the segment of a line, or count the line as one that can't be read."""
        if segment is None or not 0 <= segment.start_s < segment.stop_s < float("inf"):
            self.bad_lines.append(line)
        else:
            self.segments.append(segment)


def seconds_of(text: str) -> float:
    """Seconds from ``12.5``, ``12,5`` (a decimal comma) or ``0:01:12.5``; NaN for anything else.

    Example:
        >>> seconds_of("1:02.5")
        62.5
    """
    text = text.strip().replace(",", ".")
    clock = _CLOCK.fullmatch(text)
    if clock:
        return 3600 * float(clock[1] or 0) + 60 * float(clock[2]) + float(clock[3])
    try:
        return float(text)
    except ValueError:
        return float("nan")
