"""Continued pre-training of a Hugging Face model of pictures from a local folder, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from ssl_domains.encoders import create_encoder
from ssl_domains.engine import Run

transformers: Any = pytest.importorskip("transformers")

NET = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
SMALL = tuple(
    word
    for value in ("train.batch_size=12", "train.device=cpu", "head.hidden=16", "head.out=8", "train.max_steps=2")
    for word in ("--set", value)
)


@pytest.fixture
def vit(tmp_path: Path) -> Path:
    torch.manual_seed(7)
    config = transformers.ViTConfig(**NET, image_size=32, patch_size=8)
    transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(tmp_path / "vit")
    return tmp_path / "vit"


def test_early_layers_stay_and_later_ones_are_trained_slowly(
    samples: Path, vit: Path, cli: Any, tmp_path: Path
) -> None:
    out, name = tmp_path / "run", f"transformers:{vit}"
    words = ("--encoder", name, "--init", "pretrained", "--pairs", "patient", *SMALL)
    rates = ("--set", "encoder.freeze=1", "--set", "train.layer_decay=0.5", "--set", "train.checkpoint_every_steps=2")
    done = cli("toy", "pretrain", samples, "--out", out, *words, *rates)
    assert done.code == 0, done.err
    assert "was resampled from 16×3×8×8 to 16×1×8×8" in done.err
    run = Run.open(out)
    before = create_encoder(name, 1, init="pretrained", image_size=32).state_dict()
    after = run.encoder().state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert "model.layers.0.mlp.fc1.weight" in changed
    assert "model.layernorm.weight" in changed
    assert not any(key.startswith("model.embeddings.") for key in changed)
    groups = run.checkpoints.load()["optimiser"]["param_groups"]
    assert {group["lr_scale"] for group in groups} == {1.0, 0.5}
    embeddings = tmp_path / "embeddings.parquet"
    assert cli("toy", "embed", out, samples, "-o", embeddings).code == 0
    assert pl.read_parquet(embeddings)["embedding"].to_numpy().shape == (48, 16)
    again = cli("toy", "pretrain", samples, "--out", tmp_path / "second", "--encoder", name, "--init", out, *SMALL)
    assert again.code == 0, again.err


def test_a_method_on_its_map(samples: Path, vit: Path, cli: Any, tmp_path: Path) -> None:
    words = ("--encoder", f"transformers:{vit}", "--init", "pretrained", "--method", "deep_infomax", *SMALL)
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", *words)
    assert done.code == 0, done.err


def test_mistakes_are_one_line_and_a_hint(samples: Path, vit: Path, cli: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text((vit / "config.json").read_text())
    deeper = tmp_path / "deeper"
    deeper.mkdir()
    (deeper / "model.safetensors").write_bytes((vit / "model.safetensors").read_bytes())
    values = json.loads((vit / "config.json").read_text()) | {"num_hidden_layers": 3}
    (deeper / "config.json").write_text(json.dumps(values))
    text = tmp_path / "text"
    transformers.BertModel(transformers.BertConfig(**NET, vocab_size=50)).save_pretrained(text)
    size = ("--set", "views.size=20")
    for words, said, hint in (
        (("--encoder", f"transformers:{tmp_path / 'gone'}"), "is not a folder with a model", "it holds config.json"),
        (("--encoder", f"transformers:{broken}", "--init", "pretrained"), "transformers can read", "save it anew"),
        (("--encoder", f"transformers:{deeper}", "--init", "pretrained"), "lacks 16 weights", "save it anew"),
        (("--encoder", f"transformers:{text}"), "takes token ids, int64 [B, 1, T]", "InputSpec"),
        (("--encoder", "resnet18", "--init", vit), "is a folder of transformers", f"--encoder transformers:{vit}"),
        (("--encoder", f"transformers:{vit}", *size), "no multiple of the patches of 8", "--set views.size=16"),
        (("--encoder", f"transformers:{vit}", "--set", "encoder.freeze=1"), "would keep random weights", "--init"),
        (("--encoder", f"transformers:{vit}", "--method", "masked"), "masked", "--encoder"),
    ):
        done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", *SMALL, *words)
        assert done.code == 2, done.err
        assert said in done.err
        assert hint in done.err
        assert "Traceback" not in done.err
        assert not (tmp_path / "run").exists()
