"""Small files with one fault each: cut-outs of the survey, and shot gathers whose header words look like lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.demo.segy_bytes import IBM, IEEE, SegyFile, text_header
from ssl_domains_seismic.demo.survey import CROSSLINES, INLINES, INTERVAL_MS, Survey
from ssl_domains_seismic.demo.trace_words import JUNK_BYTES, line_words, survey_text
from ssl_domains_seismic.demo.wavelet import ricker

__all__ = ["CHANNELS", "CUT_OUT", "SHOTS", "write_twins"]

CUT_OUT = (slice(10, 30), slice(20, 44), slice(0, 100))
"""Inlines, crosslines and samples of the survey that the cut-outs hold."""
SHOTS, CHANNELS = 10, 30

_CUT_TRACES = 2.5  # traces that the truncated file lacks
_METRES = 25.0  # from a shot to the next one, and from a channel to the next one
_METRES_PER_SECOND = 2200.0
_EVENTS = (120.0, 210.0, 330.0)  # times of reflections at offset 0, ms


def write_twins(folder: Path, survey: Survey, seed: int) -> None:
    """Write the files: truncated, little-endian, IEEE under code 1, swapped words, shots × channels.

    Args:
        folder: Where to; it exists.
        survey: The survey.
        seed: Of junk and noise.
    """
    good = _cut_out(survey, seed)
    length = 240 + 4 * good.samples.shape[1]
    good.write(folder / "truncated.sgy", cut=int(_CUT_TRACES * length))
    replace(good, code=IEEE, byte_order="<").write(folder / "little_endian.sgy")
    replace(good, code=IEEE, said_code=IBM).write(folder / "ieee_under_code_1.sgy")
    inline, crossline = good.words[9], good.words[21]
    swapped = {**good.words, JUNK_BYTES[0]: crossline, JUNK_BYTES[1]: inline}
    silent = survey_text("CUT-OUT OF THE NEAR ANGLE STACK", bytes_said=False)
    replace(good, text=silent, words=swapped).write(folder / "swapped_words.sgy")
    _shots(seed).write(folder / "shots_by_channels.sgy")


def _cut_out(survey: Survey, seed: int) -> SegyFile:
    samples = survey.stacks["near"][CUT_OUT]
    inline, crossline = np.meshgrid(INLINES[CUT_OUT[0]], CROSSLINES[CUT_OUT[1]], indexing="ij")
    return SegyFile(
        text=survey_text("CUT-OUT OF THE NEAR ANGLE STACK"),
        samples=samples.reshape(-1, samples.shape[-1]),
        words=line_words(inline.ravel(), crossline.ravel(), seed),
        interval_us=1000 * INTERVAL_MS,
        code=IBM,
    )


def _shots(seed: int) -> SegyFile:
    """Shot gathers of one 2-D line: every pair of shot and channel occurs once, and yet they are no lines."""
    shot, channel = (each.ravel() for each in np.mgrid[1 : SHOTS + 1, 1 : CHANNELS + 1].astype(np.int64))
    offset = np.rint(_METRES * (channel + 3)).astype(np.int64)
    source = np.rint(_METRES * (shot + CHANNELS + 3)).astype(np.int64)
    words: dict[int, NDArray[np.int64] | int] = {
        9: shot + 100,  # field record
        13: channel,
        17: shot,  # energy source point
        21: 2 * shot - channel + CHANNELS,  # midpoints lie half as far apart as shots and channels
        37: -offset,
        71: 1,
        73: source,
        81: source - offset,
    }
    lines = {
        1: "CLIENT  NOBODY            SIMULATED SHOTS OF SSL-DOMAINS, NO REAL EARTH",
        2: f"2-D LINE  {SHOTS} SHOTS  {CHANNELS} CHANNELS  NOT STACKED",
        4: "FIELD RECORD: BYTES 9-12  CHANNEL: BYTES 13-16",
        40: "END TEXTUAL HEADER",
    }
    return SegyFile(text_header(lines), _gathers(offset, seed), words, 1000 * INTERVAL_MS, code=IBM, sorting=1)


def _gathers(offset: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
    """Traces with reflections at ``sqrt(t0² + (offset / velocity)²)``, and noise; float32 ``[trace, sample]``."""
    samples = CUT_OUT[2].stop
    rng = np.random.default_rng([seed, SHOTS, CHANNELS])
    traces = 0.1 * rng.standard_normal((offset.size, samples))
    wavelet = ricker(35.0, INTERVAL_MS)
    half = wavelet.size // 2
    padded = np.pad(traces, ((0, 0), (half, half)))
    for start in _EVENTS:
        arrival = np.hypot(start, 1000 * offset / _METRES_PER_SECOND)
        for trace, at in enumerate(np.rint(arrival / INTERVAL_MS).astype(int)):
            if at < samples:
                padded[trace, at : at + wavelet.size] += wavelet
    return np.asarray(1000 * padded[:, half : half + samples], dtype=np.float32)
