"""Thumbnails and sounds of samples: where tones stand in a picture, and what a browser gets to play."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from ssl_domains_audio.report import thumbnail, wav_of


def tone(hz: float, seconds: float = 0.5, rate: int = 8000, amplitude: float = 0.5) -> np.ndarray[Any, Any]:
    """A tone, int16 ``[t, 1]``."""
    times = np.arange(round(seconds * rate)) / rate
    return np.rint(amplitude * 32767 * np.sin(2 * np.pi * hz * times)).astype(np.int16)[:, None]


def brightness(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return picture.astype(float).sum(axis=2)


def row_of(hz: float, rate: float) -> float:
    """Row of a frequency on a mel scale of 96 rows, from the top."""
    return 95 - 96 * np.log1p(hz / 700) / np.log1p(rate / 2 / 700)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("hz", [300.0, 1000.0, 3000.0])
def test_a_tone_is_a_line_at_its_frequency(hz: float, rate: int) -> None:
    picture = thumbnail(tone(hz, rate=rate), {"rate": rate})
    assert picture.shape == (96, 96, 3)
    assert picture.dtype == np.uint8
    middle = brightness(picture)[:, 48]
    assert abs(middle.argmax() - row_of(hz, rate)) <= 4
    assert middle.max() - np.median(middle) > 300


def test_time_runs_to_the_right_and_high_frequencies_are_at_the_top() -> None:
    rising = np.concatenate([tone(300), tone(3000)])
    rows = brightness(thumbnail(rising, {"rate": 8000})).argmax(axis=0)
    assert rows[20] > 60
    assert rows[75] < 25


def test_the_picture_does_not_depend_on_the_level_and_silence_is_dark() -> None:
    loud, quiet = (thumbnail(tone(700, amplitude=level), {"rate": 8000}) for level in (0.9, 0.09))
    assert np.abs(brightness(loud) - brightness(quiet)).mean() < 12
    silent = thumbnail(np.zeros((4000, 2), dtype=np.int16), {"rate": 8000})
    assert np.ptp(silent.reshape(-1, 3), axis=0).max() == 0
    assert silent.max() <= 40


def test_the_channel_that_the_table_names_is_shown() -> None:
    both = np.concatenate([tone(300), tone(3000)], axis=1)
    low, high = (brightness(thumbnail(both, {"rate": 8000, "channel": c}))[:, 48].argmax() for c in (0, 1))
    assert low > 60
    assert high < 25


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (100, 1), (200_000, 1)])
@pytest.mark.parametrize("rate", [None, 8000.0, 96_000.0])
def test_any_length_and_rate_has_a_picture(shape: tuple[int, int], rate: float | None) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)
    noise[0] = np.nan
    assert thumbnail(noise, {"rate": rate}).shape == (96, 96, 3)


def played(array: np.ndarray[Any, Any], **row: Any) -> tuple[np.ndarray[Any, Any], int]:
    made = wav_of(array, row)
    assert made is not None
    assert soundfile.info(io.BytesIO(made)).subtype == "PCM_16"
    return soundfile.read(io.BytesIO(made), dtype="int16", always_2d=True)


def test_a_16_bit_clip_is_played_sample_by_sample() -> None:
    clip = tone(440)
    values, rate = played(clip, rate=8000)
    assert rate == 8000
    np.testing.assert_array_equal(values, clip)


@pytest.mark.parametrize(
    ("array", "peak"),
    [
        (np.array([[0], [255]], dtype=np.uint8).repeat(50, axis=0), [-32768, 32512]),
        (np.array([[-(2**31)], [2**30]], dtype=np.int32).repeat(50, axis=0), [-32768, 16384]),
        (np.array([[-1.5], [0.5]], dtype=np.float32).repeat(50, axis=0), [-32768, 16384]),
        (np.array([[np.nan], [0.5]], dtype=np.float64).repeat(50, axis=0), [0, 16384]),
    ],
    ids=["uint8", "int32", "float32", "float64"],
)
def test_every_type_of_file_is_played_at_its_level(array: np.ndarray[Any, Any], peak: list[int]) -> None:
    values, _ = played(array, rate=8000)
    assert [values.min(), values.max()] == peak


def test_two_channels_stay_two_unless_the_table_names_one() -> None:
    both = np.concatenate([tone(300), tone(900)], axis=1)
    np.testing.assert_array_equal(played(both, rate=8000)[0], both)
    np.testing.assert_array_equal(played(both, rate=8000, channel=1)[0], both[:, 1:])
    four = np.concatenate([both, both], axis=1)
    assert played(four, rate=8000)[0].shape == (4000, 1)


def test_a_high_rate_is_resampled_and_a_long_sample_is_cut() -> None:
    values, rate = played(tone(440, seconds=5, rate=44_100), rate=44_100.0)
    assert rate == 16_000
    assert len(values) == 48_000
    spectrum = np.abs(np.fft.rfft(values[:16_000, 0]))
    assert spectrum.argmax() == 440
    stereo = np.repeat(tone(440, seconds=5, rate=44_100), 2, axis=1)
    made = wav_of(stereo, {"rate": 44_100})
    assert made is not None
    assert len(made) < 100_100
    assert played(tone(40, rate=1000), rate=1000)[1] == 4000


@pytest.mark.parametrize("rate", [None, 0])
def test_without_a_rate_nothing_can_be_played(rate: Any) -> None:
    assert wav_of(tone(440), {"rate": rate}) is None
    assert wav_of(np.zeros((0, 1), dtype=np.int16), {"rate": 8000}) is None
