"""Encoders of pictures of one size embed local views too, and stay what they are for their own size."""

from __future__ import annotations

import pytest
import torch

from ssl_domains.encoders import allow_other_sizes, create_encoder
from ssl_domains.errors import UsageError


def test_a_vit_takes_smaller_pictures_and_keeps_its_output() -> None:
    encoder = create_encoder("test_vit", 3, image_size=64).eval()
    pictures = torch.rand(2, 3, 64, 64)
    before, names = encoder(pictures), set(encoder.state_dict())
    allow_other_sizes(encoder)
    after = encoder(pictures)
    assert torch.equal(before.pooled, after.pooled)
    assert torch.equal(before.map, after.map)
    assert set(encoder.state_dict()) == names
    small = encoder(torch.rand(2, 3, 32, 32))
    assert small.pooled.shape == before.pooled.shape
    assert small.map.shape[-2:] == (2, 2)
    allow_other_sizes(encoder)  # a second time changes nothing
    assert torch.equal(encoder(pictures).pooled, before.pooled)


def test_patches_must_divide_the_size() -> None:
    encoder = create_encoder("test_vit", 3, image_size=64)
    with pytest.raises(
        UsageError, match="local crops of 40 pixels are no multiple of the encoder's patches of 16"
    ) as e:
        allow_other_sizes(encoder, 40)
    assert "method.local_size=32" in e.value.hint


def test_convolutional_networks_take_any_size() -> None:
    encoder = create_encoder("small_conv", 1)
    allow_other_sizes(encoder, 5)
    assert encoder(torch.rand(2, 1, 13, 13)).pooled.shape == (2, 128)
