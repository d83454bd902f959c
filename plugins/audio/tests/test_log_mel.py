"""Log-mel spectrograms: power as librosa's, values in a unit of their own, independent of padding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.testing import check_encoder
from ssl_domains_audio.inputs import LogMel, SoundSettings, empty_filters, log_mel_of, mel_filters
from ssl_domains_audio.inputs.filterbank import hertz_of, mel_of

FSDD = log_mel_of(8_000, SoundSettings())


def waves(lengths: list[int], seed: int = 0) -> Input:
    """Noise of these lengths in one batch, padded with 0."""
    draws = torch.Generator().manual_seed(seed)
    valid = torch.arange(max(lengths))[None, None] < torch.tensor(lengths)[:, None, None]
    values = torch.randn(len(lengths), 1, max(lengths), generator=draws).masked_fill(~valid, 0.0)
    return Input(values, None if bool(valid.all()) else valid, "wave", (0,))


@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize(
    ("rate", "n_fft", "bands", "low", "high"),
    [(8_000, 256, 40, 0.0, 4_000.0), (16_000, 512, 80, 20.0, 7_600.0), (44_100, 2_048, 128, 0.0, 22_050.0)],
)
def test_filters_are_those_of_librosa(rate: int, n_fft: int, bands: int, low: float, high: float, scale: Any) -> None:
    expected = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=bands, fmin=low, fmax=high, htk=scale == "htk", norm="slaney", dtype=np.float64
    )
    np.testing.assert_allclose(mel_filters(rate, n_fft, bands, low, high, scale), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_mels_turn_back_into_hertz(scale: Any) -> None:
    hertz = np.array([0.0, 10.0, 999.0, 1_000.0, 1_001.0, 4_000.0, 20_000.0])
    np.testing.assert_allclose(hertz_of(mel_of(hertz, scale), scale), hertz, atol=1e-9)
    assert mel_of(np.array(1_000.0), "slaney") == pytest.approx(15.0)
    assert mel_of(np.array(1_000.0), "htk") == pytest.approx(999.9855, abs=1e-3)


@pytest.mark.parametrize(
    "made",
    [
        FSDD,
        log_mel_of(16_000, SoundSettings(scale="htk", window=400, hop=160, n_fft=512)),
        log_mel_of(22_050, SoundSettings(low_hz=50.0, high_hz=8_000.0)),
        log_mel_of(44_100, SoundSettings(bands=64, hop=500)),
    ],
)
@pytest.mark.parametrize("samples", [100, 3_999, 4_000])
def test_power_is_that_of_librosa(made: LogMel, samples: int) -> None:
    rng = np.random.default_rng(samples)
    time = np.arange(samples) / made.rate
    clip = (np.sin(2 * np.pi * 440 * time) + 0.1 * rng.normal(size=samples)).astype(np.float32)
    expected = librosa.feature.melspectrogram(
        y=clip, sr=made.rate, n_fft=made.n_fft, hop_length=made.hop, win_length=made.window, n_mels=made.bands,
        fmin=made.low_hz, fmax=made.high_hz, htk=made.scale == "htk", pad_mode="constant",
    )  # fmt: skip
    power = made.power(torch.from_numpy(clip)[None])[0].numpy()
    assert power.shape == expected.shape == (made.bands, made.frames(samples))
    assert np.abs(power - expected).max() <= 1e-5 * expected.max()


def test_white_noise_of_level_1_is_at_0_db_whatever_the_rate_and_window() -> None:
    for made in (FSDD, log_mel_of(16_000, SoundSettings(window=400, n_fft=1_024)), log_mel_of(44_100, SoundSettings())):
        noise = torch.randn(1, 60_000, generator=torch.Generator().manual_seed(1))
        decibels = 10 * (made.power(noise).mean() / made.reference).log10()
        assert abs(float(decibels)) < 0.1
        values = made(Input(noise[:, None], None, "wave", (0,))).values
        # The mean of the logarithm lies below the logarithm of the mean: 2.5 dB for one frequency, less for several.
        assert -3 < float(values.mean()) * 20 + made.floor_db < 0


def test_one_unit_is_20_db_and_silence_is_0() -> None:
    noise = torch.randn(1, 1, 8_000, generator=torch.Generator().manual_seed(1))
    loud, quiet = (FSDD(Input(noise * factor, None, "wave", (0,))).values for factor in (1.0, 0.1))
    torch.testing.assert_close(loud - quiet, torch.ones_like(loud))
    assert torch.equal(FSDD(Input(noise * 0, None, "wave", (0,))).values, torch.zeros_like(loud))
    assert FSDD.spec.pad == 0.0


@given(
    lengths=st.lists(st.integers(1, 2_000), min_size=1, max_size=4),
    more=st.integers(0, 500),
    value=st.sampled_from([0.0, 7.0, float("nan"), float("inf")]),
)
@settings(max_examples=25, deadline=None)
def test_a_clip_has_one_spectrogram_alone_in_a_batch_and_with_padding_of_any_value(
    lengths: list[int], more: int, value: float
) -> None:
    batch = waves(lengths).padded([max(lengths) + more])
    batch = replace(batch, values=batch.values.masked_fill(~batch.with_valid(), value))
    made = FSDD(batch)
    for row, length in enumerate(lengths):
        alone = FSDD(Input(batch.values[row : row + 1, :, :length], None, "wave", (0,))).values[0]
        frames = 1 + length // FSDD.hop
        assert alone.shape[2] == frames
        torch.testing.assert_close(made.values[row, :, :, :frames], alone, atol=1e-5, rtol=0)
        assert bool((made.values[row, :, :, frames:] == 0).all())
        assert made.valid is None or torch.equal(made.valid[row, 0].any(dim=0), torch.arange(made.space[1]) < frames)


def test_an_encoder_gives_a_clip_one_embedding_alone_in_a_batch_and_padded() -> None:
    encoder = create_encoder("small_conv", takes=FSDD.spec).eval()
    batch = waves([700, 4_000, 2_345])
    longer = batch.padded([5_500])
    with torch.no_grad():
        together = encoder(FSDD(batch).values, FSDD(batch).valid).pooled
        padded = FSDD(longer)
        noisy = padded.values.masked_fill(~padded.with_valid(), 5.0)
        for row in range(3):
            alone = FSDD(batch.take(slice(row, row + 1)).trimmed())
            expected = encoder(alone.values, alone.valid).pooled[0]
            torch.testing.assert_close(together[row], expected, atol=1e-4, rtol=0)
            torch.testing.assert_close(encoder(noisy, padded.valid).pooled[row], expected, atol=1e-4, rtol=0)
    check_encoder(encoder)


@pytest.mark.parametrize(
    ("rate", "window", "hop", "bands"),
    [
        (8_000, 256, 80, 40),
        (16_000, 512, 160, 80),
        (22_050, 512, 220, 80),
        (44_100, 1_024, 441, 80),
        (96_000, 4_096, 960, 80),
    ],
)
def test_defaults_follow_from_the_rate(rate: int, window: int, hop: int, bands: int) -> None:
    made = log_mel_of(rate, SoundSettings())
    assert (made.window, made.n_fft, made.hop, made.bands) == (window, window, hop, bands)
    assert (made.low_hz, made.high_hz, made.scale, made.floor_db) == (0.0, rate / 2, "slaney", -60.0)
    assert log_mel_of(rate, SoundSettings(level="fixed")).floor_db == -100.0


def test_empty_filters_are_counted_and_refused_with_settings_that_work() -> None:
    assert empty_filters(16_000, 400, 128, 0, 8_000, "htk") == 4
    with pytest.raises(UsageError, match=r"4 of 128 mel filters \(htk\) are empty at 16,000 Hz") as refused:
        log_mel_of(16_000, SoundSettings(bands=128, window=400, n_fft=400, scale="htk"))
    most = int(refused.value.hint.partition("input.bands=")[2].partition(",")[0])
    more = int(refused.value.hint.partition("input.n_fft=")[2])
    assert empty_filters(16_000, 400, most, 0, 8_000, "htk") == 0
    assert empty_filters(16_000, 400, most + 1, 0, 8_000, "htk") > 0
    assert log_mel_of(16_000, SoundSettings(bands=128, window=400, n_fft=more, scale="htk")).bands == 128


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"high_hz": 5_000.0}, "at a rate of 8,000 Hz"),
        ({"low_hz": 4_000.0}, "mel bands from 4000 to 4000 Hz"),
        ({"window": 600, "n_fft": 512}, "a window of 600 samples, a transform of 512"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        log_mel_of(8_000, SoundSettings(**given))


def test_settings_are_read_back() -> None:
    assert LogMel.from_dict(FSDD.to_dict()) == FSDD
