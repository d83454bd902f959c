"""Scores of transcripts: edit distance against its definition, and rates over all lines together."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.probes.transcripts import (
    CER,
    CHARACTER_ACCURACY,
    OF_TRANSCRIPTS,
    Transcripts,
    edit_distance,
    score_texts,
    transcript_scores,
    transcript_sums,
)

TEXTS = st.text(alphabet="abc ", max_size=7)


def by_definition(truth: str, answer: str) -> int:
    """The recursive definition of Levenshtein's distance."""

    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i or j
        same = truth[i - 1] == answer[j - 1]
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + (not same))

    return distance(len(truth), len(answer))


@given(TEXTS, TEXTS)
def test_the_edit_distance_is_that_of_its_definition(truth: str, answer: str) -> None:
    assert edit_distance(truth, answer) == by_definition(truth, answer)


def test_rates_are_of_all_lines_together_not_means_over_lines() -> None:
    truths, answers = ["abcd efgh", "ab"], ["abcd efgh", "x"]
    scores = transcript_scores(transcript_sums(truths, answers))
    assert scores.values[CER] == pytest.approx(2 / 11)
    assert scores.values[CHARACTER_ACCURACY] == pytest.approx(9 / 11)
    assert scores.values["line accuracy"] == 0.5
    assert scores.values["word accuracy"] == pytest.approx(2 / 3)


def test_more_errors_than_characters_are_below_zero() -> None:
    scores = transcript_scores(transcript_sums(["a"], ["bcd"]))
    assert scores.values[CHARACTER_ACCURACY] == -2.0


def test_without_a_transcript_nothing_is_defined() -> None:
    scores = transcript_scores(np.zeros((0, 6)))
    assert all(scores.values[name] is None for name in (*OF_TRANSCRIPTS, CER))
    assert scores.reasons[CHARACTER_ACCURACY] == "there is no transcript"


def test_each_group_is_scored_apart_and_rows_without_a_transcript_are_not() -> None:
    truth = Transcripts.of(["ab", "ab", None, "cd"])
    result = score_texts(truth, np.array([5, 5, 5, 2]), ["ab", "aa", "zz", ""])
    assert result.tested == 3
    assert result.per_group == ((0.0, 0.0, 0.0), (0.75, 0.5, 0.5))  # group 2, then group 5
    assert result.remarks() == ["character accuracy by test group: 0.000 to 0.750, median 0.375 of 2 groups"]
