"""Scores of transcripts: character and word errors by edit distance, and lines that are wholly right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ssl_domains.probes.metrics import Scores
from ssl_domains.probes.transcripts.edit_distance import edit_distance

__all__ = ["CER", "CHARACTER_ACCURACY", "OF_TRANSCRIPTS", "transcript_scores", "transcript_sums"]

CHARACTER_ACCURACY = "character accuracy"
"""The main score of transcripts: 1 − CER, larger is better; below 0 where there are more errors than characters."""

CER = "CER"
"""Character error rate: edits of all lines together, divided by the characters of all transcripts."""

_EDITS, _CHARACTERS, _RIGHT, _LINES, _WORD_EDITS, _WORDS = range(6)

Sums = NDArray[np.float64]


def _share(above: Sums, below: Sums) -> Sums:
    out = np.full(np.broadcast_shapes(np.shape(above), np.shape(below)), np.nan)
    np.divide(above, below, out=out, where=np.asarray(below) > 0)
    return out


def _character_accuracy(sums: Sums) -> Sums:
    return 1.0 - _share(sums[..., _EDITS], sums[..., _CHARACTERS])


def _line_accuracy(sums: Sums) -> Sums:
    return _share(sums[..., _RIGHT], sums[..., _LINES])


def _word_accuracy(sums: Sums) -> Sums:
    return 1.0 - _share(sums[..., _WORD_EDITS], sums[..., _WORDS])


OF_TRANSCRIPTS: Mapping[str, Callable[[Sums], Sums]] = {
    CHARACTER_ACCURACY: _character_accuracy,
    "line accuracy": _line_accuracy,
    "word accuracy": _word_accuracy,
}
"""Scores that are better when they are larger, by name: from `transcript_sums` ``[..., 6]`` to ``[...]``.

They are NaN where there is no character. ``line accuracy`` is the share of lines without an error, ``word accuracy`` is
1 − the word error rate.
"""


def transcript_sums(truths: Sequence[str], answers: Sequence[str]) -> Sums:
    """Errors of each line: edits, characters, whether it is right, 1, edits by word, words.

    Args:
        truths: ``n`` transcripts, tidy as by `tidy_text`.
        answers: The ``n`` answers.

    Returns:
        float64 ``[n, 6]``; those of several lines are added.
    """
    sums = np.zeros((len(truths), 6))
    for row, (truth, answer) in enumerate(zip(truths, answers, strict=True)):
        words = truth.split()
        right = truth == answer
        sums[row] = (
            0 if right else edit_distance(truth, answer), len(truth), right, 1,
            0 if right else edit_distance(words, answer.split()), len(words),
        )  # fmt: skip
    return sums


def transcript_scores(sums: Sums) -> Scores:
    """Scores of lines together.

    Args:
        sums: `transcript_sums` of the lines, ``[n, 6]``.
    """
    whole, scores = sums.sum(axis=0), Scores()
    for name, score in OF_TRANSCRIPTS.items():
        value = float(score(whole))
        if np.isnan(value):
            scores.undefined(name, "there is no transcript")
        else:
            scores.values[name] = value
    accuracy = scores.values[CHARACTER_ACCURACY]
    scores.values[CER] = None if accuracy is None else 1.0 - accuracy
    return scores
