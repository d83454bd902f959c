"""Starting from a foundation model: weights of another size, by name or folder; frozen stages; slower early stages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm.models import _registry

from ssl_domains.encoders import Encoder, create_encoder, encoder_stages, first_stages
from ssl_domains.engine import Run
from ssl_domains.engine.loop.initial import initial_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec


def made(init: str | Path, name: str = "small_vit", side: int = 16, in_chans: int = 1) -> Encoder:
    return initial_encoder(name, InputSpec("image", in_chans, (side, side)), str(init), seed=0)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def foundation(tmp_path: Path) -> Path:
    """Weights of a ViT for 32 pixels of three channels."""
    torch.manual_seed(3)
    state = timm.create_model("small_vit", num_classes=0).state_dict()
    save_file({name: torch.randn_like(value) for name, value in state.items()}, tmp_path / "vit.safetensors")
    return tmp_path / "vit.safetensors"


def test_weights_for_another_size_are_resampled_as_timm_does_and_that_is_said(foundation: Path) -> None:
    encoder = made(foundation)
    overlay = {"file": str(foundation)}
    expected = timm.create_model(
        "small_vit", pretrained=True, pretrained_cfg_overlay=overlay, img_size=16, in_chans=1, num_classes=0
    )
    assert same(dict(encoder.model.state_dict()), expected.state_dict())
    assert set(encoder.resampled) == {
        "pos_embed was resampled from 1×16×64 to 1×4×64",
        "patch_embed.proj.weight was resampled from 64×3×8×8 to 64×1×8×8",
    }


def test_weights_that_fit_are_taken_as_they_are(foundation: Path) -> None:
    encoder = made(foundation, side=32, in_chans=3)
    assert encoder.resampled == []
    timm.models.load_checkpoint(model := timm.create_model("small_vit", num_classes=0), str(foundation))
    assert same(dict(encoder.model.state_dict()), model.state_dict())


def test_a_classifier_is_left_out_when_other_weights_are_resampled(foundation: Path, tmp_path: Path) -> None:
    wrapped = {f"module.{name}": value for name, value in load_file(foundation).items()}
    with_head = {**wrapped, "module.head.weight": torch.ones(9, 64)}
    torch.save({"state_dict": with_head}, tmp_path / "dino.pth")
    assert same(dict(made(tmp_path / "dino.pth").state_dict()), dict(made(foundation).state_dict()))


def test_by_the_name_of_weights_in_timm(foundation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_registry._model_pretrained_cfgs["small_vit"], "file", str(foundation))
    assert same(dict(made("small_vit").state_dict()), dict(made(foundation).state_dict()))
    with pytest.raises(
        UsageError, match="--init resnet18 holds weights of another encoder than 'small_vit'"
    ) as refused:
        made("resnet18")
    assert refused.value.hint == "--encoder resnet18"


def test_weights_of_another_architecture_are_refused(foundation: Path) -> None:
    with pytest.raises(UsageError, match=r"weights of .* don't fit encoder 'resnet18'"):
        made(foundation, "resnet18", 32, 3)


def test_from_a_folder_of_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.BertConfig(vocab_size=50, **small)
    for name in ("base", "trained"):
        transformers.BertModel(config).save_pretrained(tmp_path / name)
    takes = InputSpec("text", 1, (None,), "int64")
    started = initial_encoder(f"transformers:{tmp_path / 'base'}", takes, str(tmp_path / "trained"), seed=0)
    expected = create_encoder(f"transformers:{tmp_path / 'trained'}", init="pretrained", takes=takes)
    assert same(dict(started.state_dict()), dict(expected.state_dict()))
    with pytest.raises(UsageError, match="is a folder of transformers, and the encoder 'small_vit' isn't") as refused:
        made(tmp_path / "base")
    assert "--init pretrained" in refused.value.hint


def test_pictures_from_a_folder_of_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.ViTConfig(**small, image_size=16, patch_size=8)
    for name in ("base", "trained"):
        transformers.ViTModel(config).save_pretrained(tmp_path / name)
    started = made(tmp_path / "trained", f"transformers:{tmp_path / 'base'}")
    expected = create_encoder(f"transformers:{tmp_path / 'trained'}", 1, init="pretrained", image_size=16)
    assert same(dict(started.state_dict()), dict(expected.state_dict()))
    assert list(started.resampled) == list(expected.resampled)
    assert len(started.resampled) == 1


def test_frozen_stages_keep_weights_and_batch_norm_statistics(
    left_alone: Run, train: Callable[..., Any], tmp_path: Path
) -> None:
    start = left_alone.encoder().state_dict()
    run = train(tmp_path / "run", (f"encoder.init='{left_alone.folder}'", "encoder.freeze=2", "train.max_steps=3"))
    after = run.encoder().state_dict()
    changed = {name for name in start if not torch.equal(start[name], after[name])}
    assert changed
    assert all(name.startswith(("model.stages.2.", "model.stages.3.")) for name in changed)
    assert {name for name in start if "running_mean" in name and "stages.3" in name} <= changed
    assert "model.stages.2.0.weight" in changed


def test_names_choose_what_is_frozen() -> None:
    encoder = create_encoder("small_vit", 1, image_size=16)
    frozen = first_stages(encoder, ["patch_embed", "pos_embed", "blocks.0"])
    assert "model.blocks.0.attn.qkv.weight" in frozen
    assert not any(name.startswith("model.blocks.1") for name in frozen)
    assert first_stages(encoder, 1) == set(encoder_stages(encoder)[0])
    encoder.freeze(frozen)
    encoder.train()
    assert not encoder.model.get_submodule("blocks.0").training
    assert encoder.model.get_submodule("blocks.1").training
    assert {name for name, p in encoder.named_parameters() if not p.requires_grad} == frozen


@pytest.mark.parametrize(
    ("chosen", "cause"),
    [(9, "has 5 stages, not 9"), (["block"], "begins with 'block'"), (5, "leaves nothing of the encoder to train")],
)
def test_what_cannot_be_frozen(chosen: Any, cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        first_stages(create_encoder("small_vit", 1, image_size=16), chosen)


def test_random_weights_are_not_frozen(train: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would keep random weights"):
        train(tmp_path / "run", ("encoder.freeze=1",))
    with pytest.raises(UsageError, match="number of stages from 0 on"):
        train(tmp_path / "run", ("encoder.freeze=-1",))


def test_early_stages_learn_more_slowly(train: Callable[..., Any], tmp_path: Path) -> None:
    run = train(tmp_path / "run", ("train.layer_decay=0.5", "train.max_steps=1"))
    groups = run.checkpoints.load()["optimiser"]["param_groups"]
    assert {group["lr_scale"] for group in groups} == {1.0, 0.5, 0.25, 0.125}
    for group in groups:
        assert group["lr"] == pytest.approx(groups[-1]["lr"] * group["lr_scale"] / groups[-1]["lr_scale"])
