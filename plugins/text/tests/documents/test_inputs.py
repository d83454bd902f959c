"""Texts to tokens, their views, and the static encoder."""

from __future__ import annotations

import json
import pickle
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer
from torch.utils.data import DataLoader

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import DataError, UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable, read_table
from ssl_domains.stores import ArrayStore
from ssl_domains.testing import check_encoder, check_recipe
from ssl_domains.views import InputDataset, preprocess_from_dict, preprocess_to_dict, whole_batch
from ssl_domains.views.cache import BoundedCache
from ssl_domains_text.documents.encoders import static
from ssl_domains_text.documents.inputs import TokenPreprocess, TokenRecipe, recipe, tokens_for
from ssl_domains_text.documents.inputs.settings import TokenSettings
from ssl_domains_text.documents.inputs.tokenizer import read_tokenizer, trained_tokenizer
from ssl_domains_text.documents.reader import DocumentReader

from .scanned import scan

TEXTS = ["The river is long", "Stones are hard and long", "A river of stones, stones and stones", "Hard, hard river"]


def as_bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


@pytest.fixture(scope="module")
def preprocess() -> TokenPreprocess:
    return TokenPreprocess(trained_tokenizer(TEXTS, 200, True), 6)


def test_texts_become_ids(preprocess: TokenPreprocess) -> None:
    long, capitals = preprocess(as_bytes("river stones river")), preprocess(as_bytes("RIVER Stones  river"))
    assert long.values.dtype == torch.int64
    assert long.values.shape == (1, 1, 3)
    assert long.values[0, 0, 0] == long.values[0, 0, 2]
    assert torch.equal(long.values, capitals.values)
    assert preprocess.spec.input(long.values).kind == "text"
    assert preprocess(as_bytes("river " * 50)).values.shape[-1] == 6
    assert preprocess(as_bytes("\u2028 ")).values.shape[-1] == 1  # no token at all: the unknown one
    assert dict(preprocess.spec.facts)["vocabulary"] == preprocess.pieces <= 200
    assert int(long.values.max()) < preprocess.pieces
    with pytest.raises(DataError, match=r"a text has uint8 \[2, 2\]"):
        preprocess(np.zeros((2, 2), np.uint8))


def test_it_is_kept_with_a_run(preprocess: TokenPreprocess) -> None:
    again = preprocess_from_dict(json.loads(json.dumps(preprocess_to_dict(preprocess))))
    copy = pickle.loads(pickle.dumps(preprocess))
    for one in (again, copy):
        assert one.spec == preprocess.spec
        assert torch.equal(one(as_bytes(TEXTS[2])).values, preprocess(as_bytes(TEXTS[2])).values)


def test_a_tokenizer_is_trained_on_the_training_rows(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps({"_id": str(n), "text": t}) for n, t in enumerate(TEXTS)))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "zebra zebra"}))
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\t1\t1\n")
    table = read_table(scan(folder, tmp_path / "out").path)
    store = ArrayStore.fill(tmp_path / "store", table, DocumentReader())
    settings = TokenSettings(vocabulary=200, tokens=5)
    made = tokens_for(table, settings).fit(table, store)
    assert made.fitted[0] == f"tokenizer of {made.pieces} pieces, trained on 4 texts"
    assert made.spec == tokens_for(table, settings).spec
    assert made.vocabulary == 200
    lengths = [TokenPreprocess(made.tokenizer, 999)(as_bytes(text)).values.shape[-1] for text in TEXTS]
    lost = sum(max(0, length - 5) for length in lengths) / sum(lengths)
    assert made.fitted[1] == f"5 tokens cut 25% of the texts, {lost:.0%} of all tokens"
    assert made(as_bytes("zebra")).values.shape[-1] > 1 or "[UNK]" in made.tokenizer  # the test query was not seen
    (tmp_path / "tokenizer.json").write_text(made.tokenizer)
    read = tokens_for(table, TokenSettings(tokenizer=str(tmp_path), tokens=5)).fit(table, store)
    assert read.tokenizer == read_tokenizer(tmp_path / "tokenizer.json")
    assert read.spec == tokens_for(table, TokenSettings(tokenizer=str(tmp_path))).spec
    assert torch.equal(read(as_bytes(TEXTS[0])).values, made(as_bytes(TEXTS[0])).values)
    again = tokens_for(table, settings).fit(table, store)
    assert again.tokenizer == made.tokenizer
    with pytest.raises(UsageError, match="there is no tokenizer"):
        read_tokenizer(tmp_path / "none")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(DataError, match="is no tokenizer"):
        read_tokenizer(tmp_path / "bad.json")


