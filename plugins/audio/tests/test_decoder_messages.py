"""What the mp3 decoder writes to standard error: a cause in the table of problems, and nothing on the screen."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ssl_domains.samples import ReadError
from ssl_domains_audio.files import load_sound
from ssl_domains_audio.files.arrays import readable
from ssl_domains_audio.files.messages import decoder_messages
from ssl_domains_audio.reader import AudioReader

pytestmark = pytest.mark.skipif(
    "MP3" not in soundfile.available_formats() or "MPEG_LAYER_III" not in soundfile.available_subtypes("MP3"),
    reason="this libsndfile writes no mp3",
)


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """An mp3 file in which some bytes in the middle are others, and a whole one beside it."""
    rng = np.random.default_rng(0)
    sound = 0.3 * np.sin(np.arange(40_000) / 8) + 0.05 * rng.normal(size=40_000)
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "whole.mp3", sound, 16_000)
    raw = bytearray((tmp_path / "in" / "whole.mp3").read_bytes())
    for place in range(3000, 6000, 41):
        raw[place] = int(rng.integers(256))
    (tmp_path / "in" / "damaged.mp3").write_bytes(raw)
    return tmp_path / "in"


def test_a_damaged_file_is_named_and_nothing_is_printed(damaged: Path, capfd: pytest.CaptureFixture[str]) -> None:
    scanned = AudioReader().scan(damaged)
    for row in scanned.samples.frame.to_dicts():
        AudioReader().load(row)
    assert capfd.readouterr().err == ""
    assert scanned.samples.frame["sample"].to_list() == ["damaged.mp3", "whole.mp3"]
    assert {Path(path).name for path in scanned.problems["path"]} == {"damaged.mp3"}
    (cause,) = (one for one in scanned.problems["cause"] if one.startswith("damaged: "))
    assert cause.startswith("damaged: parts of it can't be decoded (Illegal Audio-MPEG-Header 0x")
    assert cause.endswith(" more)")
    assert any("contents: 1 damaged" in note for note in scanned.notes)


def test_cuts_of_a_whole_file_are_no_damage(damaged: Path) -> None:
    assert len(AudioReader().scan(damaged / "whole.mp3", cut=0.3).problems) == 0


def test_without_the_block_the_decoder_does_print(damaged: Path, capfd: pytest.CaptureFixture[str]) -> None:
    soundfile.read(damaged / "damaged.mp3")
    assert "Note: Illegal Audio-MPEG-Header" in capfd.readouterr().err


def test_other_messages_follow_behind_the_block(damaged: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with decoder_messages() as said:
        os.write(2, b"of somebody else\n")
        with decoder_messages() as inner:
            soundfile.read(damaged / "damaged.mp3")
        assert inner is said
        assert capfd.readouterr().err == ""
    assert len(said) > 1
    assert not any("mpg123" in line for line in said)
    assert capfd.readouterr().err == "of somebody else\n"


def test_an_error_in_the_block_passes_and_standard_error_is_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp3").write_bytes(b"ID3\x04" + bytes(400))
    with pytest.raises(ReadError):
        load_sound(tmp_path / "a.mp3")
    os.write(2, b"here\n")
    assert capfd.readouterr().err == "here\n"


def test_flac_and_ogg_need_no_block(tmp_path: Path) -> None:
    for kind in ("flac", "ogg", "mp3"):
        soundfile.write(tmp_path / f"a.{kind}", np.sin(np.arange(4000) / 9), 8000)
    assert [readable(tmp_path / f"a.{kind}").messages for kind in ("flac", "ogg", "mp3")] == [False, False, True]  # type: ignore[attr-defined]
