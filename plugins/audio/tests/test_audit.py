"""The audit of splits of recordings, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ssl_domains.audit.near import ALIKE
from ssl_domains.audit.perceptual import hamming, look
from ssl_domains.cli.app import run
from ssl_domains.samples import read_table
from ssl_domains_audio.demo.clips import draw_clips
from ssl_domains_audio.near_picture import near_picture

from .sound_files import chirp, clip, encoded, tone

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        code = run([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def voice(seed: int, count: int = 6000, rate: int = 8000) -> np.ndarray:
    """Two seconds of sound at most, unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    t = np.arange(count) / rate
    parts = []
    for hz in rng.uniform(150, 3000, 5):
        phase = 2 * np.pi * (hz * t + rng.uniform(-300, 300) * t**2)
        parts.append(rng.uniform(0.02, 0.1) * np.sin(phase) * np.hanning(count) ** rng.uniform(0.2, 2))
    return np.sum(parts, axis=0)


def test_a_random_split_of_takes_leaks(tmp_path: Path, command: Command) -> None:
    for number, name in enumerate(("1-100032-A-0", "1-100032-B-0", "2-100210-A-1", "3-144028-A-0")):
        clip(tmp_path / "audio" / f"{name}.wav", voice(number))
    (tmp_path / "split.csv").write_text(
        "filename,part\n1-100032-A-0.wav,train\n1-100032-B-0.wav,test\n2-100210-A-1.wav,train\n3-144028-A-0.wav,test\n"
    )
    words = ["audio", "scan", tmp_path / "audio", "-o", tmp_path / "t.parquet", "--join", tmp_path / "split.csv"]
    assert command(*words, "--on", "sample=filename")[0] == 0
    code, printed = command("splits", "audit", tmp_path / "t.parquet", "--split", "part", "--names")
    assert code == 4
    assert "1 of 2 groups of 'source' in test are in train as well (100032)" in printed
    assert command("splits", "audit", tmp_path / "t.parquet", "--split", "fold")[0] == 0


def test_copies_in_other_containers_leak(tmp_path: Path, command: Command) -> None:
    values = np.frombuffer(encoded(voice(0), 16), "<i2")
    clip(tmp_path / "in" / "train" / "a.wav", voice(0))
    clip(tmp_path / "in" / "train" / "b.wav", voice(1))
    (tmp_path / "in" / "test").mkdir()
    soundfile.write(tmp_path / "in" / "test" / "c.flac", values, 8000)
    clip(tmp_path / "in" / "test" / "d.wav", voice(2))
    out = tmp_path / "t.parquet"
    command("audio", "scan", tmp_path / "in", "-o", out, "--folders", "part")
    code, printed = command("splits", "audit", out, "--split", "part")
    assert code == 4
    assert "1 samples of train (50 %) are duplicates of 1 of test (decoded)" in printed or (
        "1 samples of test (50 %) are duplicates of 1 of train (decoded)" in printed
    )


def test_cuts_of_one_recording_and_the_coarser_site(tmp_path: Path, command: Command) -> None:
    for number, site in enumerate(("north", "north", "south", "south")):
        clip(tmp_path / "in" / site / f"{number}.wav", chirp(8000, stop=900 + 300 * number))
    out = tmp_path / "t.parquet"
    words = ["audio", "scan", tmp_path / "in", "-o", out, "--cut", 0.25, "--folders", "site"]
    code, printed = command(*words, "--split-by", "recording", "--test", 0.25)
    assert code == 0
    frame = read_table(out).frame
    cut = frame.group_by("site").agg(pl.col("split").n_unique()).filter(pl.col("split") > 1).height > 0
    assert cut  # with this seed, one recording of a site is held out
    assert "the split cuts a coarser group, 'site'" in printed
    code, printed = command("splits", "audit", out, "--split", "split", "--json")
    found = json.loads(printed)
    assert code == 0
    assert [one["what"] for one in found["findings"] if one["check"] == "group"] == ["recording"]
    assert any("coarser" in note for note in found["notes"])
    printed = command(*words, "--split-by", "site", "--test", 0.5)[1]
    assert "coarser" not in printed


