"""A SEG-Y file as a survey: its grid, its vertical axis, its place on the map and its samples."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.geometry.choice import Choice, Lines, choose_lines
from ssl_domains_seismic.geometry.coordinates import FOOT, float_words, scaled
from ssl_domains_seismic.geometry.grid import Grid, grid_of
from ssl_domains_seismic.geometry.line_axis import LineAxis
from ssl_domains_seismic.geometry.pair_score import PairScore
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.segy.index_file import indexed_words
from ssl_domains_seismic.segy.layout import Layout, read_layout
from ssl_domains_seismic.segy.number_type import NumberType, number_type
from ssl_domains_seismic.segy.sample_format import IBM, IEEE, sample_format
from ssl_domains_seismic.segy.text_header import named_bytes
from ssl_domains_seismic.segy.trace_words import Progress, TraceWords
from ssl_domains_seismic.segy.volume import SegyVolume

__all__ = ["Survey", "examine", "open_survey"]

_DEAD = 2
_OPEN = 16  # surveys that a process keeps


@dataclass(frozen=True)
class Survey:
    """A SEG-Y file whose headers were read.

    Attributes:
        layout: Where the traces lie.
        words: Header words of the traces.
        choice: The line numbers, and how they were chosen.
        numbers: Signs of the type of float samples; None for other formats.
        reading: How it is read.
        start: Time of the first sample, ms; depth in metres with ``vertical="depth"``.
        step: Distance of samples in the same unit; None where no header says it.
        refusals: Why the file can't be sampled, in sentences; empty when it can.
        notes: What is unusual, in sentences.
    """

    layout: Layout
    words: TraceWords
    choice: Choice
    numbers: NumberType | None
    reading: Reading
    start: float
    step: float | None
    refusals: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def unit(self) -> str:
        """Unit of the vertical axis: ``"ms"`` or ``"m"``."""
        return "m" if self.reading.vertical == "depth" else "ms"

    @property
    def lines(self) -> Lines | None:
        """The line numbers; None for a 2-D file."""
        return self.choice.lines

    @property
    def ibm(self) -> bool:
        """Whether samples are read as IBM numbers."""
        return self.reading.samples_as == "ibm" or (self.reading.samples_as is None and self.layout.format.code == IBM)

    @cached_property
    def dead(self) -> NDArray[np.bool_] | None:
        """Traces that word 29 marks as dead, bool ``[traces]``; None when there are none."""
        dead = self.words[29] == _DEAD
        return dead if dead.any() else None

    @cached_property
    def grid(self) -> Grid:
        """The trace of each inline and crossline; of a 2-D file, one inline whose crosslines are trace numbers."""
        if self.lines is None or self.lines.score.inline is None or self.lines.score.crossline is None:
            count = self.words.traces
            dead = None if self.dead is None else self.dead[None]
            return Grid(LineAxis(1, 1, 1), LineAxis(1, 1, count), (0, count, 1), None, dead, "one line")
        score = self.lines.score
        assert score.inline is not None
        assert score.crossline is not None
        return grid_of(score.inline, score.crossline, self.lines.a, self.lines.b, self.dead)

    @cached_property
    def volume(self) -> SegyVolume:
        """The samples ``[inline, crossline, sample]``, not yet read."""
        layout = self.layout
        float_words = layout.format.code in (IBM, IEEE)
        stored = np.dtype(layout.header.order + "u4") if float_words and self.ibm else layout.words
        if float_words and not self.ibm:
            stored = np.dtype(layout.header.order + "f4")
        return SegyVolume(
            path=layout.path,
            size=layout.size,
            modified=layout.modified,
            first=layout.first + layout.head,
            trace_bytes=layout.trace_bytes,
            samples=layout.samples,
            stored=stored,
            dtype=np.dtype(layout.format.read),
            ibm=self.ibm,
            grid=self.grid,
            reading=self.reading,
        )

    def require(self) -> None:
        """Check that the file can be sampled.

        Raises:
            ReadError: With the first reason why it can't.
        """
        if self.refusals:
            raise ReadError(self.refusals[0])


def open_survey(path: str | Path, reading: Reading) -> Survey:
    """A file that can be sampled; kept while the file is unchanged.

    Raises:
        ReadError: When it can't be read, or not be sampled.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise ReadError(f"the file can't be read: {error.strerror or error}") from error
    return _opened(str(path), status.st_size, status.st_mtime_ns, reading)


