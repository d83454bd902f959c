"""Hand-made features and the encoder of segments, against loops over segments."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder
from ssl_domains_audio.encoders import segment_means
from ssl_domains_audio.features import log_mel_statistics

MEL = InputSpec("mel", 1, (40, None))


def test_statistics_are_means_and_deviations_of_each_quarter() -> None:
    x = np.random.default_rng(0).normal(size=(3, 1, 5, 20)).astype(np.float32)
    found = log_mel_statistics(x)
    assert found.shape == (3, 40)
    for quarter in range(4):
        part = x[:, 0, :, 5 * quarter : 5 * quarter + 5]
        np.testing.assert_allclose(found[:, 10 * quarter : 10 * quarter + 5], part.mean(2), atol=1e-6)
        np.testing.assert_allclose(found[:, 10 * quarter + 5 : 10 * quarter + 10], part.std(2), atol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_short_sounds_have_statistics_too(frames: int) -> None:
    found = log_mel_statistics(np.ones((1, 1, 4, frames)))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.reshape(4, 2, 4)[:, 0], 1)


def test_waveforms_are_refused() -> None:
    with pytest.raises(UsageError, match="need spectrograms"):
        log_mel_statistics(np.zeros((2, 1, 100)))


def test_the_encoder_keeps_its_contract_with_and_without_differing_lengths() -> None:
    check_encoder(create_encoder("mel_conv", takes=MEL))
    check_encoder(create_encoder("mel_conv", takes=InputSpec("mel", 1, (40, 45))))


@pytest.mark.parametrize("frames", [1, 3, 4, 5, 12])
def test_a_segment_is_the_mean_over_its_quarter_of_the_valid_length(frames: int) -> None:
    """By a fine grid: each place is 840 equal slivers, and a segment is a quarter of all of them."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 8, 3, 12, generator=generator, dtype=torch.float64)
    valid = torch.zeros(2, 1, 3, 12, dtype=torch.bool)
    valid[:, :, :, :frames] = True
    found = segment_means(features * valid, valid)
    slivers = features[:, :, :, :frames].mean(dim=2).repeat_interleave(840, dim=2)
    for segment, quarter in enumerate(slivers.chunk(4, dim=2)):
        channels = slice(2 * segment, 2 * segment + 2)
        torch.testing.assert_close(found[:, channels], quarter[:, channels].mean(dim=2), rtol=1e-5, atol=1e-6)


def test_a_sound_and_its_reversal_differ_by_the_order_of_their_segments() -> None:
    features = torch.randn(1, 2, 3, 16, generator=torch.Generator().manual_seed(1)).repeat(1, 4, 1, 1)
    forwards, backwards = (segment_means(x, None).view(4, 2) for x in (features, features.flip(3)))
    torch.testing.assert_close(forwards, backwards.flip(0))
    assert not torch.allclose(forwards, backwards)


@pytest.mark.parametrize(("takes", "init"), [(InputSpec("wave", 1, (None,)), "random"), (MEL, "pretrained")])
def test_waveforms_and_weights_that_do_not_exist_are_refused(takes: InputSpec, init: str) -> None:
    with pytest.raises(UsageError) as error:
        create_encoder("mel_conv", takes=takes, init=init)  # type: ignore[arg-type]
    assert error.value.hint
