"""Skip-gram against gensim's word2vec: the loss on held-out text, and words a second on one thread.

``python -m benchmarks.text.words`` trains on the Lee corpus, which comes with gensim, and on a made-up corpus with a
large vocabulary. Both sides have the same words, windows, dimensions, negatives, subsampling and epochs. A word counts
when it is in the vocabulary, whether subsampling leaves it out or not.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_expit

from benchmarks.result import Result, Row, machine
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains_text.documents.words.batches import PositionBatches
from ssl_domains_text.documents.words.corpus import Corpus, build_corpus
from ssl_domains_text.documents.words.methods import SkipGram
from ssl_domains_text.documents.words.methods.skipgram import SkipGramOptions
from ssl_domains_text.documents.words.noise import Noise
from ssl_domains_text.documents.words.subsampling import keep_probability
from ssl_domains_text.documents.words.texts import sentences_of
from ssl_domains_text.documents.words.windows import skipgram_pairs

__all__ = ["Objective", "Vectors", "expected_loss", "held_out_pairs", "lee", "run", "skipgram", "word2vec", "zipf"]

SHARED = 64


@dataclass(frozen=True)
class Objective:
    """What both sides train.

    Attributes:
        dims: Numbers of a vector.
        window: Largest span.
        negatives: Drawn words of a pair.
        sample: Threshold of the subsampling.
        min_count: Occurrences of the rarest word.
        lr: The first learning rate; it falls to 0.004 times that.
        epochs: Passes over the corpus.
        batch: Words of a batch of ours.
    """

    dims: int = 100
    window: int = 5
    negatives: int = 5
    sample: float = 1e-3
    min_count: int = 5
    lr: float = 0.025
    epochs: int = 5
    batch: int = 1024


class Vectors(NamedTuple):
    """Input and output vectors, float32 ``[V, d]`` each, in the order of the corpus' vocabulary."""

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]


def lee(held_out: bool = False) -> list[list[str]]:
    """The Lee corpus: 300 news texts to train on, or 50 others; a sentence is a text."""
    from gensim.test.utils import datapath

    name, encoding = ("lee.cor", "latin-1") if held_out else ("lee_background.cor", "utf-8")
    lines = Path(datapath(name)).read_text(encoding=encoding).splitlines()
    return [words for line in lines for words in sentences_of(line, "text")]


def zipf(words: int, vocabulary: int, length: int = 20) -> Iterator[list[str]]:
    """Sentences of words that are drawn in proportion to 1 / rank."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, vocabulary + 1)
    ids = rng.choice(vocabulary, size=words, p=share / share.sum())
    for start in range(0, words, length):
        yield [f"w{one}" for one in ids[start : start + length]]


def word2vec(sentences: list[list[str]], corpus: Corpus, objective: Objective, seed: int = 1) -> Callable[[], Vectors]:
    """Gensim's model of the same vocabulary; the function that is returned trains it on one thread."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=objective.dims, window=objective.window, negative=objective.negatives, sg=1,
        sample=objective.sample, min_count=objective.min_count, alpha=objective.lr, min_alpha=0.004 * objective.lr,
        epochs=objective.epochs, workers=1, seed=seed,
    )  # fmt: skip
    model.build_vocab(sentences)
    counts = {word: int(model.wv.get_vecattr(word, "count")) for word in model.wv.index_to_key}
    assert counts == dict(zip(corpus.words, corpus.counts.tolist(), strict=True))
    order = [model.wv.key_to_index[word] for word in corpus.words]

    def train() -> Vectors:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy's, of scalars that gensim makes
            model.train(sentences, total_examples=len(sentences), epochs=objective.epochs)
        return Vectors(model.wv.vectors[order], model.syn1neg[order])

    return train


def skipgram(corpus: Corpus, objective: Objective, shared: int, seed: int = 0) -> Vectors:
    """Train ours, as the loop of `text words` does."""
    settings = SkipGramOptions(
        dims=objective.dims, window=objective.window, negatives=objective.negatives, sample=objective.sample,
        shared=shared,
    )  # fmt: skip
    method = SkipGram(corpus.counts, settings, np.random.default_rng((seed, 1)))
    batches = PositionBatches(corpus.bounds, objective.batch, seed)
    total, step = objective.epochs * len(batches), 0
    for epoch in range(objective.epochs):
        for ask in batches.epoch(epoch):
            lr = objective.lr * (1 - 0.996 * step / total)
            method.step(corpus.batch(ask), np.random.default_rng((seed, 2, step)), lr, measure=False)
            step += 1
    return Vectors(method.parameters["input"], method.parameters["output"])


def held_out_pairs(corpus: Corpus, sentences: list[list[str]], objective: Objective) -> tuple[Any, Any]:
    """Inputs and targets of held-out sentences, int64 ``[P]`` each, subsampled and in windows as in training."""
    number = {word: place for place, word in enumerate(corpus.words)}
    kept = keep_probability(corpus.counts, objective.sample)
    rng = np.random.default_rng(7)
    inputs, targets = [], []
    for sentence in sentences:
        ids = np.array([number[word] for word in sentence if word in number], dtype=np.int64)
        ids = ids[rng.random(len(ids)) < kept[ids]]
        spans = rng.integers(1, objective.window + 1, len(ids))
        pairs = skipgram_pairs(np.zeros(len(ids), dtype=np.int64), spans, objective.window)
        inputs.append(ids[pairs.inputs])
        targets.append(ids[pairs.targets])
    return np.concatenate(inputs), np.concatenate(targets)


