"""The output layer of word models: true words against drawn words, with the gradients of the logistic loss.

An input vector h_i (of a word, or of a context) is scored with a word w by s = h_i·o_w. The logistic regression on
s + shift_w tells true words from k drawn ones. With a shift of 0 it is negative sampling (`ssl_domains.losses.neg`);
with shift_w = b_w − log Z − log(k p_n(w)) it is noise-contrastive estimation (`ssl_domains.losses.nce`). Gradients are
written out, so that no graph of tens of thousands of small vectors is built; the tests compare them with those losses.

Drawn words are either a pair's own, k each, or shared: a block of inputs has ``shared`` drawn words, each of which
counts k / ``shared`` times for each pair. The expected loss and gradient are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ssl_domains_text.documents.words.noise import Noise
from ssl_domains_text.documents.words.row_sums import F32, Met, summed, weights_of
from ssl_domains_text.documents.words.windows import Pairs

__all__ = ["BLOCK", "OutputGradients", "OutputLayer"]

BLOCK = 64
"""Input positions that share drawn words."""

_CHUNK = 1024  # pairs whose vectors are gathered at a time, so that they stay in the cache of the processor


@dataclass(frozen=True)
class OutputGradients:
    """Gradients of the summed loss, times −1: what is to be added.

    Attributes:
        inputs: Of the input vectors, float32 ``[n, d]``.
        words: Words whose output vectors get a gradient, int64 ``[U]``.
        outputs: Of their output vectors, float32 ``[U, d]``.
        shifts: Of their shifts, float32 ``[U]``.
        terms: Number of terms of the loss that each of them is in, float64 ``[U]``.
        loss: The summed loss; NaN where it wasn't asked for.
    """

    inputs: F32
    words: NDArray[np.int64]
    outputs: F32
    shifts: F32
    terms: NDArray[np.float64]
    loss: float


@dataclass(frozen=True)
class OutputLayer:
    """How true words are told from drawn ones.

    Attributes:
        noise: The noise distribution.
        negatives: k, drawn words a pair.
        shared: Drawn words that a block of inputs shares; 0 draws k for each pair.
        skip_true: Leave out a drawn word that is the true one, as word2vec does; noise-contrastive estimation keeps it.
    """

    noise: Noise
    negatives: int
    shared: int
    skip_true: bool

    def gradients(
        self,
        inputs: F32,
        outputs: F32,
        shift: F32 | None,
        pairs: Pairs,
        true: NDArray[np.integer],
        rng: np.random.Generator,
        *,
        measure: bool = False,
    ) -> OutputGradients:
        """Gradients of a batch.

        Args:
            inputs: Input vectors h, float32 ``[n, d]``.
            outputs: Output vectors o of all words, float32 ``[V, d]``.
            shift: Shift of each word, float32 ``[V]``; None for 0.
            pairs: Pairs of an input and a true word, sorted by input.
            true: The true word of each pair, int ``[P]``.
            rng: Draws the other words.
            measure: Whether the loss is computed.
        """
        if self.shared:
            blocks = -(-len(inputs) // BLOCK)
            drawn = self.noise.draw(rng, (blocks, self.shared))
            return self.with_shared(inputs, outputs, shift, pairs, true, drawn, measure=measure)
        drawn = self.noise.draw(rng, (len(true), self.negatives))
        return self.with_own(inputs, outputs, shift, pairs, true, drawn, measure=measure)

    def with_own(
        self,
        inputs: F32,
        outputs: F32,
        shift: F32 | None,
        pairs: Pairs,
        true: NDArray[np.integer],
        drawn: NDArray[np.int32],
        *,
        measure: bool = False,
    ) -> OutputGradients:
        """`gradients` with the drawn words of each pair, int32 ``[P, k]``."""
        words = np.concatenate([true.astype(np.int32)[:, None], drawn], axis=1)
        scores = _scores(inputs, outputs, pairs.inputs, words)
        if shift is not None:
            scores += shift[words]
        counted = np.ones(words.shape, dtype=np.float32)
        if self.skip_true:
            counted[:, 1:] = drawn != words[:, :1]
        loss = _loss(scores, counted) if measure else float("nan")
        slope = expit(scores)
        np.negative(slope, out=slope)
        slope[:, 0] += 1
        slope *= counted
        met = Met(len(outputs), words)
        places = met.places(words)
        weights = weights_of(slope, places, np.cumsum(pairs.counts) * words.shape[1], len(met))
        return OutputGradients(
            weights @ outputs[met.words],
            met.words,
            weights.T @ inputs,
            np.bincount(places, slope.ravel(), len(met)).astype(np.float32),
            np.bincount(places, counted.ravel(), len(met)).astype(np.float64),
            loss,
        )

    def with_shared(
        self,
        inputs: F32,
        outputs: F32,
        shift: F32 | None,
        pairs: Pairs,
        true: NDArray[np.integer],
        drawn: NDArray[np.int32],
        *,
        measure: bool = False,
    ) -> OutputGradients:
        """`gradients` with the drawn words of each block of inputs, int32 ``[blocks, shared]``."""
        blocks, each = len(drawn), np.float32(self.negatives / self.shared)
        padded = np.zeros((blocks, BLOCK, inputs.shape[1]), dtype=np.float32)
        padded.reshape(blocks * BLOCK, -1)[: len(inputs)] = inputs
        number = np.zeros(blocks * BLOCK, dtype=np.float32)
        number[: len(inputs)] = pairs.counts
        counted = np.repeat((number * each).reshape(blocks, BLOCK, 1), self.shared, axis=2)
        if self.skip_true:
            block = pairs.inputs // BLOCK
            pair, column = np.nonzero(drawn[block] == true[:, None])
            np.subtract.at(counted, (block[pair], pairs.inputs[pair] % BLOCK, column), each)
        vectors = outputs[drawn]
        scores = padded @ vectors.transpose(0, 2, 1)
        if shift is not None:
            scores += shift[drawn][:, None, :]
        loss = float((np.logaddexp(0, scores) * counted).sum()) if measure else 0.0
        slope = expit(scores)
        slope *= -counted

        to_true = _scores(inputs, outputs, pairs.inputs, true[:, None])
        if shift is not None:
            to_true += shift[true][:, None]
        loss = loss + float(np.logaddexp(0, -to_true).sum()) if measure else float("nan")
        slope_true = expit(-to_true)

        met = Met(len(outputs), true, drawn)
        at_true, at_drawn = met.places(true), met.places(drawn)
        weights = weights_of(slope_true, at_true, np.cumsum(pairs.counts), len(met))
        by_drawn = (slope.transpose(0, 2, 1) @ padded).reshape(-1, inputs.shape[1])
        back = (slope @ vectors).reshape(blocks * BLOCK, -1)[: len(inputs)]
        return OutputGradients(
            weights @ outputs[met.words] + back,
            met.words,
            weights.T @ inputs + summed(by_drawn, at_drawn, len(met)),
            (
                np.bincount(at_true, slope_true.ravel(), len(met))
                + np.bincount(at_drawn, slope.sum(1).ravel(), len(met))
            ).astype(np.float32),
            (np.bincount(at_true, minlength=len(met)) + np.bincount(at_drawn, counted.sum(1).ravel(), len(met))).astype(
                np.float64
            ),
            loss,
        )


def _scores(inputs: F32, outputs: F32, rows: NDArray[np.int64], words: NDArray[np.integer]) -> F32:
    """Scores of the input of each row with its words ``[P, c]``, float32 ``[P, c]``."""
    scores = np.empty(words.shape, dtype=np.float32)
    width = words.shape[1]
    room = np.empty((_CHUNK * width, outputs.shape[1]), dtype=np.float32)
    for low in range(0, len(words), _CHUNK):
        some = words[low : low + _CHUNK]
        taken = room[: some.size]
        np.take(outputs, some.ravel(), axis=0, out=taken, mode="clip")
        vectors = taken.reshape(len(some), width, -1)
        scores[low : low + _CHUNK] = (vectors @ inputs[rows[low : low + _CHUNK], :, None])[:, :, 0]
    return scores


def _loss(scores: F32, counted: F32) -> float:
    signed = scores.copy()
    signed[:, 0] *= -1
    return float((np.logaddexp(0, signed) * counted).sum())
