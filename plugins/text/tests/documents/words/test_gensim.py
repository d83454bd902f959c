"""Skip-gram against gensim's word2vec under the same objective: the held-out loss on the Lee corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_expit

from ssl_domains_text.documents.words.corpus import Corpus, build_corpus
from ssl_domains_text.documents.words.noise import Noise
from ssl_domains_text.documents.words.subsampling import keep_probability
from ssl_domains_text.documents.words.texts import sentences_of
from ssl_domains_text.documents.words.windows import skipgram_pairs

from .made_up import trained

gensim = pytest.importorskip("gensim")

DIMS, WINDOW, K, SAMPLE, LEAST, EPOCHS = 100, 5, 5, 1e-3, 5, 5


def lee(name: str, encoding: str) -> list[list[str]]:
    from gensim.test.utils import datapath

    lines = Path(datapath(name)).read_text(encoding=encoding).splitlines()
    return [words for line in lines for words in sentences_of(line, "text")]


def held_out_pairs(corpus: Corpus, sentences: list[list[str]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of words, subsampled and in windows as in training."""
    number = {word: place for place, word in enumerate(corpus.words)}
    kept = keep_probability(corpus.counts, SAMPLE)
    rng = np.random.default_rng(7)
    inputs, targets = [], []
    for sentence in sentences:
        ids = np.array([number[word] for word in sentence if word in number])
        ids = ids[rng.random(len(ids)) < kept[ids]]
        pairs = skipgram_pairs(np.zeros(len(ids), dtype=np.int64), rng.integers(1, WINDOW + 1, len(ids)), WINDOW)
        inputs.append(ids[pairs.inputs])
        targets.append(ids[pairs.targets])
    return np.concatenate(inputs), np.concatenate(targets)


@pytest.mark.parametrize("shared", [0, 64])
def test_the_held_out_loss_is_that_of_word2vec(tmp_path: Path, shared: int) -> None:
    sentences = lee("lee_background.cor", "utf-8")
    corpus = build_corpus(sentences, tmp_path, min_count=LEAST, max_words=10**6)
    model = gensim.models.Word2Vec(
        sentences, vector_size=DIMS, window=WINDOW, negative=K, sg=1, sample=SAMPLE, min_count=LEAST, epochs=EPOCHS,
        workers=1, seed=1,
    )  # fmt: skip
    assert {word: model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key} == dict(
        zip(corpus.words, corpus.counts.tolist(), strict=True)
    )
    inputs, targets = held_out_pairs(corpus, lee("lee.cor", "latin-1"))
    noise = Noise(corpus.counts, 0.75).probability

    def loss(vectors: NDArray[np.float32], outputs: NDArray[np.float32]) -> float:
        """The expected loss of a pair: each of k drawn words is any but the target, which is skipped."""
        scores = vectors.astype(np.float64) @ outputs.T.astype(np.float64)
        drawn = -log_expit(-scores) * noise
        others = drawn.sum(1)[inputs] - drawn[inputs, targets]
        return float(np.mean(-log_expit(scores[inputs, targets]) + K * others))

    order = [model.wv.key_to_index[word] for word in corpus.words]
    theirs = loss(model.wv.vectors[order], model.syn1neg[order])
    options = {"dims": DIMS, "window": WINDOW, "negatives": K, "sample": SAMPLE, "shared": shared}
    method = trained(corpus, "skipgram", EPOCHS, 1024, **options)
    ours = loss(method.parameters["input"], method.parameters["output"])
    untrained = loss(np.zeros_like(method.vectors), np.zeros_like(method.vectors))
    assert theirs < 0.8 * untrained  # the comparison is not one of models that learned nothing
    assert abs(ours / theirs - 1) <= 0.03, (ours, theirs)