def test_accents_go_and_vowels_stay() -> None:
    """A trained tokenizer in lower case: the marks of Hindi, Thai and Japanese are letters, accents are not."""
    made = Tokenizer.from_str(trained_tokenizer(TEXTS, 80, lower=True)).normalizer
    for text in ("हिन्दी किताबें", "กี่วัน", "မြန်မာ", "がぎ"):
        assert made.normalize_str(text) == unicodedata.normalize("NFD", text)
    accented = "Le Réfrigérateur, ÉTÉ İi ёй שָׁלוֹם مُحَمَّد 한국어 翼型\u0007 Ångström"
    for text in (*TEXTS, accented, unicodedata.normalize("NFD", accented)):
        assert made.normalize_str(text) == BertNormalizer(lowercase=True).normalize_str(text)
    kept = Tokenizer.from_str(trained_tokenizer(TEXTS, 80, lower=False)).normalizer
    assert kept.normalize_str("Réfrigérateur हिन्दी") == "Réfrigérateur हिन्दी"


def batch(preprocess: TokenPreprocess, texts: list[str]) -> Input:
    return Input.cat([preprocess(as_bytes(text)) for text in texts])


def test_the_recipe_keeps_its_contract(preprocess: TokenPreprocess) -> None:
    x = batch(TokenPreprocess(preprocess.tokenizer, 128), [" ".join(TEXTS * 3), TEXTS[2] * 4, TEXTS[1] * 3])
    check_recipe(TokenRecipe(2, 0.3), x)
    views = TokenRecipe(1, 0.9).views_of(x, seed=0, step=0, slots=torch.arange(3))
    assert views[0].input.with_valid().any(dim=-1).all()  # no text loses all of its tokens
    same = TokenRecipe(2).without("drop_tokens").views_of(x, seed=0, step=0, slots=torch.arange(3))
    assert torch.equal(same[0].input.with_valid(), x.with_valid())
    ids = torch.arange(100).expand(200, 1, 100)
    dropped = (
        TokenRecipe(1, 0.25)
        .views_of(Input(ids, None, "text", (0,), 7.0), seed=1, step=2, slots=torch.arange(200))[0]
        .input
    )
    assert float(dropped.lengths.sum()) / ids.numel() == pytest.approx(0.75, abs=0.01)
    for row in range(200):  # in their order, and side by side
        kept = dropped.values[row, 0][dropped.with_valid()[row, 0]]
        assert torch.equal(kept, kept.sort().values)
        assert (dropped.values[row, 0, len(kept) :] == 7).all()
    with pytest.raises(UsageError, match="no step 'crop'"):
        TokenRecipe().without("crop")
    with pytest.raises(UsageError, match="no view 'x'"):
        recipe(RecipeRequest(SampleTable.of({"sample": ["d/1"]}), 0, extra=("x",)))


def test_texts_at_once_have_the_tokens_of_each_alone(preprocess: TokenPreprocess) -> None:
    texts = [TEXTS[0], "\u2028 ", "river " * 50, "hard"]
    alone, together = batch(preprocess, texts), preprocess.joined([as_bytes(text) for text in texts])
    assert torch.equal(together.values, alone.values)
    assert alone.valid is not None
    assert together.valid is not None
    assert torch.equal(together.valid, alone.valid)
    assert together.valid.flatten(1).sum(dim=1).tolist() == [4, 1, 6, 1]
    same = preprocess.joined([as_bytes("river"), as_bytes("hard")])
    assert same.valid is None
    assert same.pad == alone.pad


@pytest.mark.parametrize("workers", [0, 2])
def test_tokens_are_kept_and_change_nothing(tmp_path: Path, preprocess: TokenPreprocess, workers: int) -> None:
    lines = [json.dumps({"_id": str(n), "text": text}) for n, text in enumerate([*TEXTS, "river " * 50, "hard"])]
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines), encoding="utf-8")
    table = read_table(scan(tmp_path / "corpus.jsonl", tmp_path / "out").path)
    store = ArrayStore.fill(tmp_path / "store", table, DocumentReader())
    kept, fresh = (InputDataset(table, store, preprocess, cache_gb=size) for size in (1e-4, 0))
    assert kept.cached
    assert not fresh.cached
    assert not InputDataset(table, store, preprocess, cache_gb=1e-7).cached
    batches = [[0, 3], [3, 3, 4], [5], [5, 2, 0, 1]]
    loader: DataLoader[Any] = DataLoader(kept, batch_sampler=batches, collate_fn=whole_batch, num_workers=workers)
    for _ in range(2):
        for rows, made in zip(batches, loader, strict=True):
            expected = fresh.__getitems__(rows)["input"]
            assert torch.equal(made["input"].values, expected.values)
            assert (made["input"].valid is None) == (expected.valid is None)
            assert torch.equal(made["input"].with_valid(), expected.with_valid())
            assert (made["input"].kind, made["input"].ragged, made["input"].pad) == ("text", (0,), expected.pad)
        assert isinstance(kept._cache, BoundedCache)
        assert kept._cache.tensors["lengths"].tolist() == [4, 5, 6, 4, 6, 1]


