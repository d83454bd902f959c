"""Views and positives of texts without labels: dropout (SimCSE), pieces of one document, neighbouring pieces."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ssl_domains.cli.app import run
from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.engine import Run
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.pairs import Rows, parse
from ssl_domains.samples import read_table
from ssl_domains_text.documents.inputs import TokenPreprocess
from ssl_domains_text.documents.inputs.recipe import TokenRecipe
from ssl_domains_text.documents.inputs.tokenizer import trained_tokenizer
from ssl_domains_text.documents.pairs import SAMPLERS

from .scanned import scan

TEXTS = ["the wing lifts the craft", "heat flows along the plate", "the plate"]


def inputs() -> tuple[TokenPreprocess, Input]:
    preprocess = TokenPreprocess(trained_tokenizer(TEXTS, 80, lower=True), 16)
    return preprocess, Input.cat([preprocess(np.frombuffer(text.encode(), dtype=np.uint8)) for text in TEXTS])


def encoders(folder: Path, preprocess: TokenPreprocess) -> list[Encoder]:
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=preprocess.pieces, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    bert = create_encoder(f"transformers:{folder}", init="pretrained", takes=preprocess.spec)
    return [create_encoder("static", takes=preprocess.spec), bert]


def test_views_differ_by_dropout_and_by_nothing_else(tmp_path: Path) -> None:
    preprocess, batch = inputs()
    recipe = TokenRecipe(2).without("drop_tokens")
    slots = torch.arange(len(TEXTS))
    first, second = recipe.views_of(batch, seed=0, step=3, slots=slots, columns={})
    assert torch.equal(first.input.values, second.input.values)
    assert torch.equal(first.input.with_valid(), second.input.with_valid())
    both = Input.cat([first.input, second.input])
    for encoder in encoders(tmp_path, preprocess):
        encoder.train()
        encoder.set_dropout(0.3)
        torch.manual_seed(0)
        one, other = encoder(both.values, both.valid).pooled.chunk(2)
        assert ((one - other).abs().amax(1) > 1e-4).all(), encoder.name
        encoder.set_dropout(0.0)
        one, other = encoder(both.values, both.valid).pooled.chunk(2)
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)
        torch.testing.assert_close(one, encoder.eval()(first.input.values, first.input.valid).pooled)
        encoder.set_dropout(0.3)  # in evaluation mode nothing is dropped
        torch.testing.assert_close(one, encoder(first.input.values, first.input.valid).pooled)


def test_an_encoder_without_dropout_layers_refuses_it() -> None:
    with pytest.raises(UsageError, match="'small_conv' has no dropout layer"):
        create_encoder("small_conv").set_dropout(0.1)


@pytest.mark.parametrize(("dropout", "warned"), [("0.1", False), ("0.0", True), (None, True)])
def test_training_says_where_both_views_are_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dropout: str | None, warned: bool
) -> None:
    (tmp_path / "all.txt").write_text("\n".join(TEXTS * 3) + "\n")
    scan(tmp_path / "all.txt", tmp_path / "table", lines=True)
    words = [
        "text", "pretrain", str(tmp_path / "table" / "samples.parquet"), "--out", str(tmp_path / "run"),
        "--set", "train.max_steps=2", "--set", 'views.without=["drop_tokens"]', "--set", "input.vocabulary=80",
    ]  # fmt: skip
    assert run(words + ([] if dropout is None else ["--set", f"encoder.dropout={dropout}"])) == 0
    assert ("the views of a sample are equal" in capsys.readouterr().err) == warned
    kept = Run.open(tmp_path / "run").config.encoder.dropout
    assert kept == (None if dropout is None else float(dropout))


def test_pieces_of_a_document_are_positives(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    texts = {"a": " ".join(f"a{i}" for i in range(20)), "b": " ".join(f"b{i}" for i in range(11)), "c": "c0"}
    (folder / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in texts.items())
    )
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "a", "text": "a3 a4"}) + "\n")
    scan(folder, tmp_path, chunk=5)
    table = read_table(tmp_path / "samples.parquet")
    place = {name: row for row, name in enumerate(table.frame["sample"].to_list())}
    rows = Rows.of(torch.arange(len(table)), views=1)

    def partners(rule: str) -> dict[str, set[str]]:
        found = parse(rule).bind(table).pairs(rows)
        positive = found.dense().matches.any(0)
        names = list(place)
        return {one: {other for other in names if positive[place[one], place[other]]} for one in names}

    samplers = {one.name: one for one in SAMPLERS}
    document, _ = samplers["document"].resolve()
    found = partners(str(document))
    assert found["d/a#1"] == {"d/a#2", "d/a#3", "d/a#4"}
    assert found["d/b#3"] == {"d/b#1", "d/b#2"}
    assert found["d/c"] == found["q/a"] == set()
    for k, wanted in ((1, {"d/a#1", "d/a#3"}), (2, {"d/a#1", "d/a#3", "d/a#4"})):
        near, _ = samplers["paragraph"].resolve(k=k)
        assert partners(str(near))["d/a#2"] == wanted
    with pytest.raises(UsageError, match="k is 0"):
        samplers["paragraph"].resolve(k=0)
