"""The frozen probe of transcripts: a CTC head on frozen frames, scored once on the test rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.probes.metrics import Scores
from ssl_domains.probes.transcripts.frame_features import FrameFeatures
from ssl_domains.probes.transcripts.frame_head import TranscriptFit, fit_frame_head
from ssl_domains.probes.transcripts.scores import CHARACTER_ACCURACY, OF_TRANSCRIPTS, transcript_scores, transcript_sums
from ssl_domains.probes.transcripts.transcripts import Transcripts
from ssl_domains.quantities import plural

__all__ = ["PER_GROUP", "TranscriptResult", "run_transcript_probe", "score_texts"]

PER_GROUP = tuple(OF_TRANSCRIPTS)
"""The scores of each test group in `TranscriptResult.per_group`, in their order."""


@dataclass(frozen=True)
class TranscriptResult:
    """Scores of answers on the test rows.

    Attributes:
        scores: Scores of all test lines together.
        sums: `transcript_sums` of each test group, float64 ``[G, 6]``, by ascending group.
        chosen: Chosen hyper-parameters.
        labels: Number of labelled training rows.
        trained_groups: Number of groups of these rows.
        tested: Number of test rows.
        answers: The answer for each test row.
        notes: Remarks, one line each.
    """

    scores: Scores
    sums: NDArray[np.float64]
    chosen: dict[str, float]
    labels: int
    trained_groups: int
    tested: int
    answers: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def per_group(self) -> tuple[tuple[float | None, ...], ...]:
        """The scores `PER_GROUP` of each test group; None where undefined."""
        columns = [OF_TRANSCRIPTS[name](self.sums) for name in PER_GROUP]
        return tuple(tuple(None if np.isnan(value) else float(value) for value in row) for row in np.array(columns).T)

    def remarks(self) -> list[str]:
        """The notes, and how much the character accuracy differs between test groups."""
        known = [row[0] for row in self.per_group if row[0] is not None]
        if len(known) < 2:
            return list(self.notes)
        low, middle, high = min(known), float(np.median(known)), max(known)
        spread = f"{CHARACTER_ACCURACY} by test group: {low:.3f} to {high:.3f}, median {middle:.3f}"
        return [*self.notes, f"{spread} of {plural(len(known), 'group')}"]


def score_texts(transcripts: Transcripts, groups: NDArray[Any], answers: list[str], **more: Any) -> TranscriptResult:
    """Scores of answers.

    Args:
        transcripts: The ``n`` transcripts; rows without one are not scored.
        groups: Group of each row ``[n]``.
        answers: ``n`` answers in reading order.
        more: Further attributes of the result.
    """
    rows = np.flatnonzero(transcripts.known).tolist()
    truths = [transcripts.texts[row] or "" for row in rows]
    each = transcript_sums(truths, [answers[row] for row in rows])
    names, codes = np.unique(groups[rows], return_inverse=True)
    sums = np.zeros((len(names), each.shape[1]))
    np.add.at(sums, codes, each)
    values: dict[str, Any] = {"chosen": {}, "labels": 0, "trained_groups": 0, **more}
    return TranscriptResult(transcript_scores(each), sums, tested=len(rows), answers=tuple(answers), **values)


def run_transcript_probe(
    features: FrameFeatures,
    transcripts: Transcripts,
    groups: NDArray[Any],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    fit: TranscriptFit | None = None,
    folds: int = 2,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> TranscriptResult:
    """Fit a CTC head on the training rows, see `fit_frame_head`, and score its answers for the test rows once.

    Args:
        features: Frames of ``n`` samples.
        transcripts: Their transcripts, with the alphabet of the head. Test rows may have characters outside it, which
            are counted as errors.
        groups: Group of each row ``[n]``; no group may be on both sides.
        train: bool ``[n]``: labelled training rows, whose transcripts fit their frames.
        test: bool ``[n]``: labelled test rows.
        fit: Steps, batch size and grid.
        folds: Inner folds.
        seed: Seed of folds, weights and batches.
        device: Where heads are fitted.

    Raises:
        DataError: When a side is empty, or a group is on both.
    """
    rows, held = np.flatnonzero(train), np.flatnonzero(test)
    for side, positions in (("training", rows), ("test", held)):
        if not len(positions):
            raise DataError(f"no {side} row has a transcript", "transcribe more lines, or split by a coarser group")
    if len(np.intersect1d(groups[rows], groups[held])):
        raise DataError("a group is on both sides of the split", "split by the column given as --group")
    head = fit_frame_head(features, transcripts, groups, rows, fit=fit, folds=folds, seed=seed, device=device)
    return score_texts(
        transcripts.take(held), groups[held], head.texts(features, transcripts, held), chosen={"lr": head.lr},
        labels=len(rows), trained_groups=len(np.unique(groups[rows])), notes=head.notes,
    )  # fmt: skip
