"""Skip-gram with negative sampling: the vector of a word tells which words stand near it.

Mikolov et al. 2013, Distributed Representations of Words and Phrases and their Compositionality.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ssl_domains_text.documents.words.corpus import WordBatch
from ssl_domains_text.documents.words.methods.contract import F32, StepResult, WordMethod, WordOptions
from ssl_domains_text.documents.words.noise import Noise
from ssl_domains_text.documents.words.output_layer import OutputLayer
from ssl_domains_text.documents.words.row_sums import Met, summed
from ssl_domains_text.documents.words.subsampling import keep_probability
from ssl_domains_text.documents.words.updates import PlainSteps
from ssl_domains_text.documents.words.windows import skipgram_pairs

__all__ = ["SkipGram", "SkipGramOptions"]


class SkipGramOptions(WordOptions):
    """Options of skip-gram."""

    most: float = Field(
        default=64.0,
        gt=0,
        description="pairs of one word whose steps are added up in a batch; more of them are scaled to so many",
    )


class SkipGram(WordMethod):
    """Skip-gram with negative sampling, as word2vec trains it, on thousands of pairs at a time.

    The words are subsampled anew in each epoch, each word that is left draws a span from 1 to ``window``, and the words
    within it are its context. A pair's loss is that of `ssl_domains.losses.neg.neg`. The first vectors are word2vec's.

    Args:
        counts: How often each word occurs, int64 ``[V]``.
        settings: The options.
        rng: Draws the first vectors.
    """

    options: ClassVar[type[WordOptions]] = SkipGramOptions
    defaults: ClassVar[Mapping[str, Any]] = {"train.epochs": 5, "train.batch_size": 1024, "train.lr": 0.025}

    def __init__(self, counts: NDArray[np.int64], settings: SkipGramOptions, rng: np.random.Generator) -> None:
        shape = (len(counts), settings.dims)
        first = (rng.random(shape, dtype=np.float32) - np.float32(0.5)) / np.float32(settings.dims)
        self.parameters = {"input": first, "output": np.zeros(shape, dtype=np.float32)}
        self.update = PlainSteps(settings.most)
        self.window = settings.window
        self.kept = keep_probability(counts, settings.sample)
        self.layer = OutputLayer(Noise(counts, settings.noise), settings.negatives, settings.shared, skip_true=True)

    def step(self, batch: WordBatch, rng: np.random.Generator, lr: float, *, measure: bool) -> StepResult:
        """See `WordMethod.step`."""
        left = rng.random(len(batch.words)) < self.kept[batch.words]
        words, sentences = batch.words[left], batch.sentences[left]
        pairs = skipgram_pairs(sentences, rng.integers(1, self.window + 1, len(words)), self.window)
        if not len(pairs.inputs):
            return StepResult(0, 0.0)
        vectors, outputs = self.parameters["input"], self.parameters["output"]
        found = self.layer.gradients(vectors[words], outputs, None, pairs, words[pairs.targets], rng, measure=measure)
        self.update("output", outputs, found.words, found.outputs, found.terms, lr)
        met = Met(len(vectors), words)
        places = met.places(words)
        gradient = summed(found.inputs, places, len(met))
        terms = np.bincount(places, pairs.counts, len(met)).astype(np.float64)
        self.update("input", vectors, met.words, gradient, terms, lr)
        return StepResult(len(pairs.inputs), found.loss)

    @property
    def vectors(self) -> F32:
        """The input vectors."""
        return self.parameters["input"]
