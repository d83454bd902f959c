"""Hugging Face models of waveforms from a local folder: small ones with random weights, saved by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from ssl_domains.encoders import TransformerSoundEncoder, create_encoder, encoder_stages
from ssl_domains.encoders.hugging_face.whisper import WhisperSoundEncoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.methods.rows.place_sequences import sequences_of
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


def waves_of(rate: int, level: str = "fixed") -> InputSpec:
    return InputSpec("wave", 1, (None,), facts=(("level", level), ("rate", rate)))


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert", "WavLM"])
def test_padding_changes_nothing(kind: str, tmp_path: Path) -> None:
    encoder = create_encoder(saved(tmp_path, kind, **LAYER), init="pretrained")
    assert isinstance(encoder, TransformerSoundEncoder)
    assert encoder.takes == WAVES
    assert (encoder.num_features, encoder.shortest) == (32, 30)
    check_encoder(encoder)


def test_its_places_are_no_sequence_to_predict(tmp_path: Path) -> None:
    encoder = create_encoder(saved(tmp_path, **LAYER), init="pretrained", takes=WAVES).eval()
    waves = torch.randn(1, 1, 900, generator=torch.Generator().manual_seed(1))
    later = torch.cat([waves[..., :600], torch.randn(1, 1, 300)], dim=2)
    with torch.no_grad():  # the first place changes with the last samples
        assert not torch.allclose(encoder(waves).map[..., 0], encoder(later).map[..., 0])
    with pytest.raises(UsageError, match="holds something of all places"):
        sequences_of(encoder, None, None)


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


def test_weights_are_refused_for_waveforms_of_another_rate(tmp_path: Path) -> None:
    name = saved(tmp_path, **LAYER)
    assert create_encoder(name, init="pretrained", takes=waves_of(8000)), "nothing says which rate it was trained on"
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=16000, do_normalize=False).save_pretrained(tmp_path)
    with pytest.raises(UsageError) as caught:
        create_encoder(name, init="pretrained", takes=waves_of(8000))
    assert caught.value.message == (
        f"the weights of {name!r} were trained on waveforms at 16,000 Hz, and these have 8,000 Hz"
    )
    assert caught.value.hint == "--set input.rate=16000"
    create_encoder(name, init="random", takes=waves_of(8000))
    assert create_encoder(name, init="pretrained", takes=waves_of(16000)).resampled == []
    (said,) = create_encoder(name, init="pretrained", takes=waves_of(16000, "recording")).resampled
    assert "--set input.level=fixed" in said
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(UsageError, match=r"preprocessor_config\.json can't be read"):
        create_encoder(name, init="pretrained", takes=waves_of(16000))


def test_waveforms_are_normalised_as_the_feature_extractor_does(tmp_path: Path) -> None:
    name = saved(tmp_path, **LAYER)
    extractor = transformers.Wav2Vec2FeatureExtractor(
        sampling_rate=16000, do_normalize=True, return_attention_mask=True
    )
    extractor.save_pretrained(tmp_path)
    encoder = create_encoder(name, init="pretrained", takes=waves_of(16000, "recording")).eval()
    assert encoder.resampled == []
    check_encoder(encoder)
    waves = 0.01 + 0.2 * torch.randn(2, 1, 900, generator=torch.Generator().manual_seed(1))
    valid = torch.arange(900).expand(2, 1, 900) < torch.tensor([900, 500])[:, None, None]
    made = extractor([waves[0, 0].numpy(), waves[1, 0, :500].numpy()], sampling_rate=16000, padding=True)
    model = transformers.Wav2Vec2Model.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        features = encoder(waves, valid)
        for row, length in enumerate((900, 500)):
            own = torch.tensor(made["input_values"][row])[None, :length]
            hidden = model(own).last_hidden_state[0]
            torch.testing.assert_close(features.pooled[row], hidden.mean(dim=0), rtol=1e-4, atol=1e-5)


WHISPER: dict[str, Any] = {
    "d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_layers": 1,
    "decoder_attention_heads": 2, "decoder_ffn_dim": 24, "num_mel_bins": 20, "max_source_positions": 50,
    "vocab_size": 60, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3, "decoder_start_token_id": 4,
}  # fmt: skip


def whisper(folder: Path, **changes: Any) -> str:
    """A small Whisper of 1 s, which has 50 places."""
    torch.manual_seed(5)
    transformers.WhisperForConditionalGeneration(transformers.WhisperConfig(**WHISPER)).save_pretrained(folder)
    settings = {"feature_size": 20, "chunk_length": 1, "sampling_rate": 16000, **changes}
    transformers.WhisperFeatureExtractor(**settings).save_pretrained(folder)
    return f"transformers:{folder}"


def test_whispers_encoder_reads_the_spectrogram_of_its_feature_extractor(tmp_path: Path) -> None:
    encoder = create_encoder(whisper(tmp_path), init="pretrained", takes=waves_of(16000)).eval()
    assert isinstance(encoder, WhisperSoundEncoder)
    assert (encoder.num_features, encoder.samples) == (16, 16000)
    assert len(encoder_stages(encoder)) == 3
    assert not [key for key in encoder.state_dict() if not key.startswith("model.")]
    waves = 0.1 * torch.randn(2, 1, 9000, generator=torch.Generator().manual_seed(1))
    valid = torch.arange(9000).expand(2, 1, 9000) < torch.tensor([9000, 5000])[:, None, None]
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(tmp_path)
    model = transformers.WhisperModel.from_pretrained(tmp_path).eval().get_encoder()
    with torch.no_grad():
        features = encoder(waves, valid)
        for row, length in enumerate((9000, 5000)):
            own = extractor(waves[row, 0, :length].numpy(), sampling_rate=16000, return_tensors="pt").input_features
            padded = torch.nn.functional.pad(waves[row, :, :length], (0, 16000 - length))
            torch.testing.assert_close(encoder.spectrograms(padded), own, rtol=1e-4, atol=1e-4)
            places = -(-length // 320)
            hidden = model(own).last_hidden_state[0, :places]
            torch.testing.assert_close(features.pooled[row], hidden.mean(dim=0), rtol=1e-4, atol=1e-4)
            assert features.mask is not None
            assert int(features.mask[row].sum()) == places
    check_encoder(encoder)


def test_whisper_refuses_other_waveforms_and_folders(tmp_path: Path) -> None:
    name = whisper(tmp_path)
    with pytest.raises(UsageError, match="were trained on waveforms at 16,000 Hz, and these have 8,000 Hz"):
        create_encoder(name, init="pretrained", takes=waves_of(8000))
    encoder = create_encoder(name, init="pretrained", takes=waves_of(16000))
    with pytest.raises(UsageError, match=r"waveforms of 16,001 samples .* takes 16,000 at most"):
        encoder(torch.ones(1, 1, 16001))
    assert encoder(torch.nn.functional.pad(torch.ones(1, 1, 16000), (0, 100))).map.shape == (1, 16, 50)
    whisper(tmp_path, chunk_length=2)
    with pytest.raises(UsageError, match=r"gives 20 × 200 numbers, and the model takes 20 × 100"):
        create_encoder(name, init="pretrained", takes=waves_of(16000))
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(UsageError, match="doesn't say how spectrograms are made"):
        create_encoder(name, init="pretrained", takes=waves_of(16000))


def test_other_models_with_a_decoder_are_refused(tmp_path: Path) -> None:
    small = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2, "vocab_size": 20}
    transformers.T5Model(transformers.T5Config(**small)).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match=r"holds an encoder with a decoder \(t5\)"):
        create_encoder(f"transformers:{tmp_path}", init="pretrained")
