"""Hand-made features, and the encoder of short sounds."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder
from ssl_domains_audio.features import log_mel_statistics, mfcc_statistics

MEL = InputSpec("mel", 1, (40, None))


def test_statistics_are_means_and_deviations_of_each_quarter() -> None:
    x = np.random.default_rng(0).normal(size=(3, 1, 5, 20)).astype(np.float32)
    found = log_mel_statistics(x)
    assert found.shape == (3, 40)
    for quarter in range(4):
        part = x[:, 0, :, 5 * quarter : 5 * quarter + 5]
        np.testing.assert_allclose(found[:, 10 * quarter : 10 * quarter + 5], part.mean(2), atol=1e-6)
        np.testing.assert_allclose(found[:, 10 * quarter + 5 : 10 * quarter + 10], part.std(2), atol=1e-6)


def test_cepstra_are_those_of_librosa() -> None:
    power = np.random.default_rng(0).normal(size=(2, 1, 40, 8)).astype(np.float32)
    found = mfcc_statistics(power).reshape(2, 4, 2, 13)
    for row in range(2):
        expected = librosa.feature.mfcc(S=power[row, 0].astype(np.float64), n_mfcc=13)
        for quarter in range(4):
            part = expected[:, 2 * quarter : 2 * quarter + 2]
            np.testing.assert_allclose(found[row, quarter, 0], part.mean(1), atol=1e-5)
            np.testing.assert_allclose(found[row, quarter, 1], part.std(1), atol=1e-5)


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
    segmented = create_encoder("mel_conv", takes=MEL, segments=4)
    assert segmented.num_features == 4 * create_encoder("mel_conv", takes=MEL).num_features
    check_encoder(segmented)


@pytest.mark.parametrize(("takes", "init"), [(InputSpec("wave", 1, (None,)), "random"), (MEL, "pretrained")])
def test_waveforms_and_weights_that_do_not_exist_are_refused(takes: InputSpec, init: str) -> None:
    with pytest.raises(UsageError) as error:
        create_encoder("mel_conv", takes=takes, init=init)  # type: ignore[arg-type]
    assert error.value.hint
