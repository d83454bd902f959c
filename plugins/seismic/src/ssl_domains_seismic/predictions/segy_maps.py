"""Predictions of a SEG-Y file as SEG-Y files with all of its trace headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ssl_domains.prediction import MapModel
from ssl_domains.samples import ReadError
from ssl_domains_seismic.geometry.pair_score import cells_of
from ssl_domains_seismic.predictions.segy_file import FORMATS, SegyLayout, write_segy
from ssl_domains_seismic.predictions.survey_maps import Blocks, VolumeMaps, unpredicted
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.survey import Survey, open_survey

__all__ = ["KINDS", "SegyMaps"]

KINDS = {np.dtype(kind).name: code for code, kind in FORMATS.items()}
"""Type of the samples → code of the sample format."""

_ENCODINGS = {"ebcdic": "cp037", "ascii": "ascii"}


@dataclass(frozen=True, eq=False)
class SegyMaps(VolumeMaps):
    """SEG-Y files of the predictions of one SEG-Y file.

    They have the traces of the source in its order, with all bytes of their headers. Traces that lie in one cell have
    the same prediction, as the samples show the first of them.

    Attributes:
        reading: How the headers of the source are read.
    """

    suffix: ClassVar[str] = ".sgy"

    reading: Reading

    def _file_bytes(self, sample_bytes: int, classes: int) -> int:
        try:
            layout = open_survey(self.source, self.reading).layout
        except ReadError:  # said when the files are written: then it is a problem of this source alone
            return 0
        headers = (1 + classes) * (layout.first + layout.traces * layout.head)
        return headers + layout.traces * layout.samples * (sample_bytes + 4 * classes)

    def _shape(self) -> tuple[int, int, int]:
        return open_survey(self.source, self.reading).volume.shape

    def _traces(self) -> int:
        return open_survey(self.source, self.reading).layout.traces

    def _cells(self) -> Callable[[], Iterator[NDArray[np.int64]]]:
        survey = open_survey(self.source, self.reading)
        step = self._block(survey.layout.samples)

        def cells() -> Iterator[NDArray[np.int64]]:
            for start in range(0, survey.layout.traces, step):
                yield _cells(survey, slice(start, min(start + step, survey.layout.traces)))

        return cells

    def _write(self, path: Path, blocks: Blocks, kind: str, what: str, model: MapModel) -> tuple[str, ...]:
        survey = open_survey(self.source, self.reading)
        layout = survey.layout
        places = SegyLayout(
            layout.first, layout.traces, layout.samples, layout.format.bytes, layout.head, layout.header.order,
            _ENCODINGS[layout.text.encoding],
        )  # fmt: skip
        none = f" ({unpredicted(kind)}: NONE)" if what == "CLASS NUMBERS" else ""
        line = f"{what}{none} BY SSL-DOMAINS {_version()}, MODEL {model.name}"
        written = write_segy(path, self.source, places, blocks, line, KINDS[kind])
        if written.text_line is None:
            return (f"{self.source.name}: its text header has no blank line, so none says what the predictions are",)
        return ()


def _cells(survey: Survey, part: slice) -> NDArray[np.int64]:
    """The cell of each trace of a part of the file; −1 for dead traces, and for those with numbers of no line."""
    lines = survey.lines
    if lines is None or lines.score.inline is None or lines.score.crossline is None:
        cells, inside = np.arange(part.start, part.stop, dtype=np.int64), None
    else:
        cells, inside = cells_of(lines.score.inline, lines.score.crossline, lines.a[part], lines.b[part])
    if inside is not None:
        cells = np.where(inside, cells, -1)
    return cells if survey.dead is None else np.where(survey.dead[part], -1, cells)


def _version() -> str:
    try:
        return version("ssl-domains")
    except PackageNotFoundError:
        return ""
