"""Windows of words: which positions of a batch are context of each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pairs", "contexts", "skipgram_pairs"]

Ints = NDArray[np.int64]


class Pairs(NamedTuple):
    """Pairs of an input position and a target position, sorted by input.

    Attributes:
        inputs: Places in the batch, int64 ``[P]``.
        targets: Places in the batch, int64 ``[P]``.
        counts: Number of pairs of each input, int64 ``[n]``.
    """

    inputs: Ints
    targets: Ints
    counts: Ints


def skipgram_pairs(sentences: Ints, spans: Ints, window: int) -> Pairs:
    """The pairs of skip-gram: a word within the span of another one of its sentence is that one's context.

    As in word2vec, the vector of the context word is the input, and the word whose span it is the target.

    Args:
        sentences: Number of the sentence at each place, int64 ``[n]``; equal numbers stand side by side.
        spans: Words on each side that are context of a place, drawn from 1 to ``window``, int64 ``[n]``.
        window: The largest span.
    """
    places = np.arange(len(sentences), dtype=np.int64)
    offsets = _offsets(window, window)
    grid = places[:, None] + offsets
    inside = np.clip(grid, 0, max(len(sentences) - 1, 0))
    valid = (grid == inside) & (sentences[inside] == sentences[:, None]) & (spans[inside] >= np.abs(offsets))
    counts = valid.sum(1)
    return Pairs(np.repeat(places, counts), grid[valid], counts)


def contexts(sentences: Ints, before: int, after: int) -> tuple[Ints, NDArray[np.bool_]]:
    """The words around each place, at fixed distances.

    Args:
        sentences: Number of the sentence at each place, int64 ``[n]``; equal numbers stand side by side.
        before: Words before the place.
        after: Words after it.

    Returns:
        Places int64 ``[n, before + after]``, the farthest word before first, and whether there is such a word in the
        sentence; where there is none, the place is any.
    """
    places = np.arange(len(sentences), dtype=np.int64)
    grid = places[:, None] + _offsets(before, after)
    inside = np.clip(grid, 0, max(len(sentences) - 1, 0))
    return inside, (grid == inside) & (sentences[inside] == sentences[:, None])


def _offsets(before: int, after: int) -> Ints:
    made: Ints = np.r_[-before:0, 1 : after + 1].astype(np.int64)
    return made
