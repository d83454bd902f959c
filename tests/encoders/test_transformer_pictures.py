"""Hugging Face models of pictures from a local folder: small ones with random weights, saved by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from timm.models import adapt_input_conv
from torch import Tensor

from ssl_domains.encoders import (
    TransformerPictureEncoder,
    allow_other_sizes,
    create_encoder,
    encoder_stages,
    first_stages,
    stage_factors,
)
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder

transformers: Any = pytest.importorskip("transformers")

NET = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
VIT = {**NET, "intermediate_size": 32, "image_size": 32, "patch_size": 8}
SAM = {**NET, "image_size": 32, "patch_size": 8, "output_channels": 8, "window_size": 2, "global_attn_indexes": [1],
       "mlp_dim": 32}  # fmt: skip
PICTURES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
CONFIGS = {
    "vit": ("ViTConfig", VIT),
    "deit": ("DeiTConfig", VIT),
    "dinov2": ("Dinov2WithRegistersConfig", {**NET, "mlp_ratio": 2, "image_size": 32, "patch_size": 8}),
    "dinov3": ("DINOv3ViTConfig", {**VIT, "num_register_tokens": 2}),
    "beit": ("BeitConfig", VIT),
    "swin": ("SwinConfig", {"image_size": 32, "patch_size": 2, "embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2],
                            "window_size": 4}),
    "resnet": ("ResNetConfig", {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}),
    "convnext": ("ConvNextConfig", {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2}),
    "sam": ("SamVisionConfig", SAM),
    "clip": ("CLIPVisionConfig", VIT),
    "siglip": ("SiglipVisionConfig", VIT),
}  # fmt: skip
FIRST_TOKENS = {"vit": 1, "deit": 2, "dinov2": 5, "dinov3": 3, "beit": 1, "swin": 0, "clip": 1, "siglip": 0}


def saved(folder: Path, name: str, **changes: Any) -> Path:
    kind, values = CONFIGS[name]
    torch.manual_seed(7)
    transformers.AutoModel.from_config(getattr(transformers, kind)(**{**values, **changes})).save_pretrained(folder)
    return folder


def made(folder: Path, **options: Any) -> TransformerPictureEncoder:
    encoder = create_encoder(f"transformers:{folder}", **{"init": "pretrained", "image_size": 32, **options})
    assert isinstance(encoder, TransformerPictureEncoder)
    return encoder


def own(folder: Path, values: Tensor, **options: Any) -> Any:
    """Output of transformers' own forward pass."""
    with torch.no_grad():
        return transformers.AutoModel.from_pretrained(folder).eval()(pixel_values=values, **options)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", CONFIGS)
def test_features_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    encoder, expected = made(saved(tmp_path, name)).eval(), own(tmp_path, PICTURES)
    with torch.no_grad():
        features = encoder(PICTURES)
    hidden = expected.last_hidden_state
    if hidden.ndim == 3:
        height, width = features.map.shape[2:]
        places = hidden[:, FIRST_TOKENS[name] :]
        assert places.shape[1] == height * width
        close(features.map[:, :, 0, 1], places[:, 1])
        close(features.map[:, :, 1, 0], places[:, width])
    else:
        close(features.map, hidden)
    if name in ("vit", "deit"):  # transformers adds a head on the first token
        close(features.pooled, hidden[:, 0])
    elif name == "sam":
        close(features.pooled, hidden.mean(dim=(2, 3)))
    else:
        close(features.pooled, expected.pooler_output.flatten(1))
    assert encoder.num_features == features.pooled.shape[1]
    trained = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(encoder(PICTURES).pooled.square().sum(), trained, allow_unused=True)
    assert all(gradient is not None for gradient in gradients)
    assert len(trained) >= len(list(encoder.parameters())) - 1


@pytest.mark.parametrize("name", ["vit", "swin", "resnet", "sam"])
def test_the_contract_of_an_encoder(name: str, tmp_path: Path) -> None:
    encoder = made(saved(tmp_path, name))
    assert encoder.takes == InputSpec("image", 3, (32, 32))
    check_encoder(encoder)


def test_the_part_of_pictures_of_a_model_of_both(tmp_path: Path) -> None:
    parts = {"text_config": {**NET, "intermediate_size": 32, "vocab_size": 50, "bos_token_id": 1, "eos_token_id": 2}}
    torch.manual_seed(7)
    transformers.CLIPModel(transformers.CLIPConfig(**parts, vision_config=VIT)).save_pretrained(tmp_path)
    with torch.no_grad():
        expected = transformers.CLIPModel.from_pretrained(tmp_path).eval().vision_model(pixel_values=PICTURES)
        close(made(tmp_path).eval()(PICTURES).pooled, expected.pooler_output)


