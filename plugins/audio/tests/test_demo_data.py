"""The demonstration data: what its parts say of word, speaker and session, and every planted fault."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ssl_domains_audio.demo import write_demo_data
from ssl_domains_audio.demo.clips import Clip, draw_clips
from ssl_domains_audio.demo.faults import LONG, SECOND_ID, WRONG_RATE
from ssl_domains_audio.demo.sessions import draw_session, record
from ssl_domains_audio.demo.speakers import SPEAKERS, TRAIN, Speaker, draw_speakers
from ssl_domains_audio.demo.words import RATE, WORDS, speak


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo data")
    told = write_demo_data(out, 0)
    assert f"ssl-domains audio scan '{out / 'recordings'}'" in told
    assert "--on path=file" in told
    return out


@pytest.fixture(scope="module")
def table(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "clips.csv")


def test_speakers_sessions_words_and_takes(table: pl.DataFrame) -> None:
    frame = table.filter(pl.col("file").str.starts_with("c0") | pl.col("file").str.starts_with("c1"))
    assert len(frame) == 1080 == SPEAKERS * 3 * len(WORDS) * 3
    assert frame.group_by("speaker", "session", "word").len()["len"].unique().to_list() == [3]
    assert frame.group_by("session").agg(pl.col("speaker").n_unique())["speaker"].unique().to_list() == [1]
    days = frame.unique(["speaker", "session", "day"]).group_by("speaker").agg(pl.col("day").sort())
    assert days["day"].to_list() == [[1, 2, 3]] * SPEAKERS
    assert all(
        session == f"{speaker}-{day}" for speaker, session, day in frame["speaker", "session", "day"].iter_rows()
    )
    sides = dict(frame.unique(["speaker"]).group_by("split").len().iter_rows())
    assert sides == {"train": TRAIN, "test": SPEAKERS - TRAIN} == {"train": 8, "test": 4}
    assert frame.group_by("speaker").agg(pl.col("split").n_unique())["split"].unique().to_list() == [1]


def test_the_other_split_holds_the_last_day_out(folder: Path) -> None:
    assert (folder / "days.csv").read_text(encoding="utf-8").split() == ["day,split", "1,train", "2,train", "3,test"]


def test_half_of_the_words_are_the_others_reversed() -> None:
    assert {word[::-1] for word in WORDS} == set(WORDS)
    assert len(WORDS) == 10


@pytest.mark.parametrize("seed", range(5))
def test_no_trait_of_a_speaker_can_be_read_from_another(seed: int) -> None:
    speakers = draw_speakers(np.random.default_rng(seed))
    traits = np.array([[one.pitch, one.scale, one.tilt] for one in speakers])
    assert np.abs(np.corrcoef(traits.T) - np.eye(3)).max() < 0.11
    np.testing.assert_allclose(traits.min(axis=0), [90, 0.88, 6])
    np.testing.assert_allclose(traits.max(axis=0), [230, 1.20, 14])


VOICE = Speaker("S01", "train", pitch=100.0, scale=1.0, tilt=6.0)


def loudest_hz(sound: np.ndarray, low: float, high: float) -> float:
    """Frequency of the largest value of the spectrum between two frequencies."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 15))
    frequencies = np.fft.rfftfreq(1 << 15, 1 / RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    return float(frequencies[spectrum.argmax()])


def test_the_order_of_the_vowels_is_the_word() -> None:
    """The second formant rises from 1,090 to 2,290 Hz in "ai" and falls in "ia"."""
    for word, (first, last) in {"ai": (1090, 2290), "ia": (2290, 1090)}.items():
        sound = speak(VOICE, word, np.random.default_rng(3))
        thirds = np.array_split(sound[len(sound) // 10 : -len(sound) // 10], 3)
        assert abs(loudest_hz(thirds[0], 950, 2700) - first) < 160
        assert abs(loudest_hz(thirds[2], 950, 2700) - last) < 160


def test_pitch_and_scale_of_a_speaker_move_harmonics_and_formants_apart() -> None:
    high = Speaker("S02", "train", pitch=200.0, scale=1.0, tilt=6.0)
    short = Speaker("S03", "train", pitch=100.0, scale=1.2, tilt=6.0)
    base, raised, scaled = (speak(one, "ai", np.random.default_rng(4)) for one in (VOICE, high, short))
    assert len(base) == len(raised) == len(scaled)
    assert loudest_hz(raised, 100, 260) / loudest_hz(base, 50, 130) == pytest.approx(2, rel=0.05)
    end = slice(-len(base) // 3, -len(base) // 10)
    assert loudest_hz(scaled[end], 2000, 3000) / loudest_hz(base[end], 1800, 2700) == pytest.approx(1.2, rel=0.06)


def test_a_session_colours_and_rooms_alternate() -> None:
    one, other = (draw_session("S01-1", number, np.random.default_rng(number)) for number in (0, 1))
    assert len(one.room) == round(0.08 * RATE)
    assert len(other.room) == round(0.35 * RATE)
    assert 18 <= one.snr <= 32
    deviation = np.std([draw_session("x", 0, np.random.default_rng(k)).gains for k in range(200)])
    assert deviation == pytest.approx(6, rel=0.1)


def test_the_hum_is_50_hz_and_the_noise_is_that_of_the_session() -> None:
    session = draw_session("S01-1", 0, np.random.default_rng(5))
    silence = record(
        np.r_[np.zeros(RATE), speak(VOICE, "ai", np.random.default_rng(0))], session, np.random.default_rng(1)
    )
    assert loudest_hz(silence[:RATE], 20, 500) == pytest.approx(50, abs=1)


def test_the_level_of_a_take_is_at_random() -> None:
    clips = draw_clips(0)
    levels = np.array([20 * np.log10(np.sqrt(np.mean(clip.sound() ** 2))) for clip in clips[:90]])
    assert -30.5 < levels.min() < -28.5
    assert -19.5 < levels.max() < -17.5
    assert abs(np.corrcoef(levels, np.repeat(range(3), 30))[0, 1]) < 0.3


def read(folder: Path, name: str) -> tuple[np.ndarray, int]:
    return soundfile.read(folder / "recordings" / name)


def clip_of(number: int) -> Clip:
    return draw_clips(0)[number]


def test_files_hold_the_sounds(folder: Path) -> None:
    for number in (1, 9):
        clip = clip_of(number)
        values, rate = read(folder, clip.file)
        assert rate == RATE
        np.testing.assert_allclose(values, clip.sound(), atol=2.0**-16)
    assert clip_of(9).file.endswith(".flac")


def test_planted_faults(folder: Path, table: pl.DataFrame) -> None:
    infos, unread = {}, []
    for path in sorted((folder / "recordings").glob("*.*")):
        if path.suffix != ".txt":
            infos[path.name] = soundfile.info(path)
    stereo = [name for name, info in infos.items() if info.channels == 2]
    assert [infos[name].subtype for name in stereo] == ["PCM_24"]
    (wrong,) = [name for name, info in infos.items() if info.samplerate != RATE]
    assert infos[wrong].samplerate == WRONG_RATE == 16_000
    for name in infos:
        path = folder / "recordings" / name
        if name.endswith(".wav") and int.from_bytes(path.read_bytes()[4:8], "little") + 8 != path.stat().st_size:
            unread.append(name)
    assert len(unread) == 1, "one truncated file"
    assert infos[LONG].duration > 30
    assert sum(info.duration > 0.6 for info in infos.values()) == 1
    assert set(table["file"]) == set(infos) - {LONG}


def test_copies_have_other_bytes_and_the_same_samples(folder: Path, table: pl.DataFrame) -> None:
    paths = [folder / "recordings" / name for name in table["file"] if not name.startswith("d")]
    bytes_of = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert len(set(bytes_of)) == len(paths)
    decoded: dict[str, list[str]] = {}
    for path in paths:
        samples = soundfile.read(path, dtype="int16")[0]
        decoded.setdefault(hashlib.sha256(samples.tobytes()).hexdigest(), []).append(path.name)
    twins = [names for names in decoded.values() if len(names) > 1]
    assert sorted(names[-1] for names in twins) == ["copy1.wav", "copy2.flac"]
    by_file = {row["file"]: row["speaker"] for row in table.iter_rows(named=True)}
    assert all(by_file[names[0]] == by_file[names[1]] for names in twins)


def test_a_second_id_of_a_training_speaker_has_near_copies_on_the_test_side(folder: Path, table: pl.DataFrame) -> None:
    second = table.filter(pl.col("speaker") == SECOND_ID)
    assert len(second) == len(WORDS)
    assert set(second["split"]) == {"test"}
    assert second["day"].n_unique() == 1
    files = {row["file"]: row["speaker"] for row in table.iter_rows(named=True) if row["file"][0] == "c"}
    sounds = {name: read(folder, name)[0] for name in files if read(folder, name)[1] == RATE}
    found = set()
    for name in second["file"]:
        copy, _ = read(folder, name)
        alike = [
            other
            for other, sound in sounds.items()
            if sound.shape == copy.shape and np.corrcoef(sound, copy)[0, 1] > 0.99
        ]
        assert len(alike) == 1
        assert not np.array_equal(sounds[alike[0]], copy)
        found.add(files[alike[0]])
    assert len(found) == 1


def test_labels_of_the_long_recording_lie_on_its_words(folder: Path) -> None:
    values, rate = read(folder, LONG)
    lines = (folder / "recordings" / LONG).with_suffix(".txt").read_text().splitlines()
    assert len(lines) == 40
    inside = np.zeros(len(values), dtype=bool)
    for line in lines:
        start, stop, word = line.split("\t")
        assert word in WORDS
        inside[round(float(start) * rate) : round(float(stop) * rate)] = True
    assert np.mean(values[inside] ** 2) > 5 * np.mean(values[~inside] ** 2)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, folder: Path) -> None:
    write_demo_data(tmp_path / "again", 0)
    assert fingerprint(folder) == fingerprint(tmp_path / "again")
    assert not np.array_equal(draw_clips(0)[0].sound(), draw_clips(1)[0].sound())


def fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
