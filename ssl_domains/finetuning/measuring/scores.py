"""Scores of answers on the test groups of a comparison, computed as the frozen probes compute theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.finetuning.measuring.material import Material
from ssl_domains.probes import HEADLINE, DenseResult, ProbeResult, score
from ssl_domains.probes.dense_data import codes_of
from ssl_domains.probes.overlap import add_confusion
from ssl_domains.probes.transcripts import TranscriptResult, Transcripts, score_texts
from ssl_domains.samples import Transcribed

__all__ = ["TestScores", "answer_scores", "map_scores", "text_scores"]


@dataclass(frozen=True)
class TestScores:
    """Scores on test groups, with JSON values only.

    Attributes:
        values: Name of a score → its value, None where undefined.
        reasons: Name of a score → why it is None, or what it leaves out.
        per_class: Class → recall, average precision or Dice.
        per_group: For masks, Dice of each test group and class, None where undefined; for transcripts, the character,
            line and word accuracy of each test group.
        tested: Number of test rows.
        chosen: Hyper-parameters of a frozen probe.
        notes: Remarks.
    """

    __test__ = False  # not a class of tests, though its name begins like one

    values: dict[str, float | None]
    reasons: dict[str, str] = field(default_factory=dict)
    per_class: dict[str, float | None] = field(default_factory=dict)
    per_group: tuple[tuple[float | None, ...], ...] = ()
    tested: int = 0
    chosen: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def leading(self, task: str) -> float | None:
        """The leading score of a task."""
        return self.values.get(HEADLINE[task])

    @classmethod
    def of_probe(cls, result: ProbeResult) -> TestScores:
        """The scores of a frozen probe of a label column."""
        scores = result.scores
        return cls(
            scores.values, scores.reasons, scores.per_class, (), result.tested, dict(result.chosen), result.notes
        )

    @classmethod
    def of_masks(cls, result: DenseResult) -> TestScores:
        """The scores of a frozen dense probe, or of label maps; test rows are pictures."""
        values, reasons = result.values(), result.reasons()
        per_group = tuple(tuple(None if value != value else float(value) for value in row) for row in result.dice)
        return cls(
            values, reasons, result.per_class, per_group, result.tested, dict(result.chosen), tuple(result.remarks())
        )

    @classmethod
    def of_transcripts(cls, result: TranscriptResult) -> TestScores:
        """The scores of answers to transcripts."""
        scores = result.scores
        return cls(
            scores.values, scores.reasons, {}, result.per_group, result.tested, dict(result.chosen),
            tuple(result.remarks()),
        )  # fmt: skip


def text_scores(material: Material, rows: NDArray[np.int64], answers: Sequence[Transcribed]) -> TestScores:
    """Scores of the answers of a recogniser.

    Args:
        material: The rows of the comparison, with transcripts.
        rows: int64 ``[t]``, positions of the scored rows.
        answers: Their answers, ``t``.
    """
    assert isinstance(material.labels, Transcripts)
    texts = [answer.text for answer in answers]
    return TestScores.of_transcripts(score_texts(material.labels.take(rows), material.split.groups[rows], texts))


def answer_scores(
    material: Material, train: NDArray[np.bool_], rows: NDArray[np.int64], answers: NDArray[np.float64]
) -> TestScores:
    """Scores of answers to a label column.

    Args:
        material: The rows of the comparison.
        train: bool ``[n]``, the rows whose labels the model was trained on.
        rows: int64 ``[t]``, positions of the scored rows.
        answers: Their probabilities ``[t, K]``, or numbers ``[t]`` in the label's unit.

    Raises:
        DataError: When an answer is not a finite number.
    """
    if not np.isfinite(answers).all():
        raise DataError("the model gives answers that are not finite numbers", "lower train.lr; did it diverge?")
    trained = np.asarray(material.labels.take(train).membership().any(axis=0), dtype=np.bool_)
    scores = score(material.labels.take(rows), answers, trained)
    return TestScores(scores.values, scores.reasons, scores.per_class, tested=len(rows))


def map_scores(
    material: Material, rows: NDArray[np.int64], maps: Iterable[tuple[int, NDArray[np.uint8]]]
) -> TestScores:
    """Dice and IoU of label maps over whole groups.

    Args:
        material: The rows of the comparison, with masks.
        rows: int64 ``[t]``, positions of the scored rows.
        maps: (place in ``rows``, label map) of each scored row: class numbers of the masks ``[H, W]`` at the native
            shape of the mask.
    """
    targets = material.targets
    assert targets is not None
    index = codes_of(targets.numbers)
    names, codes = np.unique(material.split.groups[rows], return_inverse=True)
    counts = np.zeros((len(names), targets.channels, targets.channels), dtype=np.int64)
    for place, numbers in maps:
        add_confusion(counts[codes[place]], targets.native[int(rows[place])], index[numbers])
    return TestScores.of_masks(
        DenseResult(
            counts=counts,
            groups=names,
            classes=targets.classes,
            chosen={},
            labels=0,
            trained_groups=0,
            tested=len(rows),
            background=targets.background,
        )
    )
