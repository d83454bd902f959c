"""The segment tables of ``--labels``, and the recordings that their segments belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ssl_domains.errors import UsageError
from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, Unreadable, read_guarded, walk
from ssl_domains_audio.labels.matching import Recordings
from ssl_domains_audio.labels.segment import Segment
from ssl_domains_audio.labels.segments import read_segments
from ssl_domains_audio.scanning.sounds import Sound

__all__ = ["Labelled", "attach_segments"]

_SUFFIXES = (".csv", ".tsv", ".txt", ".rttm", ".lab")
_SHOWN = 3


@dataclass
class Labelled:
    """Segments by recording.

    Attributes:
        segments: Number of a recording → its segments.
        clips: Whether the files may be only the segments, as in AudioSet.
        tags: Whether a segment may have several labels.
        notes: What was read, in sentences.
    """

    segments: dict[int, list[Segment]] = field(default_factory=dict)
    clips: bool = False
    tags: bool = False
    notes: list[str] = field(default_factory=list)


def attach_segments(given: Sequence[str], source: Path, sounds: Sequence[Sound], problems: Problems) -> Labelled | None:
    """Read the tables and find the recording of each segment; None when no table is given.

    Args:
        given: Files and folders; of a folder, the text files in it.
        source: The scanned folder or file.
        sounds: The recordings.
        problems: Takes tables and lines that can't be read, and recordings that are not there.

    Raises:
        UsageError: When a path doesn't exist.
    """
    if not given:
        return None
    root = source if source.is_dir() else source.parent
    found, recordings = Labelled(), Recordings([sound.name for sound in sounds])
    for text in given:
        place = Path(text)
        if not place.exists():
            raise UsageError(f"--labels: there is no {text!r}", "give a file or a folder, as seen from here")
        for path in walk(place.resolve(), problems):
            if path.suffix.lower() in _SUFFIXES or not place.is_dir():
                _attach(path, root, place.is_dir(), recordings, found, problems)
    return found


def _attach(
    path: Path, root: Path, of_folder: bool, recordings: Recordings, found: Labelled, problems: Problems
) -> None:
    table = read_guarded(lambda: read_segments(path), path)
    if isinstance(table, Unreadable):
        problems.add(path, table.cause)
        return
    own = recordings.of_table(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name)
    missing: dict[str, None] = {}
    matched: dict[int, None] = {}
    for segment in table.segments:
        number = recordings.named(segment.recording) if segment.recording else own
        if number is None:
            missing[segment.recording] = None
        else:
            matched[number] = None
            found.segments.setdefault(number, []).append(segment)
    if table.bad_lines:
        lines = plural(len(table.bad_lines), "line")
        problems.add(path, f"{lines} can't be read as one of {table.kind}: line {table.bad_lines[0]} is the first")
    if "" in missing:
        problems.add(path, f"{table.kind} that names no recording, and no recording has its name")
        missing.pop("")
    if missing:
        problems.add(path, f"{plural(len(missing), 'recording')} that it names {_are(len(missing))} not here")
    found.clips |= table.clips
    found.tags |= table.tags
    if matched or not of_folder:
        shown = f" ({', '.join(list(missing)[:_SHOWN])}{', …' if len(missing) > _SHOWN else ''})" if missing else ""
        gone = f", {len(missing):,} missing{shown}" if missing else ""
        found.notes.append(
            f"{path.name} is {table.kind}: {plural(len(table.segments), 'segment')} of "
            f"{plural(len(matched), 'recording')}{gone}"
        )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
