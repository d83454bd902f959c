"""The pass over contents: level, silence, clipping, opposite channels, equal contents; and going on after a kill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ssl_domains.samples import ScanSession, scan_session
from ssl_domains_audio.files import full_scale
from ssl_domains_audio.files.arrays import readable
from ssl_domains_audio.reader import AudioReader
from ssl_domains_audio.scanning import contents
from ssl_domains_audio.scanning.contents import measured

from .sound_files import chirp, clip, encoded, tone, wav


def test_level_and_peak_by_the_definition(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(3000, 2)) * [0.1, 0.02]
    lazy = readable(clip(tmp_path / "a.wav", values))
    part = full_scale(lazy.read((slice(500, 2500), slice(0, 2)))[0]).astype(np.float64)
    one = measured(lazy, 500, 2500)
    power = (part**2).mean(axis=0)
    mono = (part.mean(axis=1) ** 2).mean()
    assert one.level_db == pytest.approx(10 * np.log10(mono), abs=1e-3)
    assert one.peak == pytest.approx(np.abs(part).max(), abs=1e-6)
    assert one.mono_loss_db == pytest.approx(10 * np.log10(power.max() / mono), abs=1e-3)
    assert (one.channel, one.cause) == (-1, "")


def test_blocks_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lazy = readable(clip(tmp_path / "a.wav", np.stack([chirp(5000), tone(5000)], axis=1)))
    whole = measured(lazy, 0, 5000)
    monkeypatch.setattr(contents, "_BLOCK", 700)
    assert measured(lazy, 0, 5000) == whole


@pytest.mark.parametrize(
    ("values", "cause", "channel"),
    [
        (np.zeros(4000), "silent: every sample is 0", -1),
        (np.full(4000, 0.25), "constant: every sample is 0.25", -1),
        (np.stack([tone(4000), -tone(4000)], axis=1), "antiphase: the channels cancel", 0),
        (np.stack([0.5 * tone(4000), -tone(4000)], axis=1), "antiphase: the channels cancel (12.0 dB", 1),
        (np.stack([0 * tone(4000), tone(4000)], axis=1), "", 1),
        (np.clip(3 * tone(4000), -1, 1), "clipped: ", -1),
        (tone(4000, level=1.0), "", -1),
        (np.stack([tone(4000), tone(4000)], axis=1), "", -1),
    ],
)
def test_what_is_wrong_with_a_recording(tmp_path: Path, values: np.ndarray, cause: str, channel: int) -> None:
    one = measured(readable(clip(tmp_path / "a.wav", values)), 0, 4000)
    assert one.cause.startswith(cause)
    assert bool(one.cause) == bool(cause)
    assert one.channel == channel
    assert np.isfinite([one.level_db, one.peak, one.mono_loss_db]).all()


def test_8_bit_silence_is_silent(tmp_path: Path) -> None:
    one = measured(readable(wav(tmp_path / "a.wav", b"\x80" * 800, bits=8)), 0, 800)
    assert one.cause == "silent: every sample is 0"


def test_samples_that_are_not_finite(tmp_path: Path) -> None:
    values = tone(800).astype("<f4")
    values[5] = np.nan
    one = measured(readable(wav(tmp_path / "a.wav", values.tobytes(), bits=32, tag=3)), 0, 800)
    assert one.cause == "not finite: some samples are NaN or infinite"


def test_equal_contents_whatever_the_container(tmp_path: Path) -> None:
    values = np.frombuffer(encoded(chirp(4000), 16), "<i2")
    clip(tmp_path / "a.wav", chirp(4000))
    clip(tmp_path / "wrong_rate.wav", chirp(4000), rate=16000)
    wav(tmp_path / "float.wav", (values / 32768).astype("<f4").tobytes(), bits=32, tag=3)
    soundfile.write(tmp_path / "b.flac", values, 8000)
    clip(tmp_path / "other.wav", tone(4000))
    scanned = AudioReader().scan(tmp_path)
    table = scanned.samples.frame
    groups = table.group_by("content").len().sort("len")["len"].to_list()
    assert groups == [1, 4]
    assert any(note.startswith("4 samples in 1 group are equal sample by sample") for note in scanned.notes)


def test_what_the_table_and_the_problems_say(tmp_path: Path) -> None:
    clip(tmp_path / "antiphase.wav", np.stack([tone(4000), -tone(4000)], axis=1))
    clip(tmp_path / "good.wav")
    clip(tmp_path / "silent.wav", np.zeros(4000))
    scanned = AudioReader().scan(tmp_path)
    table = scanned.samples.frame
    assert table["channel"].to_list() == [0, None, None]
    assert table["level_db"].to_list()[2] == -120
    assert [(Path(path).name, cause.split(":")[0]) for path, cause in scanned.problems.rows()] == [
        ("antiphase.wav", "antiphase"), ("silent.wav", "silent")
    ]  # fmt: skip
    assert "contents: 1 antiphase, 1 silent; they stay in the table" in scanned.notes


def test_problems_of_cuts_are_counted(tmp_path: Path) -> None:
    clip(tmp_path / "a.wav", np.concatenate([chirp(4000), np.zeros(4000)]))
    scanned = AudioReader().scan(tmp_path, cut=0.25)
    assert scanned.problems["cause"].to_list() == ["2 of its 4 cuts: silent: every sample is 0"]


def test_long_sets_are_not_read_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip(tmp_path / "a.wav")
    monkeypatch.setattr("ssl_domains_audio.reader.HOURS", 0.2 / 3600 - 1e-9)
    scanned = AudioReader().scan(tmp_path)
    assert "level_db" not in scanned.samples.columns
    assert any("were not read" in note and "--contents reads them" in note for note in scanned.notes)
    assert "level_db" in AudioReader().scan(tmp_path, contents=True).samples.columns


def test_a_killed_pass_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        clip(tmp_path / "in" / f"{number}.wav", chirp(4000, stop=900 + number))
    read, real = list[Path](), readable

    def counted(path: Path) -> object:
        if len(read) == 4:
            raise KeyboardInterrupt
        read.append(path)
        return real(path)

    monkeypatch.setattr(contents, "readable", counted)
    journal = tmp_path / ".scanning-out.parquet"

    def scan() -> object:
        with scan_session(ScanSession(journal, "one")):
            return AudioReader().scan(tmp_path / "in", cut=0.25).samples.frame

    with pytest.raises(KeyboardInterrupt):
        scan()
    monkeypatch.setattr(contents, "readable", lambda path: read.append(path) or real(path))
    resumed = scan()
    assert sorted(path.name for path in read) == [f"{number}.wav" for number in range(6)]
    monkeypatch.setattr(contents, "readable", real)
    assert AudioReader().scan(tmp_path / "in", cut=0.25).samples.frame.equals(resumed)
