"""Exported encoders give the vectors of the run in sentence-transformers, and in transformers where they are its."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ssl_domains.cli.app import run as run_line
from ssl_domains.encoders import Encoder
from ssl_domains.engine import Run
from ssl_domains.errors import UsageError
from ssl_domains.evaluation import FORMATS, ExportError, export
from ssl_domains_text.documents.inputs import TokenPreprocess
from ssl_domains_text.documents.inputs.tokenizer import trained_tokenizer

pytest.importorskip("sentence_transformers")
transformers = pytest.importorskip("transformers")

WORDS = [f"w{place}{'abcdefghij'[place % 10]}" for place in range(60)]
TOKENS = 16

TEXTS = [
    "w3d w4e", "w3d", "W3D W4E", " ".join(WORDS), "w1b " * 500, "", "   ", "\u200b", "東京の天気 w1b", "Grüße שלום 🙂",
    "unheard-of things, w3d; w4e!",
]  # fmt: skip
"""Short, capitals, beyond the cut, empty in three ways, other scripts, and words that no training saw."""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    source = folder / "in"
    source.mkdir()
    with (source / "corpus.jsonl").open("w") as corpus, (source / "queries.jsonl").open("w") as queries:
        for number in range(30):
            corpus.write(json.dumps({"_id": f"d{number}", "text": " ".join(WORDS[number : number + 20])}) + "\n")
            queries.write(json.dumps({"_id": f"q{number}", "text": " ".join(WORDS[number : number + 3])}) + "\n")
    judged = "\n".join(f"q{number}\td{number}\t1" for number in range(30))
    (source / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}\n")
    path = folder / "samples.parquet"
    assert run_line(["text", "scan", str(source), "-o", str(path)]) == 0
    return path


@pytest.fixture
def train(samples: Path, tmp_path: Path) -> Callable[..., Run]:
    """``train("--encoder", …)`` is a run of four steps."""

    def train(*options: str) -> Run:
        out = tmp_path / "run"
        rule = f"relevance(file='{samples.with_name('samples.relevance.parquet')}')"
        words = [
            "text", "pretrain", str(samples), "--out", str(out), "--method", "ance", "--pairs", rule,
            "--set", "method.top=0", "--set", "views.n=2", "--set", "train.batch_size=10", "--set", "train.max_steps=4",
            "--set", f"input.tokens={TOKENS}", *options,
        ]  # fmt: skip
        assert run_line(words) == 0
        return Run.open(out)

    return train


def expected(run: Run, texts: list[str]) -> torch.Tensor:
    """Vectors of the run, a text after another, without any padding."""
    encoder: Encoder = run.encoder().eval()
    with torch.no_grad():
        inputs = [run.preprocess(np.frombuffer(text.encode(), np.uint8)) for text in texts]
        return torch.cat([encoder(one.values, one.valid).pooled for one in inputs])


def in_sentence_transformers(folder: Path, texts: list[str]) -> torch.Tensor:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    assert model.similarity_fn_name == "cosine"
    return model.encode(texts, convert_to_tensor=True, show_progress_bar=False)


def in_transformers(folder: Path, texts: list[str]) -> torch.Tensor:
    model = transformers.AutoModel.from_pretrained(folder, local_files_only=True).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokens = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    assert tokens["input_ids"].shape[1] == TOKENS
    with torch.no_grad():
        hidden = model(**tokens).last_hidden_state
    mask = tokens["attention_mask"][..., None]
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1)


def same(found: torch.Tensor, vectors: torch.Tensor) -> None:
    torch.testing.assert_close(found, vectors, rtol=0, atol=1e-5)


def bert(folder: Path, tokenizer: str) -> Path:
    """A small BERT with random weights and a tokenizer that puts ``[CLS]`` and ``[SEP]`` around a text."""
    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing

    made = Tokenizer.from_str(tokenizer)
    ends = [(name, made.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=made.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, pad_token_id=made.token_to_id("[PAD]"),
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
    return folder


def test_a_static_encoder_is_the_same_in_sentence_transformers(train: Callable[..., Run], tmp_path: Path) -> None:
    run = train("--set", "input.vocabulary=200")
    out = export(run, tmp_path / "out", "sentence-transformers")
    same(in_sentence_transformers(out, TEXTS), expected(run, TEXTS))
    assert {type(one["type"]) for one in json.loads((out / "modules.json").read_text())} == {str}
    modules = [one["type"].rpartition(".")[2] for one in json.loads((out / "modules.json").read_text())]
    assert modules == ["StaticEmbedding", "Dense"]
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "SentenceTransformer" in card
    assert f"Texts, of which {TOKENS} tokens are read" in card
    everything = "".join(path.read_text() for path in out.rglob("*") if path.suffix in (".json", ".md"))
    assert str(tmp_path) not in everything


def test_the_code_of_the_page_and_of_the_card_runs(
    train: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bert(tmp_path / "bert", trained_tokenizer([" ".join(WORDS)], 200, True))
    run = train("--encoder", f"transformers:{folder}", "--set", f"input.tokenizer={folder}")
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).parents[4] / "docs" / "how-to" / "documents.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    printed = ""
    for format, shown in (("sentence-transformers", code), ("sentence-transformers", ""), ("transformers", "")):
        shutil.rmtree("exported", ignore_errors=True)
        printed += capsys.readouterr().out
        out = export(run, "exported", format)
        assert "shards" not in capsys.readouterr().err, "no progress bars of other packages"
        (card,) = re.findall(r"```python\n(.*?)```", (out / "README.md").read_text(encoding="utf-8"), re.S)
        scope: dict[str, Any] = {}
        exec(shown or card.replace("FOLDER", "exported"), scope)
        assert tuple(scope["vectors"].shape) == (2, 32)
    assert "[" in printed


def test_a_model_of_transformers_is_the_same_in_both(train: Callable[..., Run], tmp_path: Path) -> None:
    folder = bert(tmp_path / "bert", trained_tokenizer([" ".join(WORDS)], 200, True))
    run = train("--encoder", f"transformers:{folder}", "--set", f"input.tokenizer={folder}", "--set", "train.lr=0.01")
    vectors = expected(run, TEXTS)
    out = export(run, tmp_path / "out", "sentence-transformers")
    bare = export(run, tmp_path / "bare", "transformers")
    assert not (bare / "modules.json").exists()
    shutil.rmtree(folder)  # nothing of where the training began is needed
    same(in_sentence_transformers(out, TEXTS), vectors)
    for one in (out, bare):
        same(in_transformers(one, TEXTS), vectors)
        everything = "".join(path.read_text() for path in one.rglob("*") if path.suffix in (".json", ".md"))
        assert str(tmp_path) not in everything


def test_an_empty_text_without_special_tokens_is_none_for_transformers(
    train: Callable[..., Run], tmp_path: Path
) -> None:
    folder = bert(tmp_path / "bert", trained_tokenizer([" ".join(WORDS)], 200, True))
    plain = TokenPreprocess(trained_tokenizer([" ".join(WORDS)], 200, True)).tokenizer
    (folder / "tokenizer.json").write_text(plain)
    run = train("--encoder", f"transformers:{folder}", "--set", f"input.tokenizer={folder}")
    out = export(run, tmp_path / "out", "sentence-transformers")
    texts = [text for text in TEXTS if text.strip(" \u200b")]
    same(in_sentence_transformers(out, texts), expected(run, texts))


def test_special_tokens_do_not_fit_static_embedding(train: Callable[..., Run], tmp_path: Path) -> None:
    folder = bert(tmp_path / "bert", trained_tokenizer([" ".join(WORDS)], 200, True))
    run = train("--set", f"input.tokenizer={folder / 'tokenizer.json'}")
    with pytest.raises(UsageError, match="adds special tokens") as caught:
        export(run, tmp_path / "out", "sentence-transformers")
    assert caught.value.hint == "--format safetensors"
    assert not (tmp_path / "out").exists()
    export(run, tmp_path / "out", "safetensors")
    with pytest.raises(UsageError, match="can't hold the encoder 'static'") as caught:
        export(run, tmp_path / "other", "transformers")
    assert caught.value.hint == "--format sentence-transformers"


def test_an_export_with_other_vectors_fails_and_leaves_nothing(
    train: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, read = FORMATS["sentence-transformers"]

    def off(folder: Path) -> Any:
        model: Any = read(folder)
        with torch.no_grad():
            model.model[1].linear.bias.add_(1e-3)
        return model

    monkeypatch.setitem(FORMATS, "sentence-transformers", (write, off))
    with pytest.raises(ExportError, match="does not give the vectors of the run"):
        export(train("--set", "input.vocabulary=200"), tmp_path / "out", "sentence-transformers")
    assert not (tmp_path / "out").exists()
