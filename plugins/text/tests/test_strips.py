"""Strips of single characters: what is read, what is used how often, sides by drawer, and what is refused."""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssl_domains.cli.app import run
from ssl_domains.errors import DataError, UsageError
from ssl_domains_text.lines.reader import LinesReader
from ssl_domains_text.lines.strips import StripSettings, lay_out, write_strips
from ssl_domains_text.lines.strips.glyph_files import Glyph, read_glyphs
from ssl_domains_text.lines.strips.numbers import span
from ssl_domains_text.lines.strips.write import FRAME, HEIGHT, draw_strip

ALPHABETS = {"Greek": 4, "Tagalog": 3}
DRAWERS = 4
FEW = StripSettings(train=(1, 2), test=(4, 4), each=5, seed=1)


def glyph(number: int) -> bytes:
    """A picture of its own: a frame of bars whose places follow from the number, black on white, 1 bit."""
    picture = np.full((105, 105), 255, dtype=np.uint8)
    picture[20:80, 30:70] = np.where(np.arange(40) % (3 + number % 7) < 2, 0, 255)
    picture[20 + number % 50, 30:70] = 0
    picture[75, 30 + number % 40] = 0
    file = io.BytesIO()
    Image.fromarray(picture).convert("1").save(file, format="PNG")
    return file.getvalue()


def files() -> dict[str, bytes]:
    made, number = {}, 0
    for alphabet, characters in ALPHABETS.items():
        for character in range(1, characters + 1):
            for drawer in range(1, DRAWERS + 1):
                number += 1
                name = f"set/{alphabet}/character{character:02d}/{character + 100:04d}_{drawer:02d}.png"
                made[name] = glyph(number)
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("glyphs")
    for name, data in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "glyphs.zip"
    with zipfile.ZipFile(path, "w") as written:
        for name, data in files().items():
            written.writestr(name, data)
    return path


def test_a_folder_and_a_zip_file_give_the_same_glyphs_and_copies_count_once(source: Path, archive: Path) -> None:
    alone, both = read_glyphs([archive]), read_glyphs([source, archive])
    assert len(alone.glyphs) == DRAWERS * sum(ALPHABETS.values())
    assert alone.notes == ()
    assert both.notes == (f"left out: {len(alone.glyphs)} files with the bytes of another one",)
    names = [(one.alphabet, one.character, one.drawer) for one in both.glyphs]
    assert names == [(one.alphabet, one.character, one.drawer) for one in alone.glyphs] == sorted(names)
    for one, other in zip(both.glyphs, alone.glyphs, strict=True):
        assert np.array_equal(one.ink, other.ink)
        assert set(np.unique(one.ink)) == {0.0, 1.0}


def test_each_character_has_a_letter_that_stays_itself(archive: Path) -> None:
    letters = read_glyphs([archive]).characters
    assert len(set(letters.values())) == len(letters) == sum(ALPHABETS.values())
    for letter in letters.values():
        assert unicodedata.normalize("NFC", letter) == letter.lower() == letter
        assert letter.isprintable()


def test_strips_of_a_hand_use_every_picture_before_one_comes_again(archive: Path, tmp_path: Path) -> None:
    said = list(write_strips([archive], tmp_path, FEW))
    assert "28 pictures of 7 characters in 2 alphabets by 8 hands" in said
    assert any(
        line.startswith("40 strips") and "20 train, 10 test, 10 of drawers on neither side" in line for line in said
    )
    rows = LinesReader().scan(tmp_path / "strips.lmdb").samples.frame
    with (tmp_path / "characters.csv").open(encoding="utf-8", newline="") as file:
        alphabet_of = {row["letter"]: row["alphabet"] for row in csv.DictReader(file)}
    for hand, part in rows.group_by("writer"):
        texts, alphabets = part["text"].to_list(), set(part["alphabet"])
        assert hand[0] == f"{part['alphabet'][0]}-{int(part['drawer'][0]):02d}"
        assert len(texts) == FEW.each
        assert all(3 <= len(text) <= 7 for text in texts)
        counts = Counter("".join(texts))
        assert {alphabet_of[letter] for letter in counts} == alphabets
        assert len(counts) == ALPHABETS[part["alphabet"][0]]
        assert max(counts.values()) - min(counts.values()) <= 1, "one picture of each character by this hand"
    sides = {int(drawer): side for drawer, side in zip(rows["drawer"], rows["split"], strict=True)}
    assert sides == {1: "train", 2: "train", 3: None, 4: "test"}


def test_the_same_pictures_and_seed_give_the_same_bytes(source: Path, archive: Path, tmp_path: Path) -> None:
    for name, given, seed in (("a", archive, 0), ("b", source, 0), ("c", archive, 1)):
        list(write_strips([given], tmp_path / name, StripSettings((1, 2), (4, 4), 2, seed=seed)))
    made = {name: (tmp_path / name / "strips.lmdb" / "data.mdb").read_bytes() for name in "abc"}
    assert made["a"] == made["b"] != made["c"]