def test_near_copies_of_another_level_rate_and_codec() -> None:
    base = look(near_picture((32768 * voice(0)).astype(np.int16)[:, None], {"rate": 8000}))
    fine = voice(0, 12000, 16000)[:, None].astype(np.float32)

    def near(values: np.ndarray, rate: int, channel: int | None = None) -> bool:
        other = look(near_picture(values, {"rate": rate, "channel": channel}))
        bits = int(hamming(np.array([base[0]]), np.array([other[0]]))[0])
        return bits <= 4 and float(base[1].astype(np.float32) @ other[1].astype(np.float32)) >= ALIKE

    assert near(0.2 * voice(0)[:, None], 8000)
    assert near(fine, 16000)
    assert near(np.hstack([0 * fine, fine]), 16000, 1)
    assert not near(voice(1)[:, None], 8000)
    assert not near(tone(6000)[:, None], 8000)


def looks_near(one: np.ndarray, other: np.ndarray) -> bool:
    first, second = (look(near_picture(values[:, None], {"rate": 8000})) for values in (one, other))
    bits = int(hamming(np.array([first[0]]), np.array([second[0]]))[0])
    return bits <= 4 and float(first[1].astype(np.float32) @ second[1].astype(np.float32)) >= ALIKE


def test_near_copies_that_begin_20_ms_earlier_or_later() -> None:
    """Nearly all of 30 words, cut or filled up with silence at an end or moved; and no other take of a word."""
    clips = [draw_clips(0)[number].sound() for number in range(0, 1080, 36)]
    silence = np.zeros(160)
    rng = np.random.default_rng(0)
    for copy in (
        lambda one: one[160:],
        lambda one: np.r_[silence, one],
        lambda one: np.r_[one[160:], silence],
        lambda one: np.r_[silence, one[:-160]],
    ):
        copies = [0.8 * copy(one) + rng.normal(0, 3e-4, len(copy(one))) for one in clips]
        assert sum(looks_near(*pair) for pair in zip(clips, copies, strict=True)) >= 24
        assert not any(looks_near(*pair) for pair in zip(clips, copies[1:], strict=False))


def test_a_click_is_not_all_of_a_recording() -> None:
    """Two noises with the same loud click: what is around it counts."""
    rng = np.random.default_rng(0)
    noises = [np.convolve(rng.normal(0, 0.02, 16000), rng.normal(0, 1, 20), "same") for _ in range(2)]
    for noise in noises:
        noise[8000:8080] += 0.5 * np.hanning(80) * np.sin(np.arange(80))
    assert not looks_near(*noises)


def test_near_pictures_of_odd_recordings() -> None:
    for array in (np.zeros((300, 1), np.int16), np.zeros((5, 2), np.float32), tone(200_000)[:, None]):
        picture = near_picture(array, {"rate": 8000})
        assert picture.shape[0] == 32
        assert np.isfinite(picture).all()


def test_a_folder_of_esc50_is_split_by_its_folds(tmp_path: Path, command: Command) -> None:
    for number, name in enumerate(("1-100032-A-0", "1-100032-B-0", "2-100210-A-1", "4-144028-A-0", "3-9-A-1")):
        clip(tmp_path / "audio" / f"{name}.wav", voice(number))
    code, printed = command("audio", "scan", tmp_path / "audio", "-o", tmp_path / "t.parquet")
    assert code == 0
    assert "split by the folds of the data set: fold 4 is held out, 3 are for training" in printed
    table = read_table(tmp_path / "t.parquet")
    sides = dict(table.frame.select("sample", "split").rows())
    assert [name for name, side in sides.items() if side == "test"] == ["4-144028-A-0.wav"]
    assert table.meta.group == "fold"
    assert command("splits", "audit", tmp_path / "t.parquet", "--split", "split")[0] == 0
    words = ["audio", "scan", tmp_path / "audio", "-o", tmp_path / "u.parquet", "--split-by", "source"]
    assert command(*words)[0] == 0
    assert read_table(tmp_path / "u.parquet").meta.group == "source"


def test_shared_places_of_recordings_are_values_and_not_pixels(tmp_path: Path, command: Command) -> None:
    clip(tmp_path / "in" / "a.wav", voice(1))
    words = ["audio", "scan", tmp_path / "in", "-o", tmp_path / "t.parquet", "--cut", "0.25", "--every", "0.125"]
    assert command(*words)[0] == 0
    frame = read_table(tmp_path / "t.parquet").frame
    (tmp_path / "side.csv").write_text(
        "\n".join(["id,part", *(f"{name},{'ab'[row % 2]}" for row, name in enumerate(frame["sample"]))])
    )
    assert command(*words, "--join", tmp_path / "side.csv", "--on", "sample=id")[0] == 0
    code, printed = command("splits", "audit", tmp_path / "t.parquet", "--split", "part", "--no-contents")
    assert code == 4
    assert "of the values of b lie inside samples of a" in printed
    assert "pixels" not in printed
