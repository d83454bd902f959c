"""The corpus against loops over its words."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssl_domains.errors import DataError
from ssl_domains.pairs.sampling.ask import Ask
from ssl_domains_text.documents.words import corpus as module
from ssl_domains_text.documents.words.corpus import Corpus, build_corpus
from ssl_domains_text.documents.words.texts import sentences_of

SENTENCES = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "d", "e", "ä", "翼"]), max_size=9), min_size=1, max_size=12
)


def read(corpus: Corpus) -> list[list[str]]:
    ids, bounds = corpus.ids, corpus.bounds
    return [[corpus.words[one] for one in ids[low:high]] for low, high in itertools.pairwise(bounds)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SENTENCES, st.integers(1, 4), st.integers(2, 5), st.integers(1, 7))
def test_rare_words_go_and_the_others_stay_in_their_sentences(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[str]], least: int, most: int, block: int
) -> None:
    counts = Counter(word for sentence in sentences for word in sentence)
    kept = sorted((w for w in counts if counts[w] >= least), key=lambda w: (-counts[w], w))[:most]
    folder = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_BLOCK", block)
        patched.setattr(module, "_SCALE", block)
        if len(kept) < 2:
            with pytest.raises(DataError, match="words occur"):
                build_corpus(sentences, folder, min_count=least, max_words=most)
            return
        corpus = build_corpus(sentences, folder, min_count=least, max_words=most)
    left = [[word for word in sentence if word in kept] for sentence in sentences]
    assert read(corpus) == [sentence for sentence in left if sentence]
    assert corpus.words == tuple(kept)
    assert corpus.counts.tolist() == [counts[word] for word in kept]
    assert corpus.left_out == sum(counts.values()) - len(corpus)
    assert not (folder / "read.part").exists()


def test_the_words_are_mapped_and_not_read(tmp_path: Path) -> None:
    corpus = build_corpus([["a", "b", "a"]], tmp_path, min_count=1, max_words=9)
    assert isinstance(corpus.ids, np.memmap)
    assert corpus.ids.dtype == np.int32


def test_shuffled_words_keep_counts_and_lengths(tmp_path: Path) -> None:
    sentences = [[f"w{number % 7}" for number in range(size)] for size in (30, 5, 40)]
    plain = build_corpus(sentences, tmp_path / "a", min_count=1, max_words=9)
    shuffled = build_corpus(sentences, tmp_path / "b", min_count=1, max_words=9, shuffle=1)
    again = build_corpus(sentences, tmp_path / "c", min_count=1, max_words=9, shuffle=1)
    assert shuffled.bounds.tolist() == plain.bounds.tolist()
    assert shuffled.words == plain.words
    assert np.bincount(shuffled.ids).tolist() == plain.counts.tolist()
    assert shuffled.ids.tolist() == again.ids.tolist() != plain.ids.tolist()


def test_a_batch_knows_its_sentences(tmp_path: Path) -> None:
    corpus = build_corpus([["a", "b"], ["b", "a", "a"]], tmp_path, min_count=1, max_words=9)
    batch = corpus.batch(Ask(0, np.arange(4), np.array([[1, 2, 3, 0]])))
    assert [corpus.words[one] for one in batch.words] == ["b", "b", "a", "a"]
    assert batch.sentences[1] == batch.sentences[2] != batch.sentences[0]
    assert batch.sentences[0] == batch.sentences[3]


@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        ("text", [["it", "s", "30", "c", "today", "翼", "型", "ok"]]),
        ("line", [["it", "s", "30", "c", "today"], ["翼", "型", "ok"]]),
        ("stop", [["it", "s", "30", "c"], ["today", "翼", "型"], ["ok"]]),
    ],
)
def test_sentences_are_cut_as_asked(by: str, wanted: list[list[str]]) -> None:
    assert list(sentences_of("It's 30 °C! Today\n翼型。 OK", by)) == wanted


@pytest.mark.parametrize("damage", ["vocabulary.json", "words.npy", "sentences.npy", "short", "counts"])
def test_a_damaged_corpus_is_said(tmp_path: Path, damage: str) -> None:
    build_corpus([["a", "b", "a"]], tmp_path, min_count=1, max_words=9)
    if damage == "short":
        np.save(tmp_path / "words.npy", np.zeros(2, dtype=np.int32))
    elif damage == "counts":
        (tmp_path / "vocabulary.json").write_text(json.dumps({"words": ["a"], "counts": [3, 1], "left_out": 0}))
    else:
        (tmp_path / damage).write_bytes(b"no")
    with pytest.raises(DataError, match="can't be read"):
        Corpus.open(tmp_path)
