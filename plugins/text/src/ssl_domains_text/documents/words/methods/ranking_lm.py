"""The ranking language model: a window of text scores higher than the same window with another word in its middle.

Collobert & Weston 2008, A Unified Architecture for Natural Language Processing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from ssl_domains_text.documents.words.corpus import WordBatch
from ssl_domains_text.documents.words.methods.contract import F32, StepResult, WordMethod, WordOptions
from ssl_domains_text.documents.words.noise import Noise
from ssl_domains_text.documents.words.output_layer import BLOCK
from ssl_domains_text.documents.words.row_sums import Met
from ssl_domains_text.documents.words.subsampling import keep_probability
from ssl_domains_text.documents.words.updates import AdaGrad
from ssl_domains_text.documents.words.windows import contexts

__all__ = ["RankingLanguageModel", "RankingOptions", "ranking_loss"]


class RankingOptions(WordOptions):
    """Options of the ranking language model."""

    window: int = Field(default=2, ge=1, le=100, description="words on each side of the middle word")
    dims: int = Field(default=50, ge=1, le=4096, description="numbers of a word's vector")
    hidden: int = Field(default=100, ge=1, le=65_536, description="width of the hidden layer")
    negatives: int = Field(default=5, ge=1, description="k, words that replace the middle word of each window")
    noise: float = Field(default=0.0, ge=0, le=1, description="words are drawn in proportion to count**noise")
    sample: float = Field(
        default=0.0, ge=0, lt=1, description="threshold of the subsampling of frequent words; 0 keeps all"
    )
    margin: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="by how much a true window should score higher"
    )


def ranking_loss(true: Tensor, corrupted: Tensor, margin: float = 1.0) -> Tensor:
    """Hinge loss of true windows against corrupted ones: max(0, margin − f(true) + f(corrupted)).

    Args:
        true: Scores of true windows ``[n]``.
        corrupted: Scores of the windows with another word in the middle ``[n, k]``.
        margin: By how much the true window should score higher.

    Returns:
        ``[n, k]``.

    References:
        Collobert & Weston 2008, *A Unified Architecture for Natural Language Processing*, equation 2.
    """
    return F.relu(margin - true[:, None] + corrupted)


class RankingLanguageModel(WordMethod):
    """Scores windows by word vectors, a hidden layer with a hard hyperbolic tangent, and a linear one.

    The middle word is replaced by drawn words. A drawn word that is the true one doesn't count. Places beyond the ends
    of a sentence have a vector of their own.

    Args:
        counts: How often each word occurs, int64 ``[V]``.
        settings: The options.
        rng: Draws the first values.
    """

    options: ClassVar[type[WordOptions]] = RankingOptions
    defaults: ClassVar[Mapping[str, Any]] = {"train.epochs": 5, "train.batch_size": 256, "train.lr": 0.2}

    def __init__(self, counts: NDArray[np.int64], settings: RankingOptions, rng: np.random.Generator) -> None:
        self.settings = settings
        dims, hidden, places = settings.dims, settings.hidden, 2 * settings.window

        def drawn(*shape: int, scale: float) -> F32:
            return rng.uniform(-scale, scale, shape).astype(np.float32)

        fan = ((places + 1) * dims) ** -0.5
        self.parameters = {
            "words": drawn(len(counts) + 1, dims, scale=0.05),  # the last one stands beyond the ends
            "around": drawn(places * dims, hidden, scale=fan),
            "middle": drawn(dims, hidden, scale=fan),
            "bias": np.zeros(hidden, dtype=np.float32),
            "score": drawn(hidden, scale=hidden**-0.5),
        }
        self.update = AdaGrad()
        self.noise = Noise(counts, settings.noise)
        self.kept = keep_probability(counts, settings.sample)

    def step(self, batch: WordBatch, rng: np.random.Generator, lr: float, *, measure: bool) -> StepResult:
        """See `WordMethod.step`."""
        left = rng.random(len(batch.words)) < self.kept[batch.words]
        words, sentences = batch.words[left], batch.sentences[left]
        if not len(words):
            return StepResult(0, 0.0)
        places, valid = contexts(sentences, self.settings.window, self.settings.window)
        around = np.where(valid, words[places], len(self.kept))
        if self.settings.shared:
            blocks = self.noise.draw(rng, (-(-len(words) // BLOCK), self.settings.shared))
            others = np.repeat(blocks, BLOCK, axis=0)[: len(words)]
            weight = self.settings.negatives / self.settings.shared
        else:
            others, weight = self.noise.draw(rng, (len(words), self.settings.negatives)), 1.0
        met = Met(len(self.kept) + 1, around, words, others)

        def at(some: NDArray[np.integer]) -> Tensor:
            return torch.from_numpy(met.places(some).astype(np.int64)).reshape(some.shape)

        leaves = {name: torch.from_numpy(value) for name, value in self.parameters.items() if name != "words"}
        leaves["words"] = torch.from_numpy(self.parameters["words"][met.words])
        for one in leaves.values():
            one.requires_grad_(True)
        true, corrupted = window_scores(leaves, at(around), at(words), at(others))
        counted = torch.from_numpy(others != words[:, None]) * weight
        loss = (ranking_loss(true, corrupted, self.settings.margin) * counted).sum()
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        for name, found in zip(leaves, gradients, strict=True):
            rows = met.words if name == "words" else slice(None)
            self.update(name, self.parameters[name], rows, -found.numpy(), None, lr)
        return StepResult(len(words), loss.item())

    @property
    def vectors(self) -> F32:
        """The vectors of the words."""
        return self.parameters["words"][:-1]


def window_scores(
    parameters: Mapping[str, Tensor], around: Tensor, middle: Tensor, others: Tensor
) -> tuple[Tensor, Tensor]:
    """Scores of windows, and of these windows with other words in their middle.

    The hidden layer is a sum over places, of which only the middle one is computed anew for another word.

    Args:
        parameters: ``words [U, d]``, ``around [L·d, h]``, ``middle [d, h]``, ``bias [h]``, ``score [h]``.
        around: Words around the middle, int64 ``[n, L]``.
        middle: Words in the middle, int64 ``[n]``.
        others: Words that replace them, int64 ``[n, k]``.

    Returns:
        ``[n]`` and ``[n, k]``.
    """
    words, score = parameters["words"], parameters["score"]
    rest = words[around].flatten(1) @ parameters["around"] + parameters["bias"]
    by_word = words @ parameters["middle"]  # once for each word of the batch
    true = F.hardtanh(rest + by_word[middle]) @ score
    corrupted = F.hardtanh(rest[:, None] + by_word[others]) @ score
    return true, corrupted
