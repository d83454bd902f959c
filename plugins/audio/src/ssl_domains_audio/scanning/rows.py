"""The rows of the table: one for each clip, with the columns that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from ssl_domains_audio.scanning.clips import Clip
from ssl_domains_audio.scanning.contents import Contents
from ssl_domains_audio.scanning.sounds import Sound

__all__ = ["EMPTY", "frame_of"]

EMPTY: dict[str, Any] = {"sample": pl.String, "path": pl.String, "seconds": pl.Float64, "rate": pl.Int64}
_NUMBERS = ("recorded_at_s",)


def frame_of(
    sounds: Sequence[Sound],
    clips: Sequence[Clip],
    named: Mapping[str, Sequence[Any]],
    contents: Contents | None,
    tags: bool,
) -> pl.DataFrame:
    """The table.

    Args:
        sounds: The recordings.
        clips: The samples.
        named: Columns of the recordings, one value for each, from names and folders.
        contents: Result of the second pass; None where it was not run.
        tags: Whether a clip may have several labels: a column ``labels`` in the place of ``label``.
    """
    if not clips:
        return pl.DataFrame(schema=EMPTY)
    of = [sounds[clip.sound] for clip in clips]
    parts = any(clip.part for clip in clips)
    columns: dict[str, pl.Series] = {
        "sample": pl.Series(
            [s.name if not c.part else f"{s.name}:{c.start}-{c.stop}" for s, c in zip(of, clips, strict=True)]
        ),
        "path": pl.Series([str(sound.path) for sound in of]),
    }
    if parts:
        columns["array"] = pl.Series([sound.name for sound in of])
        regions = [[c.start, c.stop, 0, s.header.channels] for s, c in zip(of, clips, strict=True)]
        columns["region"] = pl.Series(regions, dtype=pl.List(pl.Int64))
        columns["recording"] = pl.Series([sound.name for sound in of])
    for name, values in named.items():
        dtype = pl.Float64 if name in _NUMBERS else pl.String
        columns[name] = pl.Series([values[clip.sound] for clip in clips], dtype=dtype)
    _add_labels(columns, clips, tags)
    rates = [sound.header.rate for sound in of]
    if parts:
        starts = [clip.start / rate for clip, rate in zip(clips, rates, strict=True)]
        columns["start_s"] = pl.Series(starts)
        columns["stop_s"] = pl.Series([clip.stop / rate for clip, rate in zip(clips, rates, strict=True)])
        if "recorded_at_s" in columns:
            columns["recorded_at_s"] = columns["recorded_at_s"] + columns["start_s"]
    columns["seconds"] = pl.Series([(clip.stop - clip.start) / rate for clip, rate in zip(clips, rates, strict=True)])
    columns["rate"] = pl.Series(rates, dtype=pl.Int64)
    columns["channels"] = pl.Series([sound.header.channels for sound in of], dtype=pl.Int64)
    columns["format"] = pl.Series([sound.header.format for sound in of])
    if contents is not None:
        _add_contents(columns, contents)
    return pl.DataFrame({name: series.alias(name) for name, series in columns.items()})


def _add_labels(columns: dict[str, pl.Series], clips: Sequence[Clip], tags: bool) -> None:
    """Columns ``label`` or ``labels``, ``speaker`` and ``source``, where a table gives them."""
    if any(clip.labels is not None for clip in clips):
        if tags or any(len(clip.labels or ()) > 1 for clip in clips):
            values = [None if clip.labels is None else list(clip.labels) for clip in clips]
            columns["labels"] = pl.Series(values, dtype=pl.List(pl.String))
        elif any(clip.labels for clip in clips):
            columns["label"] = pl.Series([clip.labels[0] if clip.labels else None for clip in clips], dtype=pl.String)
    for name in ("speaker", "source"):
        given = [getattr(clip, name) or None for clip in clips]
        if any(given):
            columns[name] = pl.Series(given, dtype=pl.String)


def _add_contents(columns: dict[str, pl.Series], contents: Contents) -> None:
    of = contents.of
    columns["level_db"] = pl.Series([one and one.level_db for one in of], dtype=pl.Float64)
    columns["peak"] = pl.Series([one and one.peak for one in of], dtype=pl.Float64)
    if any(one is not None and (one.mono_loss_db or one.channel >= 0) for one in of):
        columns["mono_loss_db"] = pl.Series([one and one.mono_loss_db for one in of], dtype=pl.Float64)
    if any(one is not None and one.channel >= 0 for one in of):
        chosen = [one.channel if one is not None and one.channel >= 0 else None for one in of]
        columns["channel"] = pl.Series(chosen, dtype=pl.Int64)
    columns["content"] = pl.Series([one and (one.digest or None) for one in of], dtype=pl.String)
