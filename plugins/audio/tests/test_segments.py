"""Tables of segments of every kind, and the recordings that they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError
from ssl_domains_audio.labels.matching import Recordings
from ssl_domains_audio.labels.segment import Segment, seconds_of
from ssl_domains_audio.labels.segments import read_segments
from ssl_domains_audio.reader import AudioReader

from .sound_files import chirp, clip

RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"
    "1\tWaveform 1\t1\t0.10\t0.30\t500\t2000\twren\n"
    "1\tSpectrogram 1\t1\t0.10\t0.30\t500\t2000\twren\n"
    "2\tSpectrogram 1\t1\t0.50\t0.90\t500\t2000\trobin\n"
)
RTTM = (
    ";; a comment\n"
    "SPKR-INFO a 1 <NA> <NA> <NA> unknown anna <NA> <NA>\n"
    "SPEAKER a 1 0.10 0.30 <NA> <NA> anna <NA> <NA>\n"
    "SPEAKER a 1 0.50 0.20 <NA> <NA> bert <NA> <NA>\n"
)
AUDIOSET = (
    "# Segments csv created\n# num_ytids=2\n# YTID, start_seconds, end_seconds, positive_labels\n"
    '--4gqARaEJE, 0.000, 10.000, "/m/068hy,/m/07q6cd_"\nabcDEF12345, 30.000, 40.000, "/m/09x0r"\n'
)


@pytest.mark.parametrize(
    ("text", "kind", "segments"),
    [
        (
            "file,start,end,label\na.wav,0.1,0.3,wren\na.wav,0.5,0.9,robin\n",
            "a table of segments",
            [Segment("a.wav", 0.1, 0.3, ("wren",)), Segment("a.wav", 0.5, 0.9, ("robin",))],
        ),
        (
            "Filename;Onset;Duration;Tags\nx/a.wav;0,1;0,2;wren, robin\n",
            "a table of segments",
            [Segment("x/a.wav", 0.1, pytest.approx(0.3), ("wren", "robin"))],
        ),
        (
            "start_time,end_time,speaker\n0:01.5,1:00:02,anna\n",
            "a table of segments",
            [Segment("", 1.5, 3602.0, (), "anna")],
        ),
        (RAVEN, "a selection table of Raven", [Segment("", 0.1, 0.3, ("wren",)), Segment("", 0.5, 0.9, ("robin",))]),
        (
            "0.1\t0.3\twren\n\\\t500\t2000\n0.5\t0.9\trobin 2\n",
            "an Audacity label track",
            [Segment("", 0.1, 0.3, ("wren",)), Segment("", 0.5, 0.9, ("robin 2",))],
        ),
        (
            RTTM,
            "an RTTM file",
            [
                Segment("a", 0.1, pytest.approx(0.4), (), "anna"),
                Segment("a", 0.5, pytest.approx(0.7), (), "bert"),
            ],
        ),
        (
            AUDIOSET,
            "an AudioSet list",
            [
                Segment("--4gqARaEJE", 0.0, 10.0, ("/m/068hy", "/m/07q6cd_")),
                Segment("abcDEF12345", 30.0, 40.0, ("/m/09x0r",)),
            ],
        ),
    ],
)
def test_kinds_of_tables(tmp_path: Path, text: str, kind: str, segments: list[Segment]) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path = tmp_path / "table.txt"
        path.write_text(text, encoding=encoding)
        table = read_segments(path)
        assert (table.kind, table.bad_lines) == (kind, [])
        assert table.segments == segments


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no line"),
        (b"hello world\n", "its header needs columns"),
        (b"file,start\na,1\n", "its header needs columns"),
        (b"file,label\na.wav,x\n", "its header needs columns"),
        (b"start,end\nx,y\n3,2\n", "line 2 is the first"),
        (b"\0\1\2", "it is no text"),
        (b"start,end,label\n1,nan,a\n", "no line of it can be read"),
    ],
)
def test_what_is_no_table_of_segments(tmp_path: Path, text: bytes, words: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(text)
    with pytest.raises(ReadError, match=words):
        read_segments(path)


def test_seconds() -> None:
    assert [seconds_of(text) for text in ("12.5", "12,5", "1:02.5", "1:00:00", " 3 ")] == [12.5, 12.5, 62.5, 3600, 3]
    assert seconds_of("soon") != seconds_of("soon")


def test_recordings_by_name() -> None:
    known = Recordings(["a/rec1.wav", "b/rec1.wav", "b/rec2.flac", "Y-abc4567890.wav", "deep/er/one.wav"])
    assert known.named("a/rec1.wav") == known.named("a/rec1") == known.named("D:\\data\\a\\rec1.wav") == 0
    assert known.named("rec1.wav") is None  # two have it
    assert known.named("REC2") == known.named("/home/me/rec2.wav") == 2
    assert known.named("-abc4567890") == 3
    assert known.of_table("b/rec2.Table.1.selections.txt") == known.of_table("labels/rec2_labels.txt") == 2
    assert known.of_table("b/rec1.txt") == 1
    assert known.of_table("other.txt") is None
    assert Recordings(["a.wav"]).of_table("labels.txt") == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings of a second."""
    for name in ("a", "b"):
        clip(tmp_path / "in" / f"{name}.wav", chirp(8000, stop=1000 if name == "a" else 3000))
    return tmp_path / "in"


