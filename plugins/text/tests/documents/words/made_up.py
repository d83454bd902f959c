"""Made-up texts for tests of words: topics, each with words of its own, among words that stand everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import SampleTable, read_table
from ssl_domains_text.documents.words.batches import PositionBatches
from ssl_domains_text.documents.words.corpus import Corpus
from ssl_domains_text.documents.words.methods import METHODS, WordMethod

__all__ = ["CHANCE", "TOPICS", "recovered", "table_of", "topics", "trained"]

TOPICS, EACH = 8, 10
CHANCE = (EACH - 1) / (TOPICS * EACH - 1)
"""Share of a word's neighbours that are of its topic, when they are any words of topics."""


def topics(seed: int = 0, sentences: int = 1500, length: int = 10) -> Iterator[list[str]]:
    """Sentences of one topic each; six of ten words are of the topic, the others of none."""
    rng = np.random.default_rng(seed)
    for _ in range(sentences):
        topic = rng.integers(TOPICS)
        yield [
            f"t{topic}w{rng.integers(EACH)}" if rng.random() < 0.6 else f"f{rng.integers(15)}" for _ in range(length)
        ]


def recovered(words: tuple[str, ...], vectors: NDArray[np.float32], at: int = 5) -> float:
    """Share of the nearest words of topics that are of the same topic."""
    rows = [number for number, word in enumerate(words) if word.startswith("t")]
    topic = np.array([int(words[row][1]) for row in rows])
    unit = vectors[rows] / np.linalg.norm(vectors[rows], axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -9)
    nearest = np.argsort(-cosines, axis=1)[:, :at]
    return float((topic[nearest] == topic[:, None]).mean())


def trained(corpus: Corpus, name: str, epochs: int, size: int, seed: int = 0, **options: Any) -> WordMethod:
    """Train a method on a corpus, as the loop does, without a run folder."""
    kind = METHODS[name]
    method = kind(corpus.counts, kind.options(**options), np.random.default_rng((seed, 1)))
    batches = PositionBatches(corpus.bounds, size, seed)
    total, step = epochs * len(batches), 0
    for epoch in range(epochs):
        for ask in batches.epoch(epoch):
            lr = kind.defaults["train.lr"] * (1 - 0.996 * step / total)
            method.step(corpus.batch(ask), np.random.default_rng((seed, 2, step)), lr, measure=False)
            step += 1
    return method


def table_of(folder: Path, sentences: list[list[str]]) -> SampleTable:
    """A table of documents, one for each sentence."""
    from ..scanned import scan

    (folder / "texts").mkdir(parents=True)
    (folder / "texts" / "all.txt").write_text("\n".join(map(" ".join, sentences)) + "\n", encoding="utf-8")
    scan(folder / "texts", folder, lines=True)
    return read_table(folder / "samples.parquet")
