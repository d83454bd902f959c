"""Nearest words, and the files that other programs read."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch

from ssl_domains.encoders import create_encoder
from ssl_domains.engine.record.weights import load_weights, read_weights
from ssl_domains.errors import UsageError
from ssl_domains_text.documents.inputs import TokenPreprocess
from ssl_domains_text.documents.inputs.tokenizer import read_tokenizer
from ssl_domains_text.documents.words.static_init import write_static
from ssl_domains_text.documents.words.vectors import WordVectors


def vectors(dims: int = 6) -> WordVectors:
    words = ("the", "wing", "flow", "über", "翼", "x1", "heat")
    return WordVectors(words, np.random.default_rng(0).normal(size=(len(words), dims)).astype(np.float32))


def test_nearest_words_by_the_cosine() -> None:
    made = vectors()
    unit = made.vectors / np.linalg.norm(made.vectors, axis=1, keepdims=True)
    cosines = {word: float(unit[1] @ one) for word, one in zip(made.words, unit, strict=True) if word != "wing"}
    wanted = sorted(cosines.items(), key=lambda pair: -pair[1])
    found = made.nearest(["Wing"], 4)
    assert [word for word, _ in found] == [word for word, _ in wanted[:4]]
    np.testing.assert_allclose([one for _, one in found], [one for _, one in wanted[:4]], rtol=1e-5)
    assert len(made.nearest(["wing", "heat"], 100)) == 5
    mean = (unit[1] + unit[6]) / 2
    best = max(
        (word for word in made.words if word not in ("wing", "heat")), key=lambda w: unit[made.words.index(w)] @ mean
    )
    assert made.nearest(["wing", "heat"], 1)[0][0] == best


def test_a_word_is_found_however_it_is_written() -> None:
    made = vectors()
    assert made.nearest([unicodedata.normalize("NFD", "Über")], 3) == made.nearest(["über"], 3)
    assert "über" not in dict(made.nearest([unicodedata.normalize("NFD", "Über")], 100))


def test_an_unknown_word_is_said() -> None:
    with pytest.raises(UsageError, match="no word 'wimg'") as raised:
        vectors().nearest(["wimg"], 3)
    assert raised.value.hint == "did you mean 'wing'?"


def test_gensim_reads_the_text_file(tmp_path: Path) -> None:
    gensim = pytest.importorskip("gensim")
    made = vectors()
    made.write_word2vec(tmp_path / "words.txt")
    read = gensim.models.KeyedVectors.load_word2vec_format(str(tmp_path / "words.txt"))
    assert tuple(read.index_to_key) == made.words
    np.testing.assert_array_equal(read.vectors, made.vectors)
    assert [word for word, _ in read.most_similar("wing", topn=3)] == [word for word, _ in made.nearest(["wing"], 3)]


def test_static_starts_as_the_mean_of_the_words(tmp_path: Path) -> None:
    made = vectors(128)
    write_static(made, tmp_path)
    preprocess = TokenPreprocess(read_tokenizer(tmp_path))
    encoder = create_encoder("static", takes=preprocess.spec)
    load_weights(encoder, read_weights(tmp_path / "static.safetensors"), "words", adapt=True)
    text = "Wing ... Über 翼翼, qqq x1"
    item = preprocess(np.frombuffer(text.encode(), dtype=np.uint8))
    known = ["wing", "über", "翼", "翼", "[UNK]", "x1"]
    assert item.values[0, 0].tolist() == [1 if word == "[UNK]" else 2 + made.words.index(word) for word in known]
    with torch.no_grad():
        pooled = encoder.eval()(item.values).pooled[0].double().numpy()
    rows = [np.zeros(128) if word == "[UNK]" else made.vectors[made.words.index(word)] for word in known]
    centred = made.vectors.astype(np.float64) - made.vectors.mean(0, dtype=np.float64)
    text_vector = np.mean(rows, axis=0) - made.vectors.mean(0, dtype=np.float64)
    # Seven words span six directions around their mean, and all are kept: products of vectors stay as they are.
    dense = encoder.model.dense.weight.detach().double().numpy()
    np.testing.assert_allclose((centred @ dense.T) @ (centred @ dense.T).T, centred @ centred.T, atol=1e-3)
    np.testing.assert_allclose(pooled, dense @ text_vector, atol=1e-4)


def test_static_needs_vectors_of_its_size(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="embeddings of 128 numbers, and these vectors have 6") as raised:
        write_static(vectors(), tmp_path / "out")
    assert raised.value.hint == "train them with --set method.dims=128"
    assert not (tmp_path / "out").exists()