def test_random_weights_come_from_the_seed_and_pretrained_ones_from_the_folder(tmp_path: Path) -> None:
    folder = saved(tmp_path, "vit")
    weight = "embeddings.patch_embeddings.projection.weight"
    one, two, other = (made(folder, init="random", seed=seed).model.state_dict() for seed in (1, 1, 2))
    kept = transformers.AutoModel.from_pretrained(folder).state_dict()
    assert torch.equal(one[weight], two[weight])
    assert not torch.equal(one[weight], other[weight])
    assert torch.equal(made(folder).model.state_dict()[weight], kept[weight])
    assert not torch.equal(one[weight], kept[weight])


@pytest.mark.parametrize("name", ["vit", "convnext", "sam"])
def test_channels_are_summed_for_pictures_of_one_channel(name: str, tmp_path: Path) -> None:
    folder = saved(tmp_path, name)
    grey, colour = made(folder, in_chans=1).eval(), made(folder).eval()
    values = PICTURES[:, :1]
    with torch.no_grad():
        one, three = grey(values).pooled, colour(values.expand(2, 3, 32, 32)).pooled
        torch.testing.assert_close(one, three, rtol=1e-4, atol=1e-5)
    (said,) = grey.resampled
    assert "was resampled from" in said
    first = next(name for name, value in colour.model.named_parameters() if value.ndim == 4 and value.shape[1] == 3)
    assert torch.equal(grey.model.get_parameter(first), adapt_input_conv(1, colour.model.get_parameter(first).detach()))
    random = made(folder, in_chans=1, init="random")
    assert {key: value.shape for key, value in random.state_dict().items()} == {
        key: value.shape for key, value in grey.state_dict().items()
    }
    assert not random.resampled


def test_pictures_of_another_size(tmp_path: Path) -> None:
    folder = saved(tmp_path / "vit", "vit")
    large = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    encoder = made(folder, image_size=48).eval()
    with torch.no_grad():
        features = encoder(large)
    expected = own(folder, large, interpolate_pos_encoding=True).last_hidden_state
    close(features.pooled, expected[:, 0])
    assert features.map.shape == (1, 16, 6, 6)
    allow_other_sizes(made(folder), 16)
    with pytest.raises(UsageError, match="pictures of 30 pixels are no multiple of the patches of 8") as caught:
        made(folder, image_size=30)
    assert caught.value.hint == "use --set views.size=24"
    sam = saved(tmp_path / "sam", "sam")
    with pytest.raises(UsageError, match="can't be run on pictures of 48 × 48 pixels") as caught:
        made(sam, image_size=48)
    assert caught.value.hint == "use --set views.size=32"
    with pytest.raises(UsageError, match="can't take inputs of 16 × 16"):
        allow_other_sizes(made(sam), 16)


def test_stages_freeze_and_learn_more_slowly(tmp_path: Path) -> None:
    encoder = made(saved(tmp_path, "vit"))
    stages = encoder_stages(encoder)
    assert len(stages) == 3
    assert "model.embeddings.cls_token" in stages[0]
    assert "model.layernorm.weight" in stages[2]
    factors = stage_factors(stages, 0.5)
    assert factors["model.embeddings.cls_token"] == 0.25
    assert factors["model.layernorm.weight"] == 1.0
    assert {"model.embeddings.cls_token", "model.embeddings.position_embeddings"} == encoder.no_weight_decay()
    frozen = first_stages(encoder, 2)
    encoder.freeze(frozen)
    assert {name for name, one in encoder.named_parameters() if not one.requires_grad} == frozen
    assert first_stages(encoder, ["embeddings"]) == set(stages[0])


def test_validity_becomes_the_mask_of_the_map(tmp_path: Path) -> None:
    valid = torch.zeros(2, 1, 32, 32, dtype=torch.bool)
    valid[:, :, :9] = True
    mask = made(saved(tmp_path, "vit"))(PICTURES, valid).mask
    assert mask[0, 0].any(dim=1).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("takes", "cause"),
    [
        (InputSpec("text", 1, (None,), "int64"), "a ViTModel, which takes pictures of one size, not 'text'"),
        (InputSpec("wave", 2, (None,)), "a ViTModel, which takes pictures of one size, not 'wave'"),
        (InputSpec("image", 3, (32, None)), "a ViTModel, which takes pictures of one size, not 'image'"),
    ],
)
def test_other_inputs_are_refused(takes: InputSpec, cause: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=cause):
        create_encoder(f"transformers:{saved(tmp_path, 'vit')}", takes=takes)


def test_models_that_give_no_map_of_the_picture_are_refused(tmp_path: Path) -> None:
    decoder = {"decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2,
               "decoder_intermediate_size": 16}  # fmt: skip
    for ratio, cause in {0.75: "whose 5 tokens are no places", 0.0: "other numbers each time"}.items():
        config = transformers.ViTMAEConfig(**VIT, **decoder, mask_ratio=ratio)
        transformers.ViTMAEModel(config).save_pretrained(tmp_path / str(ratio))
        with pytest.raises(UsageError, match=cause) as caught:
            made(tmp_path / str(ratio))
        assert "the same weights in timm" in caught.value.hint
