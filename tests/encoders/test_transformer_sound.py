"""Hugging Face models of waveforms from a local folder: small ones with random weights, saved by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from ssl_domains.encoders import TransformerSoundEncoder, create_encoder, encoder_stages
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder

SMALL: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 40,
    "conv_dim": (16, 16, 16), "conv_kernel": (10, 3, 2), "conv_stride": (5, 2, 2), "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
}  # fmt: skip
LAYER = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
WAVES = InputSpec("wave", 1, (None,))


def saved(folder: Path, kind: str = "Wav2Vec2", **options: Any) -> str:
    torch.manual_seed(5)
    config = getattr(transformers, f"{kind}Config")(**{**SMALL, **options})
    getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
    return f"transformers:{folder}"


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert"])
def test_padding_changes_nothing(kind: str, tmp_path: Path) -> None:
    encoder = create_encoder(saved(tmp_path, kind, **LAYER), init="pretrained")
    assert isinstance(encoder, TransformerSoundEncoder)
    assert encoder.takes == WAVES
    assert (encoder.num_features, encoder.shortest) == (32, 30)
    check_encoder(encoder)


def test_the_vector_is_the_mean_of_what_transformers_gives_alone(tmp_path: Path) -> None:
    encoder = create_encoder(saved(tmp_path, **LAYER), init="pretrained", takes=WAVES).eval()
    model = transformers.Wav2Vec2Model.from_pretrained(tmp_path).eval()
    waves = torch.randn(2, 1, 900, generator=torch.Generator().manual_seed(1))
    valid = torch.arange(900).expand(2, 1, 900) < torch.tensor([900, 500])[:, None, None]
    with torch.no_grad():
        features = encoder(waves, valid)
        for row, length in enumerate((900, 500)):
            hidden = model(waves[row, :, :length]).last_hidden_state[0]
            torch.testing.assert_close(features.pooled[row], hidden.mean(dim=0), rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(features.map[row, :, : len(hidden)], hidden.T, rtol=1e-5, atol=1e-5)
            assert features.mask is not None
            assert int(features.mask[row].sum()) == len(hidden)


def test_a_norm_over_time_is_refused_for_recordings_of_differing_length(tmp_path: Path) -> None:
    name = saved(tmp_path, feat_extract_norm="group")
    with pytest.raises(UsageError, match="feat_extract_norm = 'group'") as caught:
        create_encoder(name, init="pretrained", takes=WAVES)
    assert "'layer'" in caught.value.hint
    encoder = create_encoder(name, init="pretrained", takes=InputSpec("wave", 1, (800,))).eval()
    model = transformers.Wav2Vec2Model.from_pretrained(tmp_path).eval()
    waves = torch.randn(3, 1, 800, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = model(waves[:, 0]).last_hidden_state.mean(dim=1)
        torch.testing.assert_close(encoder(waves).pooled, expected, rtol=1e-5, atol=1e-5)
    check_encoder(encoder)


def test_training_draws_no_masks_and_every_trained_parameter_acts(tmp_path: Path) -> None:
    encoder = create_encoder(saved(tmp_path, **LAYER, mask_time_prob=0.9, hidden_dropout=0.0, attention_dropout=0.0,
                                   activation_dropout=0.0, feat_proj_dropout=0.0))  # fmt: skip
    waves = torch.randn(2, 1, 800, generator=torch.Generator().manual_seed(1))
    assert torch.equal(encoder(waves).pooled, encoder(waves).pooled)
    encoder(waves).pooled.square().sum().backward()
    trained = {name: one for name, one in encoder.named_parameters() if one.requires_grad}
    assert all(one.grad is not None for one in trained.values())
    assert {name for name, _ in encoder.named_parameters()} - set(trained) == {"model.masked_spec_embed"}
    assert len(encoder_stages(encoder)) == 3


def test_other_inputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes waveforms") as caught:
        create_encoder(saved(tmp_path, **LAYER), takes=InputSpec("mel", 1, (40, None)))
    assert "input.form=wave" in caught.value.hint