def test_segments_are_samples(folder: Path) -> None:
    labels = folder.parent / "table.csv"
    labels.write_text(
        "file,start,end,label,speaker\na,0.1,0.3,wren,anna\na,0.5,0.51,x,\nb,0.25,1,robin,bert\nc,0,1,x,\n"
    )
    scanned = AudioReader().scan(folder, labels=labels)
    table = scanned.samples.frame
    assert table.select("recording", "region", "label", "speaker").rows() == [
        ("a.wav", [800, 2400, 0, 1], "wren", "anna"), ("b.wav", [2000, 8000, 0, 1], "robin", "bert")
    ]  # fmt: skip
    assert scanned.problems["cause"].to_list() == ["1 recording that it names is not here"]
    assert "table.csv is a table of segments: 4 segments of 2 recordings, 1 missing (c)" in scanned.notes
    assert "1 segment is left out: shorter than one 32-ms window" in scanned.notes


def test_tables_beside_their_recordings(folder: Path) -> None:
    (folder / "a.txt").write_text("0.1\t0.3\twren\n")
    (folder / "b.Table.1.selections.txt").write_text(RAVEN)
    table = AudioReader().scan(folder, labels=folder).samples.frame
    assert table.select("recording", "label").rows() == [("a.wav", "wren"), ("b.wav", "wren"), ("b.wav", "robin")]


def test_segments_behind_the_end(folder: Path) -> None:
    labels = folder.parent / "table.csv"
    labels.write_text("file,start,end,label\na,0.8,1.2,x\na,0.5,3,y\nb,2,3,x\n")
    scanned = AudioReader().scan(folder, labels=labels)
    assert scanned.samples.frame["region"].to_list() == [[6400, 8000, 0, 1], [4000, 8000, 0, 1]]
    assert scanned.problems["cause"].to_list() == [
        "a segment at 0.5 to 3 s reaches behind the end of the recording (1 s)",
        "a segment at 2 to 3 s reaches behind the end of the recording (1 s)",
    ]


def test_one_segment_on_two_lines_has_both_labels(folder: Path) -> None:
    labels = folder.parent / "table.csv"
    labels.write_text("file,start,end,label\na,0,0.5,x\na,0,0.5,y\nb,0,0.5,x\n")
    assert AudioReader().scan(folder, labels=labels).samples.frame["labels"].to_list() == [["x", "y"], ["x"]]


def test_cuts_get_the_labels_of_segments(folder: Path) -> None:
    labels = folder.parent / "table.csv"
    labels.write_text("file,start,end,label\na,0.2,0.55,x\na,0.3,0.4,y\n")
    table = AudioReader().scan(folder, labels=labels, cut=0.25).samples.frame
    assert table["labels"].to_list() == [[], ["x", "y"], [], [], [], [], [], []]


def test_an_audioset_list(tmp_path: Path) -> None:
    """Clips with and without Y before the id, a whole video, a missing one, and a clip shorter than its segment."""
    rows = [
        ("--4gqARaEJE", 0, 1),
        ("abcDEF12345", 30, 31),
        ("Tr7pmnO3eHo", 100, 110),
        ("whole__file", 1, 2),
        ("gone_______", 0, 1),
    ]
    lines = [
        "# YTID, start_seconds, end_seconds, positive_labels",
        *(f'{i}, {a}, {b}, "/m/1,/m/2"' for i, a, b in rows),
    ]
    (tmp_path / "list.csv").write_text("\n".join(lines))
    for name, seconds in (("Y--4gqARaEJE", 1), ("abcDEF12345", 1), ("YTr7pmnO3eHo", 2), ("whole__file", 3)):
        clip(tmp_path / "in" / f"{name}.wav", chirp(8000 * seconds))
    scanned = AudioReader().scan(tmp_path / "in", labels=tmp_path / "list.csv")
    table = scanned.samples.frame.sort("source")
    assert table["source"].to_list() == ["--4gqARaEJE", "Tr7pmnO3eHo", "abcDEF12345", "whole__file"]
    assert table["region"].to_list() == [[0, 8000, 0, 1], [0, 16000, 0, 1], [0, 8000, 0, 1], [8000, 16000, 0, 1]]
    assert table["labels"].to_list() == 4 * [["/m/1", "/m/2"]]
    assert scanned.problems["cause"].to_list() == [
        "1 recording that it names is not here", "the clip has 2 s, its segment (100 to 110 s) has 10 s"
    ]  # fmt: skip


def test_a_table_that_is_none(folder: Path) -> None:
    (folder / "notes.txt").write_text("hello")
    scanned = AudioReader().scan(folder, labels=folder / "notes.txt")
    assert len(scanned.samples) == 0
    assert scanned.problems["cause"].to_list() == [
        "no table of segments: its header needs columns such as file, start, end and label"
    ]
    with pytest.raises(UsageError, match="there is no"):
        AudioReader().scan(folder, labels=folder / "gone.csv")
