"""Sums of gradients by word, for the few words of a large table that a batch meets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

__all__ = ["Met", "summed", "weights_of"]

F32 = NDArray[np.float32]


class Met:
    """The distinct words of some arrays of words, and the place of each word among them.

    Args:
        vocabulary: Number of words.
        groups: Arrays of words, int ``[…]`` each.

    Attributes:
        words: The distinct words in ascending order, int64 ``[U]``.
    """

    def __init__(self, vocabulary: int, *groups: NDArray[np.integer]) -> None:
        seen = np.zeros(vocabulary, dtype=bool)
        for one in groups:
            seen[one.ravel()] = True
        self.words = np.flatnonzero(seen)
        self._places = np.empty(vocabulary, dtype=np.int32)
        self._places[self.words] = np.arange(len(self.words), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.words)

    def places(self, words: NDArray[np.integer]) -> NDArray[np.int32]:
        """Place of each word in `words`, int32 ``[n]``, flattened."""
        found: NDArray[np.int32] = self._places[words.ravel()]
        return found


def weights_of(coefficients: F32, places: NDArray[np.int32], ends: NDArray[np.integer], columns: int) -> csr_matrix:
    """A sparse matrix of coefficients: row r has those from ``ends[r − 1]`` to ``ends[r]``, at the columns ``places``.

    Times the vectors of the columns it gives the gradient of the rows; its transpose times the vectors of the rows
    gives that of the columns. So no vector is written out for each coefficient.
    """
    starts = np.zeros(len(ends) + 1, dtype=np.int32)
    starts[1:] = ends
    return csr_matrix((coefficients.ravel(), places, starts), shape=(len(ends), columns))


def summed(vectors: F32, places: NDArray[np.int32], rows: int) -> F32:
    """Sum of the vectors ``[n, d]`` that fall on each of ``rows`` places, float32 ``[rows, d]``."""
    ones = np.ones(len(places), dtype=np.float32)
    made: F32 = weights_of(ones, places, np.arange(1, len(places) + 1), rows).T @ vectors
    return made
