"""The encoder of waveform and spectrogram: what its two networks give apart, padding, stages and refusals."""

from __future__ import annotations

import json

import pytest
import torch

from ssl_domains.encoders import Encoder, create_encoder, encoder_stages
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder
from ssl_domains_audio.encoders import FormatsEncoder
from ssl_domains_audio.inputs import FormatsPreprocess, SoundSettings, log_mel_of, log_mel_of_spec

MEL = log_mel_of(8000, SoundSettings(bands=20))
SPEC = FormatsPreprocess(8000, mel=MEL).spec


def made(seed: int = 0) -> FormatsEncoder:
    encoder = create_encoder("wave+mel", takes=SPEC, seed=seed)
    assert isinstance(encoder, FormatsEncoder)
    return encoder


def test_the_spectrogram_of_the_encoder_travels_with_the_form_of_its_input() -> None:
    read = InputSpec.from_dict(json.loads(json.dumps(SPEC.to_dict())))
    assert read == SPEC
    assert hash(read) == hash(SPEC)
    assert log_mel_of_spec(read) == MEL
    assert log_mel_of_spec(InputSpec("wave", 1, (None,), facts=(("rate", 8000), ("tuning", 440)))) is None
    plain = InputSpec("wave", 1, (None,))
    assert "facts" not in plain.to_dict()
    assert InputSpec.from_dict(plain.to_dict()) == plain != SPEC


def test_features_are_those_of_the_two_networks_one_after_the_other() -> None:
    encoder = made().eval()
    waves = torch.randn(3, 1, 4000, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        features = encoder(waves)
        wave = encoder.branches["wave"](waves)
        mel = encoder.branches["mel"](MEL(SPEC.input(waves)).values)
    assert encoder.num_features == 256
    assert torch.equal(features.pooled, torch.cat([wave.pooled, mel.pooled], dim=1))
    assert torch.equal(features.map[:, :128], wave.map)
    # A place of the waveform's map begins every 64 samples, one of the spectrogram's every 8 frames of 80 samples.
    expected = torch.stack([mel.map.mean(dim=2)[:, :, place * 64 // 640] for place in range(wave.map.shape[2])], dim=2)
    torch.testing.assert_close(features.map[:, 128:], expected)


def test_a_recording_has_the_same_features_alone_in_a_batch_and_padded() -> None:
    check_encoder(made())


def test_weights_come_from_the_seed() -> None:
    one, two, other = made(1).state_dict(), made(1).state_dict(), made(2).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_stages_hold_every_parameter_once_the_last_ones_together() -> None:
    encoder = made()
    stages = encoder_stages(encoder)
    names = [name for stage in stages for name in stage]
    assert sorted(names) == sorted(name for name, _ in encoder.named_parameters())
    assert all({name.split(".")[1] for name in stage} == {"wave", "mel"} for stage in stages[-3:])


@pytest.mark.parametrize(
    "takes", [MEL.spec, InputSpec("wave", 1, (None,)), InputSpec("image", 3, (32, 32))], ids=["mel", "wave", "picture"]
)
def test_an_input_that_names_no_spectrogram_is_refused(takes: InputSpec) -> None:
    with pytest.raises(UsageError, match=r"takes waveforms with the settings of a spectrogram") as caught:
        create_encoder("wave+mel", takes=takes)
    assert caught.value.hint == "--set input.form=wave+mel"


def test_there_are_no_pretrained_weights() -> None:
    with pytest.raises(UsageError, match=r"no pre-trained weights for the encoder wave\+mel"):
        create_encoder("wave+mel", takes=SPEC, init="pretrained")
    assert isinstance(made(), Encoder)


def test_both_networks_pool_segments_of_each_recording() -> None:
    encoder = create_encoder("wave+mel_conv", takes=SPEC, segments=3)
    check_encoder(encoder)
    encoder.eval()
    waves = torch.randn(2, 1, 4000, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        features = encoder(waves)
    assert features.pooled.shape == (2, encoder.num_features) == (2, 3 * encoder.map_features)
    assert features.map.shape[1] == encoder.map_features
    # The mean over the segments is the mean over the whole recording.
    torch.testing.assert_close(
        features.pooled[:, : 3 * 128].reshape(2, 3, 128).mean(1), features.map[:, :128].mean(2), atol=1e-5, rtol=1e-4
    )
