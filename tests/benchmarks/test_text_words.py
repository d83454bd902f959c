"""Skip-gram against gensim's word2vec under the same objective: the held-out loss, and the benchmark in small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gensim")
pytest.importorskip("ssl_domains_text")

from benchmarks.text.words import (
    SHARED,
    Objective,
    Vectors,
    expected_loss,
    held_out_pairs,
    lee,
    run,
    skipgram,
    word2vec,
)
from ssl_domains_text.documents.words.corpus import build_corpus
from ssl_domains_text.documents.words.noise import Noise


def test_the_held_out_loss_is_that_of_word2vec(tmp_path: Path) -> None:
    sentences, objective = lee(), Objective()
    corpus = build_corpus(sentences, tmp_path, min_count=objective.min_count, max_words=10**6)
    pairs = held_out_pairs(corpus, lee(held_out=True), objective)
    noise = Noise(corpus.counts, 0.75).probability

    def loss(vectors: Vectors) -> float:
        return expected_loss(vectors, noise, objective.negatives, *pairs)

    theirs = loss(word2vec(sentences, corpus, objective)())
    nothing = np.zeros((len(corpus.words), objective.dims), dtype=np.float32)
    assert theirs < 0.8 * loss(Vectors(nothing, nothing))  # this doesn't compare models that learned nothing
    for shared in (0, SHARED):
        ours = loss(skipgram(corpus, objective, shared))
        assert abs(ours / theirs - 1) <= 0.03, (shared, ours, theirs)


def test_the_expected_loss_is_the_mean_over_draws() -> None:
    rng = np.random.default_rng(0)
    vectors = Vectors(*(rng.normal(size=(6, 4)).astype(np.float32) for _ in range(2)))
    noise = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    inputs, targets = np.array([0, 3, 3]), np.array([1, 2, 5])
    total, draws = 0.0, 40_000
    for i, t in zip(inputs, targets, strict=True):
        scores = vectors.outputs.astype(float) @ vectors.inputs[i].astype(float)
        drawn = rng.choice(6, size=(draws, 2), p=noise)
        others = np.where(drawn == t, 0, np.log1p(np.exp(scores[drawn])))
        total += np.log1p(np.exp(-scores[t])) + others.sum(1).mean()
    assert expected_loss(vectors, noise, 2, inputs, targets) == pytest.approx(total / 3, rel=0.01)


def test_the_benchmark_runs_in_small() -> None:
    result = run(rounds=1, zipf_words=20_000, vocabulary=300, epochs=1)
    assert len(result.rows) == 5 + 2 * 5
    assert all(row.value > 0 for row in result.rows)
    assert "| speed of ssl-domains / gensim, shared drawn words, made-up |" in result.table()