@lru_cache(maxsize=_OPEN)
def _opened(path: str, size: int, modified: int, reading: Reading) -> Survey:
    """Open a survey; size and time are there to tell a changed file from the one that is kept."""
    survey = examine(path, reading, numbers=False)
    survey.require()
    return survey


def examine(path: str | Path, reading: Reading, *, numbers: bool = True, progress: Progress | None = None) -> Survey:
    """Read the headers of a file and choose its line numbers; reasons why it can't be sampled are kept, not raised.

    Args:
        path: The file.
        reading: How it is read.
        numbers: Whether to compare some samples with the format code.
        progress: Called with traces read and all traces.

    Raises:
        ReadError: When it is no SEG-Y file, or has a format that isn't read.
    """
    layout = read_layout(path)
    notes, refusals = list(layout.notes), []
    code = layout.format.code
    if reading.samples_as is not None and code not in (IBM, IEEE):
        notes.append(f"--samples-as is for float samples of 4 bytes; these are of format {code} and read by it")
        reading = replace(reading, samples_as=None)
    if reading.samples_as is not None:
        layout = replace(layout, format=sample_format(IBM if reading.samples_as == "ibm" else IEEE))
    words = indexed_words(layout, reading.index, progress)
    named = named_bytes(layout.text.lines + (layout.extended.lines if layout.extended else ()))
    choice = choose_lines(words, named, given=reading.lines, kind=reading.coordinates, feet=layout.header.feet)
    if choice.refusal is not None:
        refusals.append(choice.refusal)
    signs = number_type(layout) if numbers else None
    if signs is not None and signs.contradicts and reading.samples_as is None:
        refusals.append(
            f"the format code says IBM, and the samples fit IEEE better ({signs.words}); decide by "
            "--samples-as ieee or --samples-as ibm"
        )
    start, varying = _start(words, layout, reading)
    if varying is not None:
        refusals.append(varying)
    notes += _remarks(words, choice, reading)
    step = None if layout.interval_us is None else _length(layout.interval_us / 1000, layout, reading)
    return Survey(layout, words, choice, signs, reading, start, step, tuple(refusals), tuple(notes))


def _length(value: float, layout: Layout, reading: Reading) -> float:
    """A vertical length in ms, or in metres; a file in feet gives depths in feet."""
    return value * FOOT if reading.vertical == "depth" and layout.header.feet else value


def _start(words: TraceWords, layout: Layout, reading: Reading) -> tuple[float, str | None]:
    """Delay of the first sample [109, scaled by 215], and the sentence for delays that differ between live traces."""
    delays = scaled(words[109].astype(np.float64), words[215])
    live = words[29] != _DEAD
    chosen = delays[live] if live.any() else delays
    low, high = float(chosen.min()), float(chosen.max())
    said = None
    if low != high:
        others = int((chosen != chosen[0]).sum())
        said = (
            f"the start time differs between traces, from {low:g} to {high:g} ms (word 109; {others:,} of "
            f"{len(chosen):,} traces differ from the first): a sample number is no time in this file; shift the traces "
            "to one start before scanning"
        )
    return _length(float(chosen[0]), layout, reading), said


def _remarks(words: TraceWords, choice: Choice, reading: Reading) -> list[str]:
    notes = []
    score: PairScore | None = choice.lines.score if choice.lines is not None else None
    if score is not None and score.duplicates:
        notes.append(f"{score.duplicates:,} traces lie in a cell that has one already: the first of the file is taken")
    if score is not None and score.outliers:
        notes.append(f"{score.outliers:,} traces have line numbers far from the others, or between them: left out")
    if words.varies(37) and choice.refusal is None:
        notes.append("the offset word (37) varies with one trace a cell: stacked data, the word is ignored")
    dead = int((words[29] == _DEAD).sum())
    if dead:
        notes.append(f"{dead:,} traces are marked as dead (word 29 is 2): places without data")
    if reading.coordinates == "int":
        for byte, ibm, ieee in float_words(words):
            used = " (--coordinates ibm or ieee)" if byte in (73, 77, 181, 185) else ""
            notes.append(f"word {byte} looks like a float: {ibm:g} as IBM, {ieee:g} as IEEE; it is ignored{used}")
    return notes