def expected_loss(
    vectors: Vectors, noise: NDArray[np.float64], negatives: int, inputs: NDArray[np.int64], targets: NDArray[np.int64]
) -> float:
    """Mean loss of negative sampling, with the expectation over the drawn words instead of a draw.

    A drawn word that is the target is skipped, as in word2vec.
    """
    scores = vectors.inputs.astype(np.float64) @ vectors.outputs.T.astype(np.float64)
    drawn = -log_expit(-scores) * noise
    others = drawn.sum(1)[inputs] - drawn[inputs, targets]
    return float(np.mean(-log_expit(scores[inputs, targets]) + negatives * others))


def run(rounds: int = 5, zipf_words: int = 400_000, vocabulary: int = 30_000, epochs: int = 5) -> Result:
    """All of it.

    Args:
        rounds: How often each side is timed.
        zipf_words: Words of the made-up corpus.
        vocabulary: Its vocabulary.
        epochs: Passes over the Lee corpus; over the made-up one, one.
    """
    started = time.perf_counter()
    torch.set_num_threads(1)
    rows: list[Row] = []
    sizes = []
    with tempfile.TemporaryDirectory() as temporary:
        texts = {
            "Lee": (lee(), Objective(epochs=epochs)),
            "made-up": (list(zipf(zipf_words, vocabulary)), Objective(epochs=1)),
        }
        for name, (sentences, objective) in texts.items():
            corpus = build_corpus(sentences, Path(temporary) / name, min_count=5, max_words=10**9)
            sizes.append(f"{name} has {len(corpus):,} words, {len(corpus.words):,} different ones")
            if name == "Lee":
                rows += _losses(sentences, corpus, objective)
            rows += _speeds(name, sentences, corpus, objective, rounds)
    notes = (
        "Losses are medians of three seeds a side, in natural logarithms for a pair and its five drawn words.",
        f"Shared: {SHARED} drawn words for the pairs of 64 neighbouring words. {'; '.join(sizes)}.",
    )
    found = machine(1, ("gensim", "numpy", "scipy"))
    title = "Skip-gram against gensim's word2vec, one thread"
    agreed = ("the vocabulary and the count of each word",)
    return Result("text_words", title, agreed, tuple(rows), notes, time.perf_counter() - started, found)


def _losses(sentences: list[list[str]], corpus: Corpus, objective: Objective) -> Iterator[Row]:
    pairs = held_out_pairs(corpus, lee(held_out=True), objective)
    noise = Noise(corpus.counts, 0.75).probability

    def losses(train: Callable[[int], Vectors]) -> Any:
        return spread([expected_loss(train(seed), noise, objective.negatives, *pairs) for seed in range(3)])

    theirs = losses(lambda seed: word2vec(sentences, corpus, objective, seed + 1)())
    yield Row.of("held-out loss, gensim, Lee", theirs, "nats")
    for shared, what in ((0, "own"), (SHARED, "shared")):
        ours = losses(lambda seed, shared=shared: skipgram(corpus, objective, shared, seed))  # type: ignore[misc]
        yield Row.of(f"held-out loss, ssl-domains, {what} drawn words, Lee", ours, "nats")
        off = abs(ours.median / theirs.median - 1)
        yield Row.at_most(f"distance of the two losses, {what} drawn words, Lee", 100 * off, "%", 3)


def _speeds(name: str, sentences: list[list[str]], corpus: Corpus, objective: Objective, rounds: int) -> Iterator[Row]:
    train = word2vec(sentences, corpus, objective)
    arms: dict[str, Callable[[], object]] = {
        "gensim": train,
        "own": lambda: skipgram(corpus, objective, 0),
        "shared": lambda: skipgram(corpus, objective, SHARED),
    }
    seconds = interleave(arms, rounds)
    words = len(corpus) * objective.epochs
    for arm in arms:
        label = arm if arm == "gensim" else f"ssl-domains, {arm} drawn words"
        yield Row.of(f"{label}, {name}", spread([words / one / 1000 for one in seconds[arm]]), "thousand words/s")
    for arm, least in (("own", 0.25), ("shared", 0.5)):
        ratio = paired_ratio(seconds["gensim"], seconds[arm])
        yield Row.at_least(f"speed of ssl-domains / gensim, {arm} drawn words, {name}", ratio, "×", least)


def main() -> None:
    """Measure, print the table, and write ``results/text_words.json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text.words", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is timed")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parents[1] / "results", help="where the JSON goes"
    )
    options = parser.parse_args()
    result = run(options.rounds)
    result.write(options.results)
    print(result.table())


if __name__ == "__main__":
    main()