def test_a_strip_shows_its_glyphs_from_left_to_right() -> None:
    """Bars of one to four strokes, apart from each other: their widths come in the order of the glyphs."""
    pictures = []
    for bars in (1, 4, 2):
        ink = np.zeros((105, 105), dtype=np.float32)
        ink[30:75, 20 : 20 + 20 * bars] = 1
        pictures.append(Glyph("A", str(bars), 1, ink))
    for seed in range(5):
        strip = draw_strip(pictures, np.random.default_rng(seed))
        assert strip.shape[0] == HEIGHT
        assert strip.dtype == np.uint8
        columns = (strip < 128).any(axis=0)
        assert not columns[:3].any()
        assert not columns[-3:].any()
        rows = np.flatnonzero((strip < 128).any(axis=1))
        assert 15 < len(rows) < FRAME
    pieces = [np.full((10, width), 1, dtype=np.float32) for width in (5, 9)]
    ink = lay_out(pieces, [-2], [5.0, 100.0], 20, 3)
    assert ink.shape == (20, 3 + 5 - 2 + 9 + 3)
    assert ink[:10, 3:8].all(), "the first one lies at the top"
    assert ink[10:, 6:15].all(), "the second one is moved back from below, and overlaps"
    assert ink.sum() == 50 + 90


def test_what_macos_adds_to_a_zip_file_is_passed_over(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "mac.zip"
    with zipfile.ZipFile(path, "w") as written:
        for name, data in files().items():
            folder, _, base = name.rpartition("/")
            written.writestr(name, data)
            written.writestr(f"__MACOSX/{folder}/._{base}", b"\x00\x05\x16\x07" + bytes(200))
        written.writestr("__MACOSX/set/large.png", bytes(2 << 20))
        written.writestr("set/Greek/character01/._0101_01.png", b"\x00\x05\x16\x07")
    made, plain = read_glyphs([path]), read_glyphs([archive])
    assert len(made.glyphs) == len(plain.glyphs)
    assert all(np.array_equal(one.ink, other.ink) for one, other in zip(made.glyphs, plain.glyphs, strict=True))
    assert made.notes == (f"passed over: {len(plain.glyphs) + 2} files that macOS added (__MACOSX, ._)",)


def test_a_picture_that_is_none_is_named_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as written:
        written.writestr("set/Greek/character01/0101_01.png", b"no picture")
    with pytest.raises(DataError) as error:
        read_glyphs([path])
    words = "set.zip: set/Greek/character01/0101_01.png: the picture can't be read: not a picture"
    assert str(error.value).startswith(words)
    assert " at 0x" not in str(error.value)


def test_what_is_no_source_is_refused(source: Path, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(archive.read_bytes()[:-30])
    (tmp_path / "empty").mkdir()
    twice = tmp_path / "twice" / "Greek" / "character01"
    twice.mkdir(parents=True)
    (twice / "0101_01.png").write_bytes(glyph(1))
    (twice / "0102_01.png").write_bytes(glyph(2))
    damaged = tmp_path / "damaged" / "Greek" / "character01"
    damaged.mkdir(parents=True)
    (damaged / "0101_01.png").write_bytes(glyph(1)[:40])
    for given, words in (
        ("no.zip", "cannot read"),
        ("missing", "cannot read"),
        ("empty", "has no picture of a character"),
        ("twice", "Greek/character01 has two different pictures by drawer 1"),
        ("damaged", "0101_01.png: the picture can't be read"),
    ):
        with pytest.raises(DataError, match=words):
            read_glyphs([tmp_path / given])
    with pytest.raises(DataError, match="no drawer is on the side 'test': there are 1 to 4"):
        list(write_strips([archive], tmp_path / "out", StripSettings((1, 2), (17, 20))))
    assert not (tmp_path / "out").exists()


def test_options_that_fit_nothing_are_refused() -> None:
    assert span("1-13", "train") == (1, 13)
    assert span(" 5 ", "train") == (5, 5)
    for words in ("", "a-b", "1-2-3", "-4", "٣"):
        with pytest.raises(UsageError, match="is no range of numbers"):
            span(words, "train")
    with pytest.raises(UsageError, match="a drawer is on both sides"):
        StripSettings((1, 13), (13, 20))
    with pytest.raises(UsageError, match="names no drawers"):
        StripSettings((5, 1))
    with pytest.raises(UsageError, match="a strip has 1 glyph or more"):
        StripSettings(glyphs=(4, 2))


def test_the_command_says_what_comes_next(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "lines",
        "strips",
        str(archive),
        "-o",
        str(tmp_path / "made"),
        "--train",
        "1-2",
        "--test",
        "4",
        "--each",
        "2",
    ]
    assert run(words) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("next: ssl-domains lines scan ")
    assert run(line.removeprefix("next: ssl-domains ").split()) == 0
    assert "split: 8 train, 4 test, 4 neither" in capsys.readouterr().out
    assert run(["lines", "strips", str(archive), "-o", str(tmp_path / "made"), "--train", "x"]) == 2
    assert run(["lines", "strips", str(tmp_path / "no"), "-o", str(tmp_path / "made")]) == 4


def test_the_study_of_omniglot_has_as_many_windows_a_batch_in_each_mapping() -> None:
    from ssl_domains.studies.design.study_file import read_study_file

    study = read_study_file(Path(__file__).parents[3] / "docs" / "results" / "omniglot.toml")
    assert study.seeds == 5
    batch = study.config["train.batch_size"]
    windows = {
        name: arm.config["method.windows"] * arm.config.get("train.batch_size", batch)
        for name, arm in study.arms.items()
    }
    assert {"window3", "window5", "window8"} <= windows.keys()
    assert max(windows.values()) - min(windows.values()) <= 2
    assert [name for name, arm in study.arms.items() if arm.finetune] == [study.primary.arm, "window5_fresh"]
