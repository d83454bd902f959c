"""The reader of the domain: recordings of any kind, whole, cut into pieces, or the segments of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import (
    LazyArray,
    Problems,
    SampleTable,
    ScanResult,
    TableMeta,
    folder_columns,
    folder_note,
)
from ssl_domains_audio.files import SoundHeader, load_sound, open_sound, sound_header
from ssl_domains_audio.labels.names import name_columns
from ssl_domains_audio.scanning.clips import Clips, Cut, cut_of, cuts_of, labelled, segments_of, whole
from ssl_domains_audio.scanning.contents import HOURS, Contents, measure_clips, usable
from ssl_domains_audio.scanning.notes import channel_note, contents_notes, passed_note, rate_note, short_note
from ssl_domains_audio.scanning.rows import frame_of
from ssl_domains_audio.scanning.segment_files import Labelled, attach_segments
from ssl_domains_audio.scanning.sounds import Sound, find_sounds
from ssl_domains_audio.scanning.table_rows import complete_table

__all__ = ["AudioReader"]

_OWN = ("seconds", "rate", "channels", "format")
_GROUPS = ("site", "speaker", "session")
_OPTIONS = ("contents", "cut", "every", "folders", "labels", "names")


class AudioReader:
    """Reads recordings; an array is a whole recording ``[time, channels]`` in the type of its file.

    Plain wav files are read in place, and of long flac files only the part that is needed is decoded.
    """

    version = "1"
    axes = "tc"
    mixed_channels = True  # every number of them becomes mono
    columns = ()

    def scan(
        self,
        source: Path,
        *,
        names: str = "auto",
        folders: str | None = None,
        labels: Sequence[str | Path] | str | Path = (),
        cut: float | None = None,
        every: float | None = None,
        contents: bool | None = None,
        **unknown: Any,
    ) -> ScanResult:
        """Index a folder or a file from its headers, then measure the contents.

        Args:
            source: Folder or file.
            names: What file names say: ``fsdd``, ``esc50``, ``librispeech``, ``time``, ``none``, or ``auto``.
            folders: Columns from folders, from the top one on, as ``site/session``.
            labels: Tables of segments, files or folders; the segments are the samples, or label the cuts.
            cut: Length in seconds of the pieces that recordings are cut into.
            every: Distance of the starts of the pieces in seconds; by default they lie side by side.
            contents: Whether to read every sample for level, silence, clipping and copies; None for below 20 hours.
            unknown: Refused.

        Raises:
            UsageError: When the source doesn't exist, or an option is unknown or can't be read.
        """
        if unknown:
            raise UsageError(f"audio scan has no option {min(unknown)!r}", did_you_mean(min(unknown), _OPTIONS))
        lengths = cut_of(cut, every)
        source = Path(source).resolve()
        if not source.exists():
            raise UsageError(f"there is no {str(source)!r}", "give a folder or a file")
        problems, notes = Problems(), list[str]()
        given = [labels] if isinstance(labels, str | Path) else list(labels)
        found = find_sounds(source, problems)
        sounds = found.sounds
        files = [sound.name for sound in sounds]
        named = name_columns(files, names)
        columns: dict[str, Sequence[Any]] = {**named.columns, **folder_columns(files, folders, _OWN)}
        segments = attach_segments([str(one) for one in given], source, sounds, problems)
        made = _clips(sounds, lengths, segments, problems, notes)
        measured = _measured(sounds, made, contents, problems, notes)
        if sounds:
            notes = [
                rate_note([sounds[clip.sound].header.rate for clip in made.clips]),
                channel_note(sounds, measured),
                named.note,
                folder_note(files, folders, columns, _GROUPS),
                *notes,
                passed_note(found.passed),
            ]
        frame = frame_of(sounds, made.clips, columns, measured, segments is not None and segments.tags)
        options = {"names": names, "folders": folders, "cut": cut, "every": every}
        meta = TableMeta(options={name: value for name, value in options.items() if value is not None})
        return ScanResult(
            SampleTable(frame, meta), problems.frame(), tuple(note for note in notes if note), named.folds
        )

    def complete_table(
        self, read: ScanResult, *, contents: bool | None = None, names: str = "auto", **folder_options: Any
    ) -> ScanResult:
        """Add what the files say to a table with a column ``path``: seconds, rate, channels, format and contents.

        Rows with ``start_s`` and ``stop_s`` become these parts of their recordings.

        Raises:
            UsageError: For options that only a folder has.
        """
        given = sorted(name for name, value in folder_options.items() if value)
        if given or names not in ("auto", "none"):
            flag = given[0] if given else "names"
            raise UsageError(
                f"--{flag} reads a folder, and the source is a table", "scan the folder, and add the table by --join"
            )
        return complete_table(read, contents)

    def open(self, row: Mapping[str, Any]) -> LazyArray | None:
        """The recording of a row, not yet read; None for one that is better decoded once and copied.

        Raises:
            ReadError: With the cause.
        """
        return open_sound(str(row["path"]))

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """The whole recording of a row, ``[time, channels]``, in the type of its file; decoded ones float32 in ±1.

        Raises:
            ReadError: With the cause.
        """
        return load_sound(str(row["path"]))

    def nbytes(self, row: Mapping[str, Any]) -> int:
        """Size in bytes of the decoded recording; 0 for one that is read in place.

        Raises:
            ReadError: With the cause.
        """
        if self.open(row) is not None:
            return 0
        header = sound_header(str(row["path"]))
        return 4 * header.frames * header.channels if isinstance(header, SoundHeader) else 0


def _clips(
    sounds: Sequence[Sound], cut: Cut | None, segments: Labelled | None, problems: Problems, notes: list[str]
) -> Clips:
    """The samples: cuts, segments or whole recordings."""
    made = Clips()
    unlabelled = 0
    for number, sound in enumerate(sounds):
        if cut is not None:
            made.clips += cuts_of(number, sound, cut, made)
        elif segments is None:
            made.clips.append(whole(number, sound))
        elif number in segments.segments:
            made.clips += segments_of(number, sound, segments.segments[number], segments.clips, made)
        else:
            unlabelled += 1
    for number, cause in made.causes:
        problems.add(sounds[number].path, cause)
    if segments is not None:
        notes += segments.notes
        if cut is not None:
            labelled(made.clips, segments.segments, [sound.header.rate for sound in sounds])
        if unlabelled:
            notes.append(f"{unlabelled:,} recordings without a segment are left out (--cut SECONDS takes all)")
    if made.rest_s > 0:
        notes.append(f"{made.rest_s:.3g} s at the ends of recordings fill no cut and are left out")
    notes += [short_note(made.short)]
    return made


def _measured(
    sounds: Sequence[Sound], made: Clips, asked: bool | None, problems: Problems, notes: list[str]
) -> Contents | None:
    """The second pass, where it is asked for or short enough."""
    hours = sum((clip.stop - clip.start) / sounds[clip.sound].header.rate for clip in made.clips) / 3600
    if asked is False or (asked is None and hours > HOURS):
        notes.append(
            f"the contents of {hours:,.1f} hours were not read: level, silence, clipping and copies are not known "
            "(--contents reads them)"
        )
        return None
    measured = measure_clips(sounds, made.clips, problems)
    kept = usable(measured)
    made.clips = [made.clips[row] for row in kept]
    measured.of = [measured.of[row] for row in kept]
    notes += contents_notes(measured)
    return measured
