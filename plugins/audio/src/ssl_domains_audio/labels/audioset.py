"""Segment lists of AudioSet: comment lines, ``YTID, start, end, "labels,with,commas"``."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from ssl_domains_audio.labels.segment import Segment, SegmentTable, seconds_of

__all__ = ["is_audioset", "read_audioset"]

_LINE = re.compile(r'[\w-]{11}, *[\d.]+, *[\d.]+, *"')
_COMMENTS = 5


def is_audioset(lines: Sequence[str]) -> bool:
    """Whether the first lines are those of a list of AudioSet."""
    if any(line.startswith("#") and "YTID" in line for line in lines[:_COMMENTS]):
        return True
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return _LINE.match(first) is not None


def read_audioset(lines: Sequence[str]) -> SegmentTable:
    """The segments; a recording is named by its id, which may begin with ``-``."""
    table = SegmentTable("an AudioSet list", clips=True, tags=True)
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = next(csv.reader([line], skipinitialspace=True), [])
        if len(fields) < 4:
            table.add(number, None)
            continue
        labels = tuple(label.strip() for field in fields[3:] for label in field.split(",") if label.strip())
        table.add(number, Segment(fields[0].strip(), seconds_of(fields[1]), seconds_of(fields[2]), labels))
    return table
