"""The reader: samples, problems and notes of a scan, and arrays in place or decoded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError
from ssl_domains.stores import ArrayStore
from ssl_domains.testing import check_reader
from ssl_domains_audio.reader import AudioReader

from .sound_files import chirp, clip, encoded, tone, wav


def mixed_folder(folder: Path) -> Path:
    """One file of each of several kinds, of one and two channels and three rates."""
    stereo = np.stack([tone(4000), tone(4000, hz=600)], axis=1)
    clip(folder / "a" / "short.wav")
    clip(folder / "a" / "stereo.wav", stereo)
    wav(folder / "b" / "deep.wav", encoded(tone(900), 24), bits=24, rate=16000)
    wav(folder / "b" / "bytes.wav", encoded(tone(900), 8), bits=8)
    wav(folder / "b" / "big.wav", encoded(tone(900), 16, ">"), riff=b"RIFX")
    soundfile.write(folder / "b" / "c.flac", stereo, 44100)
    soundfile.write(folder / "b" / "d.ogg", tone(6000), 8000)
    (folder / "readme.txt").write_text("not a recording")
    return folder


@pytest.mark.parametrize("options", [{}, {"cut": 0.1, "every": 0.05}, {"contents": False, "folders": "site"}])
def test_the_reader(tmp_path: Path, options: dict[str, object]) -> None:
    scanned = check_reader(AudioReader(), mixed_folder(tmp_path), load=20, **options)
    assert len(scanned.problems) == 0


def test_columns_of_whole_recordings(tmp_path: Path) -> None:
    table = AudioReader().scan(mixed_folder(tmp_path)).samples.frame.sort("sample")
    assert table["sample"].to_list() == [
        "a/short.wav", "a/stereo.wav", "b/big.wav", "b/bytes.wav", "b/c.flac", "b/d.ogg", "b/deep.wav"
    ]  # fmt: skip
    assert "region" not in table.columns
    assert table["rate"].to_list() == [8000, 8000, 8000, 8000, 44100, 8000, 16000]
    assert table["channels"].to_list() == [1, 2, 1, 1, 2, 1, 1]
    np.testing.assert_allclose(table["seconds"], [0.2, 0.5, 0.1125, 0.1125, 4000 / 44100, 0.75, 900 / 16000])


def test_notes(tmp_path: Path) -> None:
    notes = AudioReader().scan(mixed_folder(tmp_path)).notes
    assert notes[0] == (
        "mixed rates: 8,000 Hz (5), 16,000 Hz (1), 44,100 Hz (1); 2 samples are resampled to 8,000 Hz, the most "
        "common (of equally common ones the lowest)"
    )
    assert notes[1].startswith(
        "stereo to mono: 2 recordings of 2 channels; the mean of the channels is taken, which loses"
    )
    assert "passed over as no recordings: 1 .txt" in notes
    assert any("the files lie in 2 folders (a, b): --folders site" in note for note in notes)


def test_what_is_left_out(tmp_path: Path) -> None:
    clip(tmp_path / "empty.wav", np.empty(0))
    clip(tmp_path / "good.wav")
    clip(tmp_path / "short.wav", tone(80))
    (tmp_path / "nothing.wav").write_bytes(b"")
    (tmp_path / "page.mp3").write_bytes(b"<html>404</html>")
    (tmp_path / "locked.wav").symlink_to(tmp_path / "gone.wav")
    scanned = AudioReader().scan(tmp_path)
    assert scanned.samples.frame["sample"].to_list() == ["good.wav"]
    causes = {Path(path).name: cause for path, cause in scanned.problems.rows()}
    assert causes == {
        "empty.wav": "no samples",
        "short.wav": "10 ms, shorter than one 32-ms window",
        "nothing.wav": "no recording: the file is empty",
        "page.mp3": "no recording: the file is HTML",
        "locked.wav": "a link to a file that is not there",
    }


def test_a_lying_header_is_read_and_named(tmp_path: Path) -> None:
    clip(tmp_path / "a.wav", size=0)
    scanned = AudioReader().scan(tmp_path)
    assert scanned.samples.frame["seconds"].to_list() == [0.2]
    assert scanned.problems["cause"].to_list() == [
        "read nevertheless: the header states 0 bytes of samples, the file has 3,200: samples are counted from the "
        "bytes that exist"
    ]
    assert AudioReader().load(scanned.samples.frame.row(0, named=True)).shape == (1600, 1)


def test_cuts_have_exact_lengths(tmp_path: Path) -> None:
    for rate in (8000, 11025, 44100):
        clip(tmp_path / f"{rate}.wav", chirp(rate, rate), rate=rate)
    table = AudioReader().scan(tmp_path, cut=0.1, every=0.25).samples.frame
    assert len(table) == 3 * 4
    for row in table.to_dicts():
        start, stop, low, high = row["region"]
        assert stop - start == round(0.1 * row["rate"])
        assert start == round(round(4 * row["start_s"]) * 0.25 * row["rate"])
        assert (low, high) == (0, 1)
        assert row["seconds"] == (stop - start) / row["rate"]
        assert row["recording"] == row["array"] == f"{row['rate']}.wav"


def test_a_recording_shorter_than_a_cut_is_one_sample(tmp_path: Path) -> None:
    clip(tmp_path / "a.wav")
    clip(tmp_path / "b.wav", chirp(9000))
    scanned = AudioReader().scan(tmp_path, cut=0.5)
    assert scanned.samples.frame["seconds"].to_list() == [0.2, 0.5, 0.5]
    assert "0.125 s at the ends of recordings fill no cut and are left out" in scanned.notes


def test_a_store_holds_the_cuts(tmp_path: Path) -> None:
    stereo = np.stack([chirp(8000), tone(8000)], axis=1)
    clip(tmp_path / "in" / "a.wav", stereo)
    soundfile.write(tmp_path / "in" / "b.flac", chirp(8000), 8000)
    table = AudioReader().scan(tmp_path / "in", cut=0.25).samples
    arrays = ArrayStore.fill(tmp_path / "store", table, AudioReader()).of(table)
    assert arrays.decoded.all()
    assert [arrays[row].shape for row in range(8)] == 4 * [(2000, 2)] + 4 * [(2000, 1)]
    expected = np.frombuffer(encoded(stereo.ravel(), 16), "<i2").reshape(-1, 2)
    np.testing.assert_array_equal(arrays[1], expected[2000:4000])


def test_times_of_cuts_count_from_the_start_of_the_recording(tmp_path: Path) -> None:
    clip(tmp_path / "20230101_120000.wav", chirp(8000))
    table = AudioReader().scan(tmp_path, cut=0.25).samples.frame
    assert table["recorded_at_s"].to_list() == [1672574400 + k / 4 for k in range(4)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every": 1.0}, "--every without --cut"),
        ({"cut": 0.01}, "shorter than one window"),
        ({"cut": 1.0, "every": 0.0}, "no distance"),
        ({"names": "esc"}, "--names 'esc' is not known"),
        ({"names": "esc50"}, "no file is named as --names esc50 says"),
        ({"folders": "site"}, "0 deep"),
        ({"folders": "Site/1"}, "can't make a column 'Site'"),
        ({"labels": "nowhere.csv"}, "there is no 'nowhere.csv'"),
        ({"cuts": 1}, "no option 'cuts'"),
    ],
)
def test_bad_options(tmp_path: Path, options: dict[str, object], words: str) -> None:
    clip(tmp_path / "a.wav")
    with pytest.raises(UsageError, match=words):
        AudioReader().scan(tmp_path, **options)


def test_a_file_as_source_and_none(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.bin")
    assert AudioReader().scan(path).samples.frame["sample"].to_list() == ["a.bin"]
    with pytest.raises(UsageError, match="there is no"):
        AudioReader().scan(tmp_path / "nowhere")
    (tmp_path / "b.wav").write_text("hello")
    with pytest.raises(ReadError, match="text"):
        AudioReader().load({"path": str(tmp_path / "b.wav")})


def test_nbytes(tmp_path: Path) -> None:
    clip(tmp_path / "a.wav")
    soundfile.write(tmp_path / "b.flac", np.stack([tone(1000), tone(1000)], axis=1), 8000)
    sizes = [AudioReader().nbytes({"path": str(tmp_path / name)}) for name in ("a.wav", "b.flac")]
    assert sizes == [0, 8000]


def test_a_scan_imports_no_torch(tmp_path: Path) -> None:
    clip(tmp_path / "a.wav")
    code = (
        "import sys; from ssl_domains_audio.reader import AudioReader; "
        f"print(len(AudioReader().scan({str(tmp_path)!r}).samples), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.split() == ["1", "False"]


def test_an_empty_folder(tmp_path: Path) -> None:
    scanned = AudioReader().scan(tmp_path)
    assert len(scanned.samples) == len(scanned.problems) == 0
    assert scanned.samples.frame.schema["path"] == pl.String
