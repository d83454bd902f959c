"""What is drawn: words that are left out, noise words, and the positions of a batch."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chisquare

from ssl_domains.errors import UsageError
from ssl_domains_text.documents.words.batches import PositionBatches
from ssl_domains_text.documents.words.noise import Noise
from ssl_domains_text.documents.words.subsampling import keep_probability

COUNTS = np.array([5000, 900, 40, 39, 7, 1, 0, 2], dtype=np.int64)


def word2vec_keeps(count: int, total: int, sample: float) -> float:
    """The expression of word2vec.c: ran = (sqrt(cn / (sample * train_words)) + 1) * (sample * train_words) / cn."""
    return min(1.0, (math.sqrt(count / (sample * total)) + 1) * (sample * total) / count)


@pytest.mark.parametrize("sample", [1e-1, 1e-3, 1e-5])
def test_a_word_is_kept_as_in_word2vec(sample: float) -> None:
    kept = keep_probability(COUNTS, sample)
    total = int(COUNTS.sum())
    wanted = [word2vec_keeps(int(count), total, sample) if count else 1.0 for count in COUNTS]
    np.testing.assert_allclose(kept, wanted, rtol=1e-12)


def test_without_a_threshold_all_words_are_kept() -> None:
    assert keep_probability(COUNTS, 0).tolist() == [1.0] * len(COUNTS)
    with pytest.raises(UsageError, match="threshold -1"):
        keep_probability(COUNTS, -1)


@pytest.mark.parametrize("exponent", [0.0, 0.75, 1.0])
def test_noise_is_drawn_by_its_formula(exponent: float) -> None:
    noise = Noise(COUNTS, exponent)
    powers = np.where(COUNTS > 0, COUNTS.astype(float) ** exponent, 0)
    wanted = powers / powers.sum()
    np.testing.assert_allclose(noise.probability, wanted, rtol=1e-12)
    drawn = noise.draw(np.random.default_rng(3), (200, 1000))
    assert drawn.dtype == np.int32
    seen = np.bincount(drawn.ravel(), minlength=len(COUNTS))
    assert seen[6] == 0  # it never occurs
    there = wanted > 0
    assert chisquare(seen[there], wanted[there] * drawn.size).pvalue > 1e-3


def test_the_columns_of_a_large_vocabulary_add_up_to_the_distribution() -> None:
    counts = np.random.default_rng(0).zipf(1.3, 5000).clip(max=10**9).astype(np.int64)
    noise = Noise(counts, 0.75)
    made = noise._own.copy()
    np.add.at(made, noise._alias, 1 - noise._own)
    np.testing.assert_allclose(made / len(counts), noise.probability, atol=1e-12)


BOUNDS = np.array([0, 3, 4, 17, 20, 29], dtype=np.int64)


@pytest.mark.parametrize("size", [1, 2, 7, 29, 100])
def test_an_epoch_has_each_position_once(size: int) -> None:
    batches = PositionBatches(BOUNDS, size, seed=5)
    asks = list(batches.epoch(2))
    assert len(asks) == len(batches) == math.ceil(29 / size)
    assert [ask.step for ask in asks] == [2 * len(batches) + number for number in range(len(batches))]
    assert [len(ask) for ask in asks[:-1]] == [size] * (len(asks) - 1)
    positions = [position for ask in asks for position in ask]
    assert sorted(positions) == list(range(29))
    # Sentences stand whole and in their order, in the order that was drawn.
    starts = [position for position in positions if position in BOUNDS[:-1]]
    sizes = dict(zip(BOUNDS[:-1].tolist(), np.diff(BOUNDS).tolist(), strict=True))
    assert positions == [one for start in starts for one in range(start, start + sizes[start])]


def test_a_batch_depends_on_seed_epoch_and_number_alone() -> None:
    batches = PositionBatches(BOUNDS, 4, seed=5)
    assert list(map(list, batches.epoch(1, 3))) == list(map(list, batches.epoch(1)))[3:]
    assert list(map(list, batches.epoch(1))) != list(map(list, batches.epoch(0)))
    assert list(map(list, batches.epoch(1))) != list(map(list, PositionBatches(BOUNDS, 4, seed=6).epoch(1)))
