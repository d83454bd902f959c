"""From the array of a file to a waveform: type, channel, rate, level, and the choice of settings for a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.testing import check_finish
from ssl_domains.views import InputDataset, preprocess_from_dict, preprocess_to_dict
from ssl_domains_audio.domain import AUDIO
from ssl_domains_audio.inputs import (
    MelPreprocess,
    SoundPreprocess,
    SoundSettings,
    log_mel_of,
    resampled,
    resampled_length,
    sounds_for,
)
from ssl_domains_audio.reader import AudioReader

from .sound_files import encoded, tone, wav


def table(*rates: float) -> SampleTable:
    return SampleTable(pl.DataFrame({"sample": [str(n) for n in range(len(rates))], "path": "x", "rate": list(rates)}))


def folder(path: Path) -> tuple[SampleTable, ArrayStore]:
    """Five recordings: two rates, one stereo, one silent."""
    path.mkdir()
    for number, (count, rate) in enumerate([(4_000, 8_000), (2_500, 8_000), (8_820, 44_100)]):
        wav(path / f"{number}.wav", encoded(tone(count, rate), 16), rate=rate)
    stereo = np.stack([tone(3_000), 0 * tone(3_000)], axis=1)
    wav(path / "3.wav", encoded(stereo.ravel(), 16), channels=2)
    wav(path / "4.wav", encoded(np.zeros(2_000), 16))
    reader = AudioReader()
    samples = reader.scan(path).samples
    return samples, ArrayStore.fill(path.parent / "store", samples, reader)


@given(
    samples=st.integers(1, 10**7),
    native=st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000]),
    rate=st.sampled_from([8_000, 16_000, 22_050]),
)
def test_lengths_are_the_rounded_product_of_seconds_and_rate(samples: int, native: int, rate: int) -> None:
    exact = samples * rate / native
    assert abs(resampled_length(samples, native, rate) - exact) <= 0.5
    assert resampled_length(samples, native, native) == samples


@pytest.mark.parametrize("native", [8_000, 11_025, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("seconds", [0.0003, 0.1, 1.23])
def test_resampling_keeps_the_tone_and_gives_the_exact_length(native: int, seconds: float) -> None:
    count = max(1, round(seconds * native))
    made = resampled(tone(count, native).astype(np.float32), native, 16_000)
    assert len(made) == resampled_length(count, native, 16_000)
    if seconds < 0.1:
        return
    inner = slice(200, len(made) - 200)  # the filter of the resampler sees the ends
    np.testing.assert_allclose(made[inner], tone(len(made), 16_000)[inner], atol=2e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
def test_the_type_of_the_file_changes_nothing(dtype: Any) -> None:
    steps = {np.uint8: 128, np.int16: 2**15, np.int32: 2**31}.get(dtype, 1)
    values = np.rint(tone(800) * 64) / 64
    stored = values * steps + (128 if dtype is np.uint8 else 0)
    made = SoundPreprocess(8_000, "fixed")(stored.astype(dtype)[:, None], {"rate": 8_000})
    np.testing.assert_array_equal(made.values[0, 0].numpy(), values.astype(np.float32))


def test_the_level_is_that_of_the_recording_or_of_the_file() -> None:
    array = (0.1 + 0.01 * tone(4_000)).astype(np.float32)
    made = SoundPreprocess(8_000)(array, {"rate": 8_000}).values.double()
    assert float(made.mean()) == pytest.approx(0.0, abs=1e-6)
    assert float(made.square().mean()) == pytest.approx(1.0, abs=1e-6)
    fixed = SoundPreprocess(8_000, "fixed")(array, {"rate": 8_000}).values
    np.testing.assert_array_equal(fixed[0, 0].numpy(), array)


@pytest.mark.parametrize("value", [0.0, 0.3, -1.0, 1e-9])
@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_silence_and_constants_become_0(value: float, rate: int) -> None:
    made = SoundPreprocess(rate)(np.full((4_000, 1), value, dtype=np.float32), {"rate": 8_000})
    assert not made.values.any()


def test_the_mean_of_the_channels_or_the_named_one() -> None:
    both = np.stack([tone(800), 0.5 * tone(800, hz=100)], axis=1).astype(np.float32)
    fixed = SoundPreprocess(8_000, "fixed")
    np.testing.assert_allclose(fixed(both, {"rate": 8_000}).values[0, 0], both.mean(axis=1), atol=1e-7)
    for channel in (0, 1):
        named = fixed(both, {"rate": 8_000, "channel": channel}).values[0, 0]
        np.testing.assert_array_equal(named, both[:, channel])
    with pytest.raises(DataError, match="channel 2 of a recording with 2"):
        fixed(both, {"rate": 8_000, "channel": 2})


def test_numbers_that_are_not_finite_become_0() -> None:
    array = tone(800).astype(np.float32)
    array[[3, 5]] = np.nan, np.inf
    made = SoundPreprocess(8_000, "fixed")(array, {"rate": 8_000}).values[0, 0].numpy()
    assert made[3] == made[5] == 0.0
    assert np.isfinite(made).all()


@pytest.mark.parametrize("facts", [None, {}, {"rate": None}, {"rate": 0}])
def test_a_recording_without_a_rate_is_an_error(facts: Any) -> None:
    with pytest.raises(DataError, match="sampling rate"):
        SoundPreprocess(8_000)(tone(80), facts)


def test_the_most_common_rate_is_taken_and_others_are_said() -> None:
    made = sounds_for(table(16_000, 16_000, 8_000, 44_100))
    assert isinstance(made, MelPreprocess)
    assert made.sound.rate == made.mel.rate == 16_000
    assert "2 of 4 recordings resampled" in made.fitted[0]
    assert "--set input.rate=8000" in made.fitted[1]
    assert "no empty filter" in made.fitted[-1]
    assert len(sounds_for(table(8_000, 8_000)).fitted) == 2
    with pytest.raises(DataError, match="no row has a sampling rate"):
        sounds_for(table(0.0))


@pytest.mark.parametrize(
    "settings",
    [{}, {"form": "wave"}, {"bands": 20, "hop": 100, "level": "fixed", "high_hz": 3_000.0}, {"rate": 11_025}],
)
def test_recorded_settings_give_the_preprocess_for_every_table(settings: dict[str, Any]) -> None:
    made = AUDIO.preprocess_for(table(8_000), settings)
    again = AUDIO.preprocess_for(table(44_100, 44_100), made.settings)  # type: ignore[union-attr]
    assert again.spec == made.spec  # type: ignore[union-attr]
    assert again.settings == made.settings  # type: ignore[union-attr]
    assert preprocess_from_dict(preprocess_to_dict(made)) == made  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["bands", "window", "hop", "n_fft", "high_hz", "low_hz"])
def test_settings_of_spectrograms_are_refused_for_waveforms(name: str) -> None:
    value = 100.0 if name.endswith("hz") else 100
    with pytest.raises(UsageError, match=f"input.{name} belongs to spectrograms"):
        sounds_for(table(8_000), SoundSettings.model_validate({"form": "wave", name: value}))


def test_recordings_of_a_folder_are_loaded_as_waves_and_cached(tmp_path: Path) -> None:
    samples, store = folder(tmp_path / "data")
    made = sounds_for(samples)
    cached = InputDataset(samples, store, made, cache_gb=0.1)
    read = InputDataset(samples, store, made, cache_gb=0.0)
    assert cached.cached
    rows = list(range(len(samples)))
    for _ in range(2):  # filled, then read
        one, two = cached.__getitems__(rows)["input"], read.__getitems__(rows)["input"]
        assert one.kind == "wave"
        assert one.lengths.tolist() == two.lengths.tolist() == [4_000, 2_500, 1_600, 3_000, 2_000]
        np.testing.assert_array_equal(one.values, two.values)
    finished = cached.finish(one)
    assert finished.kind == "mel"
    assert finished.space == (40, 51)
    check_finish(made, one)


def test_rows_without_a_rate_are_refused_before_any_is_read(tmp_path: Path) -> None:
    samples, store = folder(tmp_path / "data")
    unknown = SampleTable(samples.frame.with_columns(pl.lit(None, pl.Int64).alias("rate")))
    with pytest.raises(DataError, match="5 rows have no sampling rate"):
        InputDataset(unknown, store, SoundPreprocess(8_000))


def test_a_spectrogram_is_shown_with_high_frequencies_at_the_top() -> None:
    preprocess = MelPreprocess(SoundPreprocess(8000), log_mel_of(8000, SoundSettings(bands=20)))
    low = np.sin(2 * np.pi * 200 * np.arange(4000) / 8000).astype(np.float32)[:, None]
    picture = preprocess.shown(preprocess(low, {"rate": 8000}))
    assert picture.shape[:2] == (1, 20)
    assert int(picture[0, :, 10:-10].mean(dim=1).argmax()) > 15
