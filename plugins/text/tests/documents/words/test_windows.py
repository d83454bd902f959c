"""Windows against loops over words."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains_text.documents.words.windows import contexts, skipgram_pairs

LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=6)


@given(LENGTHS, st.integers(1, 4), st.integers(0, 2**16))
def test_pairs_are_those_of_word2vec(lengths: list[int], window: int, seed: int) -> None:
    sentences = np.repeat(np.arange(len(lengths)) * 3, lengths)
    spans = np.random.default_rng(seed).integers(1, window + 1, len(sentences))
    wanted = [
        (place, target)  # the context word is the input; the word whose span it is in, the target
        for place in range(len(sentences))
        for target in range(len(sentences))
        if place != target and sentences[place] == sentences[target] and abs(place - target) <= spans[target]
    ]
    pairs = skipgram_pairs(sentences, spans, window)
    assert list(zip(pairs.inputs.tolist(), pairs.targets.tolist(), strict=True)) == wanted
    assert pairs.counts.tolist() == [sum(place == one for place, _ in wanted) for one in range(len(sentences))]


@given(LENGTHS, st.integers(0, 3), st.integers(0, 3))
def test_contexts_stay_in_their_sentence(lengths: list[int], before: int, after: int) -> None:
    sentences = np.repeat(np.arange(len(lengths)), lengths)
    places, valid = contexts(sentences, before, after)
    offsets = [*range(-before, 0), *range(1, after + 1)]
    assert places.shape == valid.shape == (len(sentences), len(offsets))
    for place in range(len(sentences)):
        for column, offset in enumerate(offsets):
            there = 0 <= place + offset < len(sentences) and sentences[place + offset] == sentences[place]
            assert valid[place, column] == there
            if there:
                assert places[place, column] == place + offset


def test_nothing_has_no_pairs() -> None:
    pairs = skipgram_pairs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 3)
    assert [len(one) for one in pairs] == [0, 0, 0]
