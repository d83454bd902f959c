"""A table with paths of recordings as the source of a scan: its rows stay, and what the files say is added."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from ssl_domains.errors import UsageError
from ssl_domains.samples import Problems, ScanResult
from ssl_domains_audio.scanning.clips import Clip
from ssl_domains_audio.scanning.contents import HOURS, measure_clips
from ssl_domains_audio.scanning.notes import channel_note, contents_notes, rate_note
from ssl_domains_audio.scanning.rows import frame_of
from ssl_domains_audio.scanning.sounds import SHORTEST_S, Sound, read_sounds

__all__ = ["complete_table"]

_ADDED = ("seconds", "rate", "channels", "format", "level_db", "peak", "mono_loss_db", "channel", "content")
_PARTS = ("array", "region", "recording")


def complete_table(read: ScanResult, contents: bool | None) -> ScanResult:
    """Add the columns that headers and contents give to the rows of a table.

    Rows with ``start_s`` and ``stop_s`` are these parts of their recordings. Columns of the table that a header knows
    better, such as ``rate``, are replaced, and a note says so. A table with a column ``region`` stays as it is.

    Args:
        read: The table as it was read, its paths absolute; rows without a file are among its problems.
        contents: Whether to read every sample; None for below `HOURS` hours.

    Raises:
        UsageError: When ``start_s`` or ``stop_s`` is no column of numbers.
    """
    if "region" in read.samples.columns:  # it was scanned before
        return read
    problems, notes = Problems(list(read.problems.rows())), list(read.notes)
    frame = read.samples.frame
    files = [Path(path) for path in frame["path"].unique(maintain_order=True)]
    root = os.path.commonpath([file.parent for file in files]) if files else ""
    sounds = read_sounds(files, lambda path: os.path.relpath(path, root), problems, {*files}).sounds
    number = {str(sound.path): place for place, sound in enumerate(sounds)}
    clips, rows = list[Clip](), list[int]()
    parts = _parts(frame)
    for row, (path, start, stop) in enumerate(parts.iter_rows()):
        if path not in number:
            continue
        sound = sounds[number[path]]
        clip = _clip(number[path], sound, start, stop)
        if clip is None:
            problems.add(path, f"a row of the table asks for {start:g} to {stop:g} s of {sound.header.seconds:.4g} s")
            continue
        clips.append(clip)
        rows.append(row)
    hours = sum((clip.stop - clip.start) / sounds[clip.sound].header.rate for clip in clips) / 3600
    reads = hours <= HOURS if contents is None else contents
    measured = measure_clips(sounds, clips, problems) if reads and clips else None
    made = frame_of(sounds, clips, {}, measured, False) if clips else None
    kept = frame[rows]
    if made is not None:
        names = [name for name in (*_ADDED, *_PARTS) if name in made.columns]
        replaced = [name for name in names if name in kept.columns and not kept[name].equals(made[name])]
        if replaced:
            notes.append(f"columns of the table that the files know better are replaced: {', '.join(replaced)}")
        kept = kept.with_columns(made[name] for name in names)
        notes += [rate_note([sounds[clip.sound].header.rate for clip in clips]), channel_note(sounds, measured)]
        notes += contents_notes(measured) if measured is not None else [f"the contents of {hours:,.1f} h were not read"]
    return ScanResult(replace(read.samples, frame=kept), problems.frame(), tuple(note for note in notes if note))


def _parts(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns path, start and stop in seconds; null where a row is a whole recording."""
    if not {"start_s", "stop_s"} <= {*frame.columns}:
        return frame.select("path", pl.lit(None, pl.Float64).alias("start"), pl.lit(None, pl.Float64).alias("stop"))
    for name in ("start_s", "stop_s"):
        if not frame.schema[name].is_numeric():
            raise UsageError(f"the column {name!r} of the table holds {frame.schema[name]}", "it is a time in seconds")
    return frame.select("path", pl.col("start_s").cast(pl.Float64), pl.col("stop_s").cast(pl.Float64))


def _clip(number: int, sound: Sound, start: Any, stop: Any) -> Clip | None:
    rate, frames = sound.header.rate, sound.header.frames
    if start is None or stop is None:
        return Clip(number, 0, frames, part=False)
    first, last = round(start * rate), min(round(stop * rate), frames)
    return Clip(number, first, last) if first >= 0 and last - first >= SHORTEST_S * rate else None
