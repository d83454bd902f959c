"""Word vectors of a run: nearest words, and files that other programs read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import Run
from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import write_errors, write_whole
from ssl_domains_text.documents.segmentation import folded
from ssl_domains_text.documents.words.corpus import Corpus
from ssl_domains_text.documents.words.methods import METHODS
from ssl_domains_text.documents.words.training import CORPUS

__all__ = ["WordVectors"]


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: The words, the most frequent first.
        vectors: float32 ``[V, d]``.
    """

    words: tuple[str, ...]
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, folder: Path) -> WordVectors:
        """The vectors of the newest checkpoint of a run.

        Raises:
            UsageError: When the folder is no run of words, or has no checkpoint.
            DataError: When a file can't be read.
        """
        run = Run.open(folder)
        name = run.config.method.name
        if name not in METHODS:
            raise UsageError(f"{folder} is a run of {name!r}, not of words", "ssl-domains text words SAMPLES --out RUN")
        corpus = Corpus.open(folder / CORPUS)
        saved = run.checkpoints.load()
        options = run.config.method.model_dump()
        options.pop("name")
        method = METHODS[name](corpus.counts, METHODS[name].options(**options), np.random.default_rng(0))
        with run.checkpoints.damaged():
            method.load_state_dict(saved["method"], {})
        return cls(corpus.words, method.vectors)

    def of_word(self, word: str) -> NDArray[np.float32]:
        """The vector of a word, float32 ``[d]``.

        Raises:
            UsageError: When the word isn't in the vocabulary.
        """
        try:
            found: NDArray[np.float32] = self.vectors[self.words.index(folded(word))]
        except ValueError:
            near = did_you_mean(folded(word), self.words[:20_000])
            hint = near if near.startswith("did you") else "rare words were left out: --set method.min_count=1"
            raise UsageError(f"the vocabulary has no word {word!r}", hint) from None
        return found

    def nearest(self, asked: list[str], k: int) -> list[tuple[str, float]]:
        """The words whose vectors have the largest cosine with the mean of some words' unit vectors, without these.

        Args:
            asked: The words.
            k: How many are returned, at most.

        Raises:
            UsageError: When a word isn't in the vocabulary.
        """
        unit = self._unit
        mean = np.mean([_unit(self.of_word(word)) for word in asked], axis=0)
        cosines = unit @ _unit(mean)
        for word in asked:
            cosines[self.words.index(folded(word))] = -np.inf
        best = np.argsort(-cosines, kind="stable")[: min(k, len(self.words) - len(set(map(folded, asked))))]
        return [(self.words[one], float(cosines[one])) for one in best]

    @property
    def _unit(self) -> NDArray[np.float32]:
        return _unit(self.vectors)

    def write_word2vec(self, path: Path) -> None:
        """Write the text form of word2vec: a line with the number of words and of dimensions, then a line a word.

        Raises:
            UsageError: When the file can't be written.
            ResourceError: When the disk is full.
        """

        def write(part: Path) -> None:
            with part.open("w", encoding="utf-8") as file:
                file.write(f"{len(self.words)} {self.vectors.shape[1]}\n")
                for word, vector in zip(self.words, self.vectors, strict=True):
                    # Nine digits give each float32 back exactly.
                    file.write(f"{word} {' '.join(f'{number:.9g}' for number in vector.tolist())}\n")

        with write_errors(str(path)):
            write_whole(path, write)


def _unit(vectors: NDArray[Any]) -> NDArray[Any]:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    made: NDArray[Any] = vectors / np.where(length > 0, length, 1)
    return made
