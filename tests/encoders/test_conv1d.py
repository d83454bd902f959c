from __future__ import annotations

import math

import pytest
import torch

from ssl_domains.encoders import Conv1d, MaskedEncoder, create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, InputSpec


def test_every_length_gives_a_map_of_length_by_stride() -> None:
    model = Conv1d(3).eval()
    assert 0.1e6 < sum(parameter.numel() for parameter in model.parameters()) < 0.3e6
    for length in (1, 2, 63, 64, 65, 1000):
        x = torch.rand(2, 3, length)
        assert model.forward_features(x).shape == (2, model.num_features, math.ceil(length / 64))
        assert model(x).shape == (2, model.num_features)


def test_widths_and_strides_are_free() -> None:
    model = Conv1d(1, widths=(8, 16, 24), strides=(2, 3, 2))
    assert model.num_features == 24
    assert model.forward_features(torch.rand(2, 1, 25)).shape == (2, 24, math.ceil(25 / 12))
    encoder = MaskedEncoder(model, "narrow", InputSpec("wave", 1, (None,)))
    assert encoder.num_features == 24


def test_conv1d_by_name_takes_one_channel_of_any_length_and_comes_from_the_seed() -> None:
    one, two = create_encoder("conv1d", seed=4), create_encoder("conv1d", seed=4)
    assert one.takes == InputSpec("wave", 1, (None,))
    assert create_encoder("conv1d", 5).in_chans == 5
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    other = create_encoder("conv1d", seed=5).state_dict()
    assert any(not torch.equal(value, other[name]) for name, value in one.state_dict().items())
    features = one(torch.rand(2, 1, 400))
    assert features.pooled.shape == (2, one.num_features)
    assert features.map.shape == (2, one.num_features, 7)
    assert features.mask is None


def test_what_conv1d_cannot_do_is_refused() -> None:
    with pytest.raises(UsageError, match="one side, not 2"):
        create_encoder("conv1d", takes=InputSpec("mel", 1, (80, None)))
    with pytest.raises(UsageError, match="no pre-trained weights for the encoder 'conv1d'"):
        create_encoder("conv1d", init="pretrained")


def test_recordings_of_4_to_12_seconds_have_the_same_features_alone_and_in_a_batch() -> None:
    encoder = create_encoder("conv1d", takes=InputSpec("wave", 12, (None,)), seed=1).eval()
    draws = torch.Generator().manual_seed(0)
    lengths = (1000, 3000, 1777, 2049)  # at 250 Hz
    recordings = [torch.randn(1, 12, length, generator=draws) for length in lengths]
    batch = Input.cat([Input(one, None, "wave", (0,)) for one in recordings])
    values = batch.values.masked_fill(~batch.with_valid(), float("nan"))
    with torch.no_grad():
        together = encoder(values, batch.valid).pooled
        alone = torch.cat([encoder(one).pooled for one in recordings])
        places = encoder(values, batch.valid).mask
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert places is not None
    assert places.flatten(1).sum(dim=1).tolist() == [math.ceil(length / 64) for length in lengths]
