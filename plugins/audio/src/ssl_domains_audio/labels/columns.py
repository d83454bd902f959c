"""Tables of segments with a header: CSV files of any delimiter, and selection tables of Raven."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence

from ssl_domains.samples import ReadError
from ssl_domains_audio.labels.segment import Segment, SegmentTable, seconds_of

__all__ = ["read_columns"]

_SEPARATORS = ("\t", ",", ";", "|")
_START = (
    "start_s",
    "start",
    "start_time",
    "start_seconds",
    "begin_time_s",
    "begin_time",
    "begin",
    "onset",
    "tmin",
    "from",
)
_STOP = ("stop_s", "end_s", "stop", "end", "end_time", "stop_time", "end_seconds", "end_time_s", "offset", "tmax", "to")
_DURATION = ("duration_s", "duration", "length", "dur")
_FILE = (
    "path", "file", "filename", "file_name", "filepath", "file_path", "begin_file", "begin_path", "in_file",
    "recording", "audio", "audio_file", "audiofilename", "wav", "clip", "name", "id",
)  # fmt: skip
_LABEL = (
    "label", "labels", "class", "species", "annotation", "category", "tag", "tags", "event_label", "event", "call_type",
    "type", "code", "common_name", "ebird_code", "primary_label",
)  # fmt: skip
_SPEAKER = ("speaker", "speaker_id", "spk")
_SEVERAL = frozenset({"labels", "tags"})
_HINT = "its header needs columns such as file, start, end and label"


def read_columns(text: str) -> SegmentTable:
    """The segments of a table whose header names the columns, in any of the usual words.

    Columns: start and end, or start and duration, in seconds; the recording; label, or labels between semicolons or
    commas; speaker. Raven writes a selection once for each view: equal segments become one.

    Raises:
        ReadError: When the header names no start, or neither end nor duration.
    """
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    separator = _separator(body)
    try:
        rows = list(csv.reader(body.splitlines(), delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise ReadError(f"no table of segments: {error}") from error
    header = {_word(name): place for place, name in enumerate(rows[0])} if rows else {}
    start, stop, duration = (_place(header, words) for words in (_START, _STOP, _DURATION))
    if start is None or (stop is None and duration is None):
        raise ReadError(f"no table of segments: {_HINT}")
    file, label, speaker = (_place(header, words) for words in (_FILE, _LABEL, _SPEAKER))
    several = any(header.get(word) == label for word in _SEVERAL) and label is not None
    raven = "selection" in header
    table = SegmentTable("a selection table of Raven" if raven else "a table of segments", tags=several)
    known: set[Segment] = set()
    for number, row in enumerate(rows[1:], 2):
        if not any(field.strip() for field in row):
            continue
        begin = seconds_of(_at(row, start))
        end = seconds_of(_at(row, stop)) if stop is not None else begin + seconds_of(_at(row, duration))
        text_of_label = _at(row, label)
        labels = re.split(r"[;,|]", text_of_label) if several else [text_of_label]
        segment = Segment(
            _at(row, file), begin, end, tuple(one.strip() for one in labels if one.strip()), _at(row, speaker)
        )
        if segment not in known:
            table.add(number, segment)
            known.add(segment)
    return table


def _separator(text: str) -> str:
    first = text.partition("\n")[0]
    return max(_SEPARATORS, key=first.count)


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _place(header: Mapping[str, int], words: Sequence[str]) -> int | None:
    return next((header[word] for word in words if word in header), None)


def _at(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""
