"""Scores of transcripts: a CTC head on the frames of a cell's encoder, and the texts of trained recognisers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import Run
from ssl_domains.evaluation import frame_features, input_lengths
from ssl_domains.finetuning import FineTuned
from ssl_domains.probes import LabelDraw
from ssl_domains.probes.transcripts import (
    CER,
    OF_TRANSCRIPTS,
    TranscriptFit,
    Transcripts,
    frame_counts,
    label_problems,
    run_transcript_probe,
    transcript_scores,
    transcript_sums,
)
from ssl_domains.quantities import plural
from ssl_domains.studies.design.cells import Cell, CellScore
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.training import draw_of, fold_of, trained_transcripts
from ssl_domains.studies.measuring.label_probes import TestRows
from ssl_domains.studies.measuring.once import once

__all__ = ["PROBE", "FittingRows", "head_fit", "text_score", "trained_score", "transcript_probe_scores"]

PROBE = "transcripts"


def head_fit(material: Material) -> TranscriptFit:
    """How CTC heads of a study are fitted."""
    return TranscriptFit(steps=material.transcripts.steps, lr=tuple(material.transcripts.lr))


@dataclass(frozen=True)
class FittingRows:
    """The transcripts of a cell, and the training rows whose transcript fits the frames of the encoder.

    Attributes:
        transcripts: Those of all rows, with the alphabet of the training rows of the fold.
        fits: bool ``[n]``: rows whose transcript fits.
    """

    transcripts: Transcripts
    fits: NDArray[np.bool_]

    @classmethod
    def of(cls, material: Material, cell: Cell, run: Run) -> FittingRows:
        """The transcripts of a cell; the number of frames is that of the run's encoder and preprocess."""
        transcripts = trained_transcripts(material, cell)
        lengths = once(
            material, ("lengths", run.config.encoder.name, cell.arm.name),
            partial(input_lengths, run.preprocess, material.table, material.store),
        )  # fmt: skip
        frames = frame_counts(run.encoder(), lengths)
        names = material.table.frame["sample"].cast(str).to_list()
        return cls(transcripts, ~label_problems(transcripts, frames, names).rows)

    def drawn(self, draw: LabelDraw) -> tuple[NDArray[np.int64], str]:
        """Rows of a draw that can be learnt from, and a note on the others; empty where there are none."""
        rows = np.flatnonzero(draw.rows & self.fits)
        lost = int(draw.rows.sum()) - len(rows)
        note = f"{plural(lost, 'transcript')} of a draw did not fit their frames" if lost else ""
        return rows, "; ".join(one for one in (draw.note, note) if one)


def transcript_probe_scores(material: Material, cell: Cell, run: Run, fractions: Sequence[float]) -> list[CellScore]:
    """Scores of a CTC head on the frames of the cell's frozen encoder, at each fraction of labelled groups."""
    fitting, tested = FittingRows.of(material, cell, run), TestRows.of(material, cell)
    fold, codes = fold_of(material, cell), material.groups.codes
    used = np.flatnonzero((fold.train & fitting.transcripts.known) | tested.rows)
    features = frame_features(run.encoder(), run.preprocess, material.table.take(used), material.store, crop=run.crop)
    scores = []
    for fraction in fractions:
        rows, note = fitting.drawn(draw_of(material, cell, fraction))
        train = np.isin(used, rows)
        result = run_transcript_probe(
            features, fitting.transcripts.take(used), codes[used], train, tested.rows[used], fit=head_fit(material),
            seed=cell.seed,
        )  # fmt: skip
        notes = "; ".join(one for one in (note, *result.notes) if one)
        scores.append(text_score(tested, PROBE, fraction, len(rows), result.answers, notes))
    return scores


def trained_score(tested: TestRows, probe: str, fraction: float, labelled: int, run: Run, note: str = "") -> CellScore:
    """Scores of a trained recogniser on the test rows of a cell."""
    answers = FineTuned.open(run).transcripts(tested.part, tested.material.store)
    return text_score(tested, probe, fraction, labelled, [one.text for one in answers], note)


def text_score(
    tested: TestRows, probe: str, fraction: float, labelled: int, answers: Sequence[str], note: str = ""
) -> CellScore:
    """Sums of the errors of each test group, and CER over the whole fold.

    Args:
        tested: The test rows of a cell.
        probe: Name of the probe.
        fraction: Share of labelled groups.
        labelled: Number of labelled rows.
        answers: Texts for the test rows, in reading order.
        note: A remark; may be empty.
    """
    assert isinstance(tested.truth, Transcripts)
    each = transcript_sums([text or "" for text in tested.truth.texts], list(answers))
    sums = np.zeros((len(tested.groups), each.shape[1]))
    np.add.at(sums, tested.place, each)
    values = {CER: transcript_scores(each).values[CER]}
    by_measure = {name: sums.tolist() for name in OF_TRANSCRIPTS}
    return CellScore(probe, fraction, labelled, tested.groups.tolist(), by_measure, values, note)
