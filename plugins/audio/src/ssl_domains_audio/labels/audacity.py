"""Label tracks of Audacity: start, end and label between tabs, without a header."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ssl_domains_audio.labels.segment import Segment, SegmentTable, seconds_of

__all__ = ["is_audacity", "read_audacity"]

_LINE = re.compile(r"\s*[\d.,]+\t[\d.,]+(\t.*)?")


def is_audacity(line: str) -> bool:
    """Whether a line is one of a label track."""
    return _LINE.fullmatch(line) is not None


def read_audacity(lines: Sequence[str]) -> SegmentTable:
    """The labels of a track; a line that begins with a backslash gives frequencies of the label before it.

    A label at one moment, whose start is its end, has no sound and counts as a line that can't be read.
    """
    table = SegmentTable("an Audacity label track")
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("\\"):
            continue
        start, stop, label = [*line.split("\t", 2), "", ""][:3]
        labels = (label.strip(),) if label.strip() else ()
        table.add(number, Segment("", seconds_of(start), seconds_of(stop), labels))
    return table
