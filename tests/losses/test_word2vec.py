"""`neg` and its noise beside gensim's word2vec, on a vocabulary of three words; skipped without gensim."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from ssl_domains.losses.nce import nce
from ssl_domains.losses.neg import neg, unigram_noise

COUNTS = {"a": 1, "b": 1, "n": 16}


@pytest.fixture
def word2vec() -> Any:
    gensim = pytest.importorskip("gensim.models")

    def make(negative: int) -> Any:
        """Skip-gram with vectors of two numbers; the word ``n`` is the only noise."""
        model = gensim.Word2Vec(vector_size=2, window=1, sg=1, negative=negative, min_count=1, sample=0, workers=1)
        model.build_vocab_from_freq(COUNTS)
        place = model.wv.key_to_index
        model.wv.vectors[:] = np.array([[0.0, 0.0]] * 3, dtype=np.float32)
        model.wv.vectors[place["a"]] = (1.0, 0.0)
        for word, score in {"a": 1.8, "b": -2.4, "n": -0.96}.items():
            model.syn1neg[place[word]] = (score, 0.25)
        table = np.zeros(3, dtype=np.uint32)
        table[place["n"] :] = 2**31 - 1
        model.cum_table = table
        return model

    return make


def looked_up(scores: torch.Tensor) -> torch.Tensor:
    """The scores at which gensim evaluates a logistic function, with the gradient of the scores themselves.

    gensim reads it from a table of 1,000 entries, of which entry i is for −6 + 0.012 i; it takes i = ⌊83 (s + 6)⌋.
    """
    return scores + (((scores + 6) * 83).floor() * 0.012 - 6 - scores).detach()


def _step(model: Any, alpha: float) -> float:
    """Train on the sentence "b a": the pair (b, a) has the input word a, the pair (a, b) an input of zeros."""
    model.train([["b", "a"]], total_examples=1, epochs=1, start_alpha=alpha, end_alpha=alpha, compute_loss=True)
    return float(model.get_latest_training_loss())


@pytest.mark.parametrize("negative", [1, 4])
def test_the_loss_is_that_of_gensim(word2vec: Any, negative: int) -> None:
    model = word2vec(negative)
    place = model.wv.key_to_index
    columns = [place["b"], *[place["n"]] * negative]
    # Rows are the input words a and b, columns the context word and the noise.
    inputs = torch.tensor(model.wv.vectors[[place["a"], place["b"]]], dtype=torch.float64)
    outputs = torch.tensor(model.syn1neg, dtype=torch.float64)
    first, second = inputs[:1] @ outputs[columns].T, inputs[1:] @ outputs[[place["a"], *columns[1:]]].T
    positive = torch.arange(1 + negative)[None] == 0
    first, second = (torch.where(positive, looked_up(s), -looked_up(-s)) for s in (first, second))
    expected = neg(first, positive, ~positive) + neg(second, positive, ~positive)
    found = _step(model, 1e-9)  # so small that a pair's update doesn't show in the next
    assert found == pytest.approx(float(expected), abs=2e-5)
    flat = torch.full((1 + negative,), -math.log(negative))
    corrected = nce(first, positive, ~positive, flat, negative) + nce(second, positive, ~positive, flat, negative)
    assert found == pytest.approx(float(corrected), abs=2e-5)


def test_an_update_is_a_step_along_the_gradient(word2vec: Any) -> None:
    model, alpha = word2vec(1), 1e-3
    place = model.wv.key_to_index
    inputs = torch.tensor(model.wv.vectors, dtype=torch.float64, requires_grad=True)
    outputs = torch.tensor(model.syn1neg, dtype=torch.float64, requires_grad=True)
    positive = torch.tensor([[True, False]])
    each = [
        neg(looked_up(inputs[[place[word]]] @ outputs[[place[context], place["n"]]].T), positive, ~positive)
        for word, context in (("a", "b"), ("b", "a"))
    ]
    torch.stack(each).sum().backward()
    before = model.wv.vectors.copy(), model.syn1neg.copy()
    _step(model, alpha)
    for gradient, old, new in ((inputs.grad, before[0], model.wv.vectors), (outputs.grad, before[1], model.syn1neg)):
        assert gradient is not None
        # The second pair is trained after the first, which has moved the vector of the noise by about alpha.
        np.testing.assert_allclose((old - new) / alpha, gradient.numpy(), atol=1e-3)


def test_noise_is_drawn_from_the_same_distribution() -> None:
    gensim = pytest.importorskip("gensim.models")
    counts = {"a": 3, "b": 50, "c": 1, "d": 700}
    model = gensim.Word2Vec(vector_size=2, sg=1, negative=5, min_count=1, workers=1)
    model.build_vocab_from_freq(counts)
    words = model.wv.index_to_key
    table = np.diff(np.concatenate([[0], model.cum_table.astype(np.float64)])) / (2**31 - 1)
    expected = unigram_noise([counts[word] for word in words])
    np.testing.assert_allclose(table, expected.numpy(), atol=1e-9)


def test_the_noise_distribution_is_the_written_formula() -> None:
    powers = [count**0.75 for count in (3, 50, 1)]
    expected = torch.tensor([0.0, *powers], dtype=torch.float64) / sum(powers)
    torch.testing.assert_close(unigram_noise([0, 3, 50, 1]), expected)
    torch.testing.assert_close(unigram_noise([3, 1], exponent=0), torch.tensor([0.5, 0.5], dtype=torch.float64))
