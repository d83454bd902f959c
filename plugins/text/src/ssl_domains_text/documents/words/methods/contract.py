"""What a method of word vectors is: parameters, one step on a batch of words, and the vectors that are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from ssl_domains.errors import DataError
from ssl_domains.methods import MethodOptions
from ssl_domains_text.documents.words.corpus import WordBatch
from ssl_domains_text.documents.words.updates import Update

__all__ = ["StepResult", "WordMethod", "WordOptions"]

F32 = NDArray[np.float32]


class WordOptions(MethodOptions):
    """Options of all methods of word vectors."""

    projection_head: ClassVar[bool] = False

    dims: int = Field(default=100, ge=1, le=4096, description="numbers of a word's vector")
    window: int = Field(default=5, ge=1, le=100, description="words on a side that are context of a word")
    negatives: int = Field(default=5, ge=1, description="k, drawn words of each pair")
    shared: int = Field(
        default=0,
        ge=0,
        description="drawn words that the pairs of 64 neighbouring words share, each counted k/shared times; 0 draws k "
        "for each pair",
    )
    noise: float = Field(default=0.75, ge=0, le=1, description="words are drawn in proportion to count**noise")
    sample: float = Field(
        default=1e-3, ge=0, lt=1, description="threshold of the subsampling of frequent words; 0 keeps all"
    )
    min_count: int = Field(default=5, ge=1, description="words that occur less often are left out")
    max_words: int = Field(
        default=1_000_000, ge=2, description="size of the largest vocabulary; rarer words are left out"
    )
    sentences: Literal["text", "line", "stop"] = Field(
        default="text", description="no window crosses the end of a text, of a line, or of a sentence (. ! ?)"
    )
    shuffle_words: int | None = Field(
        default=None, ge=0, description="control: seed by which all words of the corpus change places"
    )


class StepResult(NamedTuple):
    """What a step did.

    Attributes:
        terms: Number of pairs, or of windows.
        loss: Their summed loss; NaN where it wasn't asked for.
    """

    terms: int
    loss: float


class WordMethod(ABC):
    """Vectors of words, and what is trained with them.

    Attributes:
        options: Model of the section ``[method]``.
        defaults: Values of ``[train]`` that differ from the general ones, by dotted key.
        parameters: Arrays float32 by name; a step changes them in place.
        update: How gradients change them; its state is part of a checkpoint.
    """

    options: ClassVar[type[WordOptions]]
    defaults: ClassVar[Mapping[str, Any]]
    parameters: dict[str, F32]
    update: Update

    @abstractmethod
    def __init__(self, counts: NDArray[np.int64], settings: Any, rng: np.random.Generator) -> None:
        """Make the parameters.

        Args:
            counts: How often each word occurs, int64 ``[V]``.
            settings: The options.
            rng: Draws the first values.
        """

    @abstractmethod
    def step(self, batch: WordBatch, rng: np.random.Generator, lr: float, *, measure: bool) -> StepResult:
        """Train on a batch.

        Args:
            batch: Words in their sentences.
            rng: Everything that is drawn in this step.
            lr: Learning rate.
            measure: Whether the loss is computed.
        """

    @property
    @abstractmethod
    def vectors(self) -> F32:
        """The vectors of the words that are kept, float32 ``[V, d]``."""

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters, as tensors that share their memory."""
        return {name: torch.from_numpy(value) for name, value in self.parameters.items()}

    def load_state_dict(self, parameters: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
        """Take over the parameters and the state of the update of a checkpoint.

        Raises:
            DataError: When names or shapes differ.
        """
        for name, value in self.parameters.items():
            given = parameters.get(name)
            if given is None or tuple(given.shape) != value.shape:
                raise DataError(f"the checkpoint has no {name!r} of the shape {list(value.shape)}", "train again")
            value[...] = given.numpy()
        self.update.state = {name: value.numpy().copy() for name, value in state.items()}
