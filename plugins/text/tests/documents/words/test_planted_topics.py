"""Planted topics are recovered from the vectors, and not from a corpus whose words have changed places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ssl_domains_text.documents.words.corpus import build_corpus

from .made_up import CHANCE, recovered, topics, trained


@pytest.mark.parametrize(
    ("name", "epochs", "options", "least"),
    [
        ("skipgram", 4, {}, 0.9),
        ("skipgram", 4, {"shared": 16}, 0.9),
        ("nce_lm", 4, {"negatives": 10}, 0.9),
        ("nce_lm", 4, {"negatives": 10, "shared": 32, "after": 3}, 0.9),
        ("ranking_lm", 8, {"hidden": 32}, 0.7),
        ("ranking_lm", 8, {"hidden": 32, "shared": 16}, 0.7),
    ],
)
def test_topics_are_recovered(tmp_path: Path, name: str, epochs: int, options: dict[str, Any], least: float) -> None:
    scores = []
    for shuffle in (None, 1):
        corpus = build_corpus(topics(), tmp_path / f"{shuffle}", min_count=2, max_words=10_000, shuffle=shuffle)
        method = trained(corpus, name, epochs, 256, dims=16, sample=0.0, **options)
        scores.append(recovered(corpus.words, method.vectors))
    assert scores[0] >= least, scores
    assert scores[1] <= CHANCE + 0.06, scores
