"""What ``ssl-domains seismic header`` prints: a file's headers, the chosen line numbers and why, and a live map."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import ReadError
from ssl_domains_seismic.geometry.coordinates import coordinate_words, coordinates_of
from ssl_domains_seismic.reading import reading_of
from ssl_domains_seismic.report.amplitudes import amplitudes_of
from ssl_domains_seismic.report.live_map import live_map
from ssl_domains_seismic.report.summary import axis_words, chosen_words, score_words, vertical_words
from ssl_domains_seismic.segy.sample_format import IBM
from ssl_domains_seismic.survey import Survey, examine

__all__ = ["header_report"]

_WIDTH = 14
_SORTING = {1: "as recorded", 2: "by CDP", 3: "single fold", 4: "stacked"}


def header_report(
    file: str | Path, lines: str | None = None, samples_as: str | None = None, coordinates: str | None = None,
    vertical: str | None = None,
) -> str:  # fmt: skip
    """Everything that the headers of a file say, as aligned lines of text.

    Raises:
        UsageError: When there is no such file, or an option can't be read.
        DataError: When it is no SEG-Y file.
    """
    path, reading = Path(file), reading_of(lines, samples_as, coordinates, vertical)
    if not path.is_file():
        raise UsageError(f"there is no file {str(file)!r}", "give a SEG-Y file")
    try:
        survey = examine(path, reading)
        rows = [*_file(survey), *_lines(survey), *_vertical(survey), *_map(survey)]
        rows += [] if survey.refusals else _samples(survey)
    except ReadError as error:
        raise DataError(f"{path.name}: {error}", "is it a SEG-Y file of stacked data?") from error
    said = [f"{name:<{_WIDTH}}{text}".rstrip() for name, text in rows]
    notes = [*([] if survey.layout.truncated is None else [survey.layout.truncated]), *survey.notes]
    said += [f"{'note' if number == 0 else '':<{_WIDTH}}{text}" for number, text in enumerate(notes)]
    said += ["", *_text(survey)]
    if survey.refusals:
        said += ["", *(f"not sampled: {sentence}" for sentence in survey.refusals)]
    return "\n".join(said)


def _file(survey: Survey) -> Iterable[tuple[str, str]]:
    layout, header = survey.layout, survey.layout.header
    yield "file", f"{layout.size:,} bytes, {layout.traces:,} traces of {layout.samples:,} samples"
    yield "byte order", f"{header.endian}-endian; revision {header.revision}; first trace at byte {layout.first:,}"
    sorting = _SORTING.get(header.sorting)
    yield "sorting code", f"{header.sorting}{f' ({sorting})' if sorting else ''}"
    yield "format", f"code {header.format}; read as {'IBM float, 4 bytes' if survey.ibm else layout.format.name}"
    if survey.numbers is not None and survey.numbers.code == IBM:
        yield "", survey.numbers.words


def _lines(survey: Survey) -> Iterable[tuple[str, str]]:
    choice = survey.choice
    if choice.refusal is not None:
        yield "lines", "ambiguous" if choice.rivals else "none"
    elif survey.lines is None:
        yield "lines", f"none: a 2-D line of {survey.layout.traces:,} traces"
    else:
        yield "lines", chosen_words(survey)
        yield "grid", f"{survey.grid.shape[0]:,} inlines × {survey.grid.shape[1]:,} crosslines; {survey.grid.order}"
        for number, name in enumerate(("inline", "crossline")):
            yield name, axis_words(survey, number)
        live = survey.grid.live()
        yield "live cells", f"{int(live.sum()):,} of {live.size:,}"
    for number, score in enumerate(choice.scores):
        shape = ""
        if score.failure is None and score.inline is not None and score.crossline is not None:
            shape = f"; {score.inline.count:,} × {score.crossline.count:,}"
        yield "candidates" if number == 0 else "", score_words(score) + shape
    for number, sentence in enumerate(choice.evidence):
        yield "evidence" if number == 0 else "", sentence


def _vertical(survey: Survey) -> Iterable[tuple[str, str]]:
    yield "vertical", vertical_words(survey)
    if survey.reading.vertical == "time":
        yield (
            "",
            "a sample interval is a time by the standard; no header word tells depth: --vertical depth reads metres",
        )
    else:
        yield "", "read as depth, as --vertical depth says"


def _map(survey: Survey) -> Iterable[tuple[str, str]]:
    words, feet = survey.words, survey.layout.header.feet
    pair = coordinate_words(words, survey.reading.coordinates)
    if pair is None:
        yield "map", "no coordinates that vary and can be read"
        return
    first = coordinates_of(words, pair, survey.reading.coordinates, feet, np.zeros(1, dtype=np.int64))[0]
    scalar = f", scalar {words.value(71)}" if survey.reading.coordinates == "int" else ""
    unit = "feet in the file, shown in metres" if feet else "metres"
    yield "map", f"words {pair[0]},{pair[1]}{scalar}, {unit}; the first trace is at x {first[0]:.2f}, y {first[1]:.2f}"
    fit = None if survey.lines is None else survey.lines.fit
    if fit is None:
        yield "", "x and y don't lie on a grid of these lines"
        return
    inline, crossline = fit.bins
    yield "bins", f"{inline:.2f} m between inlines, {crossline:.2f} m between crosslines (fit to {fit.residual:.2g} m)"
    yield "rotation", f"crossline numbers increase at {fit.rotation:.1f}° from east, counterclockwise"


def _samples(survey: Survey) -> Iterable[tuple[str, str]]:
    found = amplitudes_of(survey)
    if found is None:
        yield "amplitudes", "none that is finite"
    else:
        yield "amplitudes", f"{found.low:.4g} to {found.high:.4g} in {found.traces} traces; {found.zero:.1%} are 0"
        if found.not_finite:
            yield "", f"{found.not_finite:.2%} are NaN or infinite: places without data"
        yield "", f"{-found.clip:.4g} │{found.histogram}│ {found.clip:.4g}   (clip at the 99.5th percentile)"
    if survey.lines is not None:
        for number, line in enumerate(live_map(survey.grid.live())):
            yield "live map" if number == 0 else "", f"│{line}│"


def _text(survey: Survey) -> Iterable[str]:
    text = survey.layout.text
    yield f"text header ({text.encoding.upper()})"
    yield from _spoken(text.lines)
    if survey.layout.extended is not None:
        yield f"{len(survey.layout.extended.lines) // 40} further text headers"
        yield from _spoken(survey.layout.extended.lines)


def _spoken(lines: tuple[str, ...]) -> list[str]:
    """Lines that say more than their number."""
    return [f"  {line}" for line in lines if len(line.strip()) > 3]
