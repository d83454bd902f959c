"""From frames to a text: the best path, or a beam of the likeliest prefixes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.probes.transcripts.alphabet import BLANK

__all__ = ["Decoded", "beam_search", "best_path", "decode", "log_probability"]

_NEVER = -np.inf


@dataclass(frozen=True)
class Decoded:
    """A decoded row.

    Attributes:
        codes: Class numbers in the order of the frames, without blanks.
        log_probability: log P(codes | frames), the sum over all alignments.
    """

    codes: tuple[int, ...]
    log_probability: float


def decode(log_probs: NDArray[np.floating], beam: int = 1) -> Decoded:
    """The label of a row of frames, with its probability.

    Args:
        log_probs: Logarithms of probabilities ``[T, K + 1]``, class 0 is the blank.
        beam: Number of prefixes that are kept; 1 takes the best path.

    Raises:
        UsageError: When ``beam`` is below 1.
    """
    if beam < 1:
        raise UsageError(f"a beam of {beam} keeps no prefix", "1 is greedy decoding, 10 a usual beam")
    wide = np.asarray(log_probs, dtype=np.float64)
    codes = best_path(wide) if beam == 1 else beam_search(wide, beam)
    return Decoded(codes, log_probability(wide, codes))


def best_path(log_probs: NDArray[np.float64]) -> tuple[int, ...]:
    """Greedy decoding: the likeliest class of each frame, equal neighbours as one, without blanks.

    Args:
        log_probs: ``[T, K + 1]``.
    """
    path = log_probs.argmax(axis=1)
    new = np.ones(len(path), dtype=np.bool_)
    new[1:] = path[1:] != path[:-1]
    return tuple(path[new & (path != BLANK)].tolist())


def beam_search(log_probs: NDArray[np.float64], beam: int) -> tuple[int, ...]:
    """Prefix beam search (Hannun et al. 2014), without a language model: the likeliest label that it meets.

    Each kept prefix has the probability of all alignments that spell it, apart for those that end in a blank and those
    that end in its last character. With a beam that holds all prefixes, the result is the likeliest label of all.

    Args:
        log_probs: ``[T, K + 1]``.
        beam: Number of prefixes that are kept after each frame.
    """
    prefixes: list[tuple[int, ...]] = [()]
    blank, letter = np.zeros(1), np.full(1, _NEVER)  # by prefix: alignments that end in a blank, in its last character
    for frame in log_probs:
        whole = np.logaddexp(blank, letter)
        last = np.array([prefix[-1] if prefix else BLANK for prefix in prefixes])
        # A frame longer with the same prefix: a blank, or its last character once more.
        stays_blank = whole + frame[BLANK]
        stays_letter = np.where(last == BLANK, _NEVER, letter + frame[last])
        # With one more character; the last one again needs a blank before it.
        longer = whole[:, None] + frame[None, :]
        again = np.flatnonzero(last != BLANK)
        longer[again, last[again]] = blank[again] + frame[last[again]]
        longer[:, BLANK] = _NEVER
        places = {prefix: place for place, prefix in enumerate(prefixes)}
        for place, prefix in enumerate(prefixes):  # a longer prefix that is kept already
            shorter = places.get(prefix[:-1]) if prefix else None
            if shorter is not None:
                stays_letter[place] = np.logaddexp(stays_letter[place], longer[shorter, prefix[-1]])
                longer[shorter, prefix[-1]] = _NEVER
        scores = np.concatenate([np.logaddexp(stays_blank, stays_letter), longer.ravel()])
        best = np.argsort(-scores, kind="stable")[:beam]
        best = best[np.isfinite(scores[best])]
        kept, blanks, letters = [], [], []
        for chosen in best.tolist():
            if chosen < len(prefixes):
                kept.append(prefixes[chosen])
                blanks.append(stays_blank[chosen])
                letters.append(stays_letter[chosen])
            else:
                parent, code = divmod(chosen - len(prefixes), log_probs.shape[1])
                kept.append((*prefixes[parent], code))
                blanks.append(_NEVER)
                letters.append(longer[parent, code])
        prefixes, blank, letter = kept, np.array(blanks), np.array(letters)
    return prefixes[0]  # sorted by probability


def log_probability(log_probs: NDArray[np.float64], codes: tuple[int, ...]) -> float:
    """log P(codes | frames): the logarithm of the sum over all alignments, by the forward recursion of CTC.

    Args:
        log_probs: ``[T, K + 1]``.
        codes: Class numbers, none of them 0.
    """
    states = np.full(2 * len(codes) + 1, BLANK)
    states[1::2] = codes
    # A character may follow the one before without a blank between them, unless both are the same.
    skips = np.zeros(len(states), dtype=np.bool_)
    skips[3::2] = states[3::2] != states[1:-2:2]
    forward = np.full(len(states), _NEVER)
    forward[0] = 0.0  # before the first frame: an alignment begins with a blank or with the first character
    for frame in log_probs:
        step = np.concatenate([[_NEVER], forward[:-1]])
        skip = np.where(skips, np.concatenate([[_NEVER, _NEVER], forward[:-2]])[: len(states)], _NEVER)
        forward = np.logaddexp(np.logaddexp(forward, step), skip) + frame[states]
    return float(np.logaddexp.reduce(forward[-2:]))
