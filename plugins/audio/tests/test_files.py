"""Files: kinds by first bytes, frames that really exist, and samples in the type of the file."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import ReadError
from ssl_domains_audio.files import Kind, SoundHeader, full_scale, kind_of, load_sound, open_sound, sound_header
from ssl_domains_audio.files.arrays import LONG, readable

from .sound_files import clip, encoded, tone, wav

X = tone(1600, level=1.0)
FORMS: dict[str, dict[str, Any]] = {
    "wav uint8": {"body": encoded(X, 8), "bits": 8},
    "wav int16": {"body": encoded(X, 16)},
    "wav int24": {"body": encoded(X, 24), "bits": 24},
    "wav int32": {"body": encoded(X, 32), "bits": 32},
    "wav float32": {"body": X.astype("<f4").tobytes(), "bits": 32, "tag": 3},
    "wav float64": {"body": X.astype("<f8").tobytes(), "bits": 64, "tag": 3},
}


def header_of(path: Path) -> SoundHeader:
    header = sound_header(path)
    assert isinstance(header, SoundHeader)
    return header


@pytest.mark.parametrize("riff", [b"RIFF", b"RF64", b"BW64"])
@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_wav_of_every_type(tmp_path: Path, form: str, inner: bool, riff: bytes) -> None:
    given = dict(FORMS[form])
    extensible = given.get("tag", 1) if inner else None
    path = wav(tmp_path / "a.wav", given.pop("body"), inner=extensible, riff=riff, **given)
    assert header_of(path) == SoundHeader(form, 8000, 1, 1600, "")
    values = full_scale(load_sound(path))
    assert values.shape == (1600, 1)
    assert values.dtype == np.float32
    bits = given.get("bits", 16) if "int" in form else 24
    np.testing.assert_allclose(values[:, 0], X, atol=2.0 ** (1 - bits) + 1e-7)
    assert load_sound(path).dtype == np.dtype(form.split()[1] if form != "wav int24" else "float32")


def test_soundfile_reads_the_same(tmp_path: Path) -> None:
    """Another implementation, on the forms that it reads."""
    stereo = np.stack([tone(900), tone(900, hz=300)], axis=1)
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"):
        for form in ("WAV", "WAVEX", "RF64"):
            path = tmp_path / f"{subtype}{form}.wav"
            soundfile.write(path, stereo, 11025, subtype=subtype, format=form)
            header = header_of(path)
            assert (header.rate, header.channels, header.frames, header.remark) == (11025, 2, 900, "")
            expected = soundfile.read(path, dtype="float32", always_2d=True)[0]
            np.testing.assert_array_equal(full_scale(load_sound(path)), expected)


def test_big_endian(tmp_path: Path) -> None:
    for bits in (16, 24, 32):
        path = wav(tmp_path / f"{bits}.wav", encoded(X, bits, ">"), bits=bits, riff=b"RIFX")
        array = load_sound(path)
        assert array.dtype.isnative
        np.testing.assert_allclose(full_scale(array)[:, 0], X, atol=2.0 ** (1 - bits) + 1e-7)


def test_full_scale() -> None:
    assert full_scale(np.array([0, 128], np.uint8)).tolist() == [-1.0, 0.0]
    assert full_scale(np.array([-32768, 16384], ">i2")).tolist() == [-1.0, 0.5]
    assert full_scale(np.array([-(2**31), 2**30], np.int32)).tolist() == [-1.0, 0.5]
    assert full_scale(np.array([1.5], np.float64)).tolist() == [1.5]
    with pytest.raises(TypeError, match="int64"):
        full_scale(np.array([1]))


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "states 0 bytes"), (0xFFFFFFFF, "a stream"), (6400, "states 6,400 bytes of samples, the file has 3,200")],
)
def test_frames_are_counted_from_the_bytes_that_exist(tmp_path: Path, size: int, words: str) -> None:
    path = clip(tmp_path / "a.wav", size=size)
    header = header_of(path)
    assert header.frames == 1600
    assert words in header.remark
    np.testing.assert_allclose(full_scale(load_sound(path))[:, 0], tone(1600), atol=2.0**-15)


def test_a_size_of_0_before_another_chunk_is_no_sound(tmp_path: Path) -> None:
    listed = b"LIST" + struct.pack("<I", 4) + b"INFO"
    assert header_of(clip(tmp_path / "a.wav", np.empty(0), after=listed)) == SoundHeader("wav int16", 8000, 1, 0, "")


def test_a_frame_that_is_cut_is_not_counted(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", encoded(X, 16)[:-1], channels=2)
    assert header_of(path).frames == 799
    assert load_sound(path).shape == (799, 2)


@pytest.mark.parametrize("padded", [True, False])
def test_an_odd_chunk_with_and_without_its_padding(tmp_path: Path, padded: bool) -> None:
    odd = b"note" + struct.pack("<I", 5) + b"hello" + (b"\0" if padded else b"")
    header = header_of(clip(tmp_path / "a.wav", before=odd))
    assert (header.frames, header.remark) == (1600, "")


def test_a_chunk_far_behind_the_first_bytes(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.wav", before=b"bext" + struct.pack("<I", 5000) + bytes(5000))
    np.testing.assert_allclose(full_scale(load_sound(path))[:, 0], tone(1600), atol=2.0**-15)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"RIFF\x04\0\0\0WAVE", "empty RIFF"),
        (b"RIFF\x10\0\0\0WAVEfmt \x02\0\0\0\x01\0data\0\0\0\0", "form of its samples"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\0\0\x40\x1f\0\0\0\0\0\0\0\0\x10\0data\0\0\0\0", "0 channels"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\0\0\0\0\x07\0\x10\0data\0\0\0\0", "in 7 bytes"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x99\0\x01\0\x40\x1f\0\0\0\0\0\0\x02\0\x10\0data\0\0\0\0", "format 153"),
        (b"RIFF\x0c\0\0\0WAVEjunk\x04\0\0\0abcd", "no data chunk"),
    ],
)
def test_damaged_headers(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=words):
        sound_header(path)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xf1\x50\x80" + bytes(60), Kind("", "ADTS AAC")),
        (b"<!DOCTYPE html><html>404</html>", Kind("", "HTML")),
        (b"\xef\xbb\xbf  <?xml version='1.0'?>", Kind("", "XML")),
        (b"not found\n", Kind("", "text")),
        (b"RIFF\0\0\0\0AVI LIST", Kind("", "a RIFF file of the form 'AVI', not WAVE")),
        (b"\0\0\0\x18ftypM4A ", Kind("", "an MP4 file (AAC or ALAC)")),
        (bytes(64), Kind("", "zeros only")),
        (b"", Kind("", "empty")),
        (b"\x01\x02\x03\x04\0", Kind("", "of no known kind (first bytes 01 02 03 04)")),
        (b"\xff\xfb\x90\x00" + bytes(60), Kind("mp3", "an mp3 file")),
        (b"ID3\x04", Kind("mp3", "an mp3 file")),
        (b"FORM\0\0\0\0AIFFCOMM", Kind("aiff", "an AIFF file")),
    ],
)
def test_kinds_by_first_bytes(head: bytes, kind: Kind) -> None:
    assert kind_of(head) == kind


def test_the_suffix_plays_no_part(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", X, 8000)
    (tmp_path / "a.flac").rename(tmp_path / "a.wav")
    assert header_of(tmp_path / "a.wav").format == "flac int16"
    assert clip(tmp_path / "b.mp3").exists()
    assert header_of(tmp_path / "b.mp3").format == "wav int16"


@pytest.mark.parametrize(
    ("suffix", "subtype", "format", "error"),
    [
        ("flac", "PCM_16", "flac int16", 2.0**-15),
        ("flac", "PCM_24", "flac int24", 2.0**-22),
        ("ogg", "VORBIS", "ogg vorbis", 0.1),
        ("aiff", "PCM_16", "aiff int16", 2.0**-15),
        ("au", "PCM_16", "au int16", 2.0**-15),
        ("wav", "ULAW", "wav mu-law", 0.05),
    ],
)
def test_decoded_kinds(tmp_path: Path, suffix: str, subtype: str, format: str, error: float) -> None:
    path, values = tmp_path / f"a.{suffix}", tone(8000)
    soundfile.write(path, values, 8000, subtype=subtype)
    assert header_of(path) == SoundHeader(format, 8000, 1, 8000, "")
    array = load_sound(path)
    assert array.dtype == np.float32
    np.testing.assert_allclose(array[:, 0], values, atol=error)
    assert open_sound(path) is None


def test_mp3(tmp_path: Path) -> None:
    if "MP3" not in soundfile.available_formats():
        pytest.skip("this libsndfile writes no mp3")
    soundfile.write(tmp_path / "a.mp3", tone(16000, 16000), 16000)
    assert header_of(tmp_path / "a.mp3")[:4] == ("mp3", 16000, 1, 16000)


def test_a_flac_file_that_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).normal(size=40_000) * 0.1, 8000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    header = header_of(path)
    assert 0 < header.frames < 40_000
    assert header.remark.startswith("the file is cut short")
    assert load_sound(path).shape == (header.frames, 1)


def test_an_ogg_file_that_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.random.default_rng(0).normal(size=96_000) * 0.1, 48_000)
    assert header_of(path).remark == ""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    header = header_of(path)
    assert 0 < header.frames < 96_000
    assert header.remark.startswith("the file is cut short")
    path.write_bytes(whole[:200])
    with pytest.raises(ReadError):
        sound_header(path)


def test_parts_are_those_of_the_whole(tmp_path: Path) -> None:
    stereo = np.stack([tone(5000), tone(5000, hz=300)], axis=1)
    paths = [wav(tmp_path / "a.wav", encoded(stereo.ravel(), 24), bits=24, channels=2), tmp_path / "a.flac"]
    soundfile.write(paths[1], stereo, 8000)
    for path in paths:
        lazy, whole = pickle.loads(pickle.dumps(readable(path))), load_sound(path)
        for part in ((slice(100, 4000, 7), slice(1, 2)), (slice(0, 0), slice(0, 2)), (slice(4999, 5000), slice(0, 1))):
            np.testing.assert_array_equal(lazy.read(part)[0], whole[part])


def test_a_long_flac_file_is_decoded_in_part(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    values: NDArray[np.int16] = np.random.default_rng(0).integers(-9, 9, LONG + 100).astype(np.int16)
    soundfile.write(path, values, 8000)
    lazy = open_sound(path)
    assert lazy is not None
    part = lazy.read((slice(LONG - 50, LONG + 100), slice(0, 1)))[0]
    np.testing.assert_array_equal(part[:, 0] * 32768, values[LONG - 50 :])


def test_a_file_that_changed_is_not_read(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", encoded(X, 24), bits=24)
    lazy = open_sound(path)
    assert lazy is not None
    wav(path, encoded(X[:100], 24), bits=24)
    with pytest.raises(DataError, match="changed"):
        lazy.read((slice(0, 1), slice(0, 1)))
    path.unlink()
    with pytest.raises(DataError, match="can't be read"):
        lazy.read((slice(0, 1), slice(0, 1)))
    with pytest.raises(ReadError, match="No such file"):
        load_sound(path)
