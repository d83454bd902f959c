"""The log-bilinear language model: the words before a place predict the word at it, by noise-contrastive estimation.

Mnih & Teh 2012, A fast and simple algorithm for training neural probabilistic language models.
"""

from __future__ import annotations

import math
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
from ssl_domains_text.documents.words.updates import AdaGrad
from ssl_domains_text.documents.words.windows import Pairs, contexts

__all__ = ["NceLanguageModel", "NceOptions"]


class NceOptions(WordOptions):
    """Options of the log-bilinear language model."""

    negatives: int = Field(default=25, ge=1, description="k, noise words of each word")
    noise: float = Field(default=1.0, ge=0, le=1, description="the noise draws words in proportion to count**noise")
    sample: float = Field(
        default=0.0, ge=0, lt=1, description="threshold of the subsampling of frequent words; 0 keeps all"
    )
    after: int = Field(default=0, ge=0, le=100, description="words after the place that are context too")
    log_partition: float = Field(
        default=0.0,
        allow_inf_nan=False,
        description="log Z, the same for all contexts; the biases of the words adapt to it",
    )


class NceLanguageModel(WordMethod):
    """A context of words predicts the next one: s = Σ_i c_i ⊙ r_{w_i} · q_w + b_w, and p(w | context) = exp(s) / Z.

    Each place i of the context weighs the dimensions of its word's vector r by c_i. Noise-contrastive estimation
    (`ssl_domains.losses.nce.nce`) tells the true word from k words of the noise; Z is a constant, no sum over the
    vocabulary. The bias b begins as the logarithm of a word's frequency.

    Args:
        counts: How often each word occurs, int64 ``[V]``.
        settings: The options.
        rng: Draws the first vectors.
    """

    options: ClassVar[type[WordOptions]] = NceOptions
    defaults: ClassVar[Mapping[str, Any]] = {"train.epochs": 5, "train.batch_size": 1024, "train.lr": 0.05}

    def __init__(self, counts: NDArray[np.int64], settings: NceOptions, rng: np.random.Generator) -> None:
        shape = (len(counts), settings.dims)
        scale = np.float32(settings.dims**-0.5)
        frequency = counts / counts.sum()
        self.before, self.after = settings.window, settings.after
        self.parameters = {
            "input": (rng.random(shape, dtype=np.float32) - np.float32(0.5)) * scale,
            "output": (rng.random(shape, dtype=np.float32) - np.float32(0.5)) * scale,
            "place": np.full((self.before + self.after, settings.dims), (self.before + self.after) ** -0.5, np.float32),
            "bias": (np.log(frequency) + settings.log_partition).astype(np.float32),
        }
        self.update = AdaGrad()
        noise = Noise(counts, settings.noise)
        self.layer = OutputLayer(noise, settings.negatives, settings.shared, skip_true=False)
        self.correction = settings.log_partition + math.log(settings.negatives) + noise.log_probability
        self.kept = keep_probability(counts, settings.sample)

    def step(self, batch: WordBatch, rng: np.random.Generator, lr: float, *, measure: bool) -> StepResult:
        """See `WordMethod.step`; words without any context are not predicted."""
        left = rng.random(len(batch.words)) < self.kept[batch.words]
        words, sentences = batch.words[left], batch.sentences[left]
        places, valid = contexts(sentences, self.before, self.after)
        predicted = valid.any(1)
        if not predicted.any():
            return StepResult(0, 0.0)
        places, valid, true = places[predicted], valid[predicted], words[predicted]
        around = words[places]  # [n, L]
        vectors, outputs, weights, bias = (self.parameters[name] for name in ("input", "output", "place", "bias"))
        read = vectors[around] * valid[:, :, None]  # [n, L, d]
        context = np.einsum("nld,ld->nd", read, weights)
        each = np.arange(len(true), dtype=np.int64)
        shift = (bias - self.correction).astype(np.float32)
        pairs = Pairs(each, each, np.ones_like(each))
        found = self.layer.gradients(context, outputs, shift, pairs, true, rng, measure=measure)

        met = Met(len(vectors), around[valid])
        back = (found.inputs[:, None, :] * weights)[valid]
        gradient = summed(back, met.places(around[valid]), len(met))
        gradient_place = np.einsum("nld,nd->ld", read, found.inputs)
        self.update("output", outputs, found.words, found.outputs, found.terms, lr)
        self.update("bias", bias, found.words, found.shifts, found.terms, lr)
        self.update("input", vectors, met.words, gradient, None, lr)
        self.update("place", weights, slice(None), gradient_place, None, lr)
        return StepResult(len(true), found.loss)

    @property
    def vectors(self) -> F32:
        """The vectors r of words in a context."""
        return self.parameters["input"]