@pytest.mark.parametrize("ragged", [True, False])
def test_a_vector_is_the_mean_of_a_map_that_is_made_when_it_is_read(preprocess: TokenPreprocess, ragged: bool) -> None:
    torch.manual_seed(0)
    encoder = static(preprocess.spec, "random").double()
    x = batch(preprocess, TEXTS if ragged else [TEXTS[0], "The river are long"])
    assert (x.valid is not None) == ragged

    def gradients(of_map: bool) -> list[torch.Tensor]:
        encoder.zero_grad()
        features = encoder(x.values, x.valid)
        weights = 1 / x.with_valid().sum(dim=2).double()
        pooled = features.map.sum(dim=2) * weights if of_map else features.pooled
        assert torch.allclose(pooled, features.pooled, rtol=0, atol=1e-12)
        pooled.square().sum().backward()
        return [one.grad.clone() for one in encoder.parameters() if one.grad is not None]

    for one, other in zip(gradients(False), gradients(True), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-12)
    encoder.set_dropout(0.5)
    first, second = (encoder.train()(x.values, x.valid).pooled for _ in range(2))
    assert not torch.allclose(first, second)
    assert torch.equal(encoder.eval()(x.values, x.valid).pooled, encoder(x.values, x.valid).pooled)


def test_the_static_encoder_is_the_mean_of_its_tokens(preprocess: TokenPreprocess) -> None:
    torch.manual_seed(0)
    encoder = static(preprocess.spec, "random")
    check_encoder(encoder)
    ids = preprocess(as_bytes(TEXTS[0])).values
    expected = encoder.model.dense(encoder.model.embedding.weight[ids[0, 0]].mean(dim=0))
    assert torch.allclose(encoder(ids).pooled[0], expected, atol=1e-6)
    with pytest.raises(UsageError, match="takes token ids"):
        static(InputSpec("image", 3), "random")
    with pytest.raises(UsageError, match="no pre-trained weights"):
        static(preprocess.spec, "pretrained")


@pytest.mark.shared_data
def test_t16_a_text_alone_in_a_batch_and_sorted(shared_data: Path) -> None:
    file = shared_data.parent / "cases" / "text" / "T16" / "s.jsonl"
    if not file.is_file():
        pytest.skip("the folder of cases is not beside the data sets")
    texts = [json.loads(line)["text"] for line in file.read_text().splitlines()]
    made = TokenPreprocess(trained_tokenizer(texts, 100, True), 512)
    torch.manual_seed(0)
    encoder = static(made.spec, "random").eval()
    inputs = [made(as_bytes(text)) for text in texts]
    order = sorted(range(len(texts)), key=lambda row: inputs[row].values.shape[-1])
    with torch.no_grad():
        alone = torch.cat([encoder(one.values, one.valid).pooled for one in inputs])
        for rows in (list(range(len(texts))), order):
            x = Input.cat([inputs[row] for row in rows])
            assert torch.allclose(encoder(x.values, x.valid).pooled, alone[rows], atol=1e-5)


def test_a_text_has_one_vector_alone_in_a_batch_and_sorted(tmp_path: Path, preprocess: TokenPreprocess) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=preprocess.pieces, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(preprocess.tokenizer)
    made = TokenPreprocess(read_tokenizer(tmp_path), 300)
    trained = create_encoder(f"transformers:{tmp_path}", init="pretrained", takes=made.spec).eval()
    texts = ["river stones", "long " * 200, TEXTS[2], "hard"]
    inputs = [made(as_bytes(text)) for text in texts]
    assert inputs[1].values.shape[-1] >= 200
    for encoder in (trained, static(made.spec, "random").eval()):
        with torch.no_grad():
            alone = torch.cat([encoder(one.values, one.valid).pooled for one in inputs])
            for order in ([0, 1, 2, 3], [3, 0, 2, 1]):  # as they come, and sorted by length
                x = Input.cat([inputs[row] for row in order])
                assert torch.allclose(encoder(x.values, x.valid).pooled, alone[order], atol=1e-5)
