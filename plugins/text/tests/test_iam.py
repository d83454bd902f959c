"""Lists of IAM: fields, comments, wrongly segmented entries, missing and empty pictures, writers."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssl_domains.errors import UsageError
from ssl_domains_text.lines.files.iam import IamEntry, looks_like_iam, read_iam, writers_of_forms
from ssl_domains_text.lines.reader import LinesReader

from .line_files import iam, picture

WORDS = [
    "#--- words.txt ---------------------------------------------------------------#",
    "# format: a01-000u-00-00 ok 154 1 408 768 27 51 AT A",
    "a01-000u-00-00 ok 154 408 768 27 51 AT A",
    "a01-000u-00-01 ok 154 507 766 213 48 NN #",
    "a01-000u-00-02 err 154 796 764 70 50 TO to",
    'a01-000u-00-03 ok 154 919 757 166 78 " "',
    "a01-000u-00-04 ok 154 1185 754 126 61 NPT Mr. X",
    "b02-111-01-00 ok 154 1 1438 746 382 73 CD 1960",
]
LINES = [
    "#--- lines.txt ---#",
    "a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop|Mr.|Gaitskell|from",
    "a01-000u-01 err 156 19 395 932 1850 105 1960",
    "a01-000x-00 ok 182 30 375 748 1561 148 5|labels|#",
]


def test_fields_of_words() -> None:
    entries, faults = read_iam("\n".join(WORDS))
    assert faults == []
    assert [(entry.text, entry.segmentation) for entry in entries] == [
        ("A", "ok"), ("#", "ok"), ("to", "err"), ('"', "ok"), ("Mr. X", "ok"), ("1960", "ok")
    ]  # fmt: skip
    assert [entry.form for entry in entries] == ["a01-000u"] * 5 + ["b02-111"]


def test_fields_of_lines() -> None:
    entries, faults = read_iam("\n".join(LINES))
    assert faults == []
    assert entries == [
        IamEntry("a01-000u-00", "ok", "A MOVE to stop Mr. Gaitskell from"),
        IamEntry("a01-000u-01", "err", "1960"),
        IamEntry("a01-000x-00", "ok", "5 labels #"),
    ]


def test_lines_that_are_no_entries_are_counted_by_number() -> None:
    entries, faults = read_iam(
        "\n".join([WORDS[2], "a01-000u-00-09 ok", "junk", WORDS[3], "a01-000u-00-09 ok 1 2 3 4 NN x"])
    )
    assert len(entries) == 2
    assert faults == [2, 3, 5]


def test_what_is_a_list() -> None:
    assert looks_like_iam("\n".join(WORDS))
    assert looks_like_iam("\n".join(LINES))
    assert not looks_like_iam("# only\n# comments\n")
    assert not looks_like_iam('word_1.png, "a"\n')


def test_writers() -> None:
    assert writers_of_forms("#--- forms.txt ---#\na01-000u 000 2 prt 7 5 52 36\na01-003 001 2 prt 6 4 1 1\n") == {
        "a01-000u": "000",
        "a01-003": "001",
    }


def test_a_scan(tmp_path: Path) -> None:
    iam(tmp_path, WORDS)
    (tmp_path / "forms.txt").write_text("# forms\na01-000u 000 2 prt 7 5 52 36\n")
    scanned = LinesReader().scan(tmp_path)
    table = scanned.samples.frame
    assert table["text"].to_list() == ["A", "#", "to", '"', "Mr. X", "1960"]
    assert table["segmentation"].to_list() == ["ok", "ok", "err", "ok", "ok", "ok"]
    assert table["writer"].to_list() == ["000"] * 5 + [None]
    assert table["page"].to_list() == ["a01-000u"] * 5 + ["b02-111"]
    assert len(scanned.problems) == 0
    assert any("1 entry is marked err" in note and "--segmentation drop" in note for note in scanned.notes)


def test_wrongly_segmented_entries_can_lose_their_labels(tmp_path: Path) -> None:
    iam(tmp_path, WORDS)
    scanned = LinesReader().scan(tmp_path, segmentation="drop")
    (row,) = scanned.samples.frame.filter(scanned.samples.frame["text_problem"].is_not_null()).to_dicts()
    assert (row["text"], row["text_problem"]) == (None, "marked err (wrongly segmented)")
    assert any("left out: 1 marked err" in note for note in scanned.notes)
    with pytest.raises(UsageError, match="--segmentation some"):
        LinesReader().scan(tmp_path, segmentation="some")


def test_missing_and_empty_pictures_are_problems(tmp_path: Path) -> None:
    iam(tmp_path, WORDS)
    folder = tmp_path / "words" / "a01" / "a01-000u"
    (folder / "a01-000u-00-00.png").write_bytes(b"")
    (folder / "a01-000u-00-01.png").unlink()
    scanned = LinesReader().scan(tmp_path)
    assert len(scanned.samples) == 4
    causes = {Path(path).name: cause for path, cause in scanned.problems.rows()}
    assert causes["a01-000u-00-00.png"] == "the picture is empty: 0 bytes"
    assert causes["words.txt#a01-000u-00-01"] == "an entry whose picture is not here"


def test_lines_come_before_words_and_a_list_can_be_named(tmp_path: Path) -> None:
    iam(tmp_path, WORDS)
    iam(tmp_path, LINES, (300, 20))
    whole = LinesReader().scan(tmp_path)
    assert whole.samples.frame["width"].to_list() == [300] * 3
    assert any("words.txt is passed over" in note for note in whole.notes)
    words = LinesReader().scan(tmp_path / "words.txt")
    assert len(words.samples) == 6
    assert words.samples.frame["sample"][0] == "words/a01/a01-000u/a01-000u-00-00.png"


def test_a_list_in_a_folder_beside_the_pictures(tmp_path: Path) -> None:
    iam(tmp_path, WORDS)
    (tmp_path / "ascii").mkdir()
    (tmp_path / "words.txt").rename(tmp_path / "ascii" / "words.txt")
    for source in (tmp_path, tmp_path / "ascii" / "words.txt"):
        assert LinesReader().scan(source).samples.frame["text"].to_list()[0] == "A"
    picture(tmp_path / "other" / "a01-000u-00-00.png")
    twice = LinesReader().scan(tmp_path)
    assert len(twice.samples) == 5, "a name that two folders have names neither"


def test_pictures_in_another_format(tmp_path: Path) -> None:
    iam(tmp_path, WORDS)
    png = tmp_path / "words" / "a01" / "a01-000u" / "a01-000u-00-00.png"
    png.unlink()
    picture(png.with_suffix(".jpg"))
    assert len(LinesReader().scan(tmp_path).samples) == 6


def test_the_encoding_of_a_list_is_said(tmp_path: Path) -> None:
    path = iam(tmp_path, WORDS)
    path.write_bytes(path.read_text(encoding="utf-8").replace("Mr. X", "Méry").encode("latin-1"))
    scanned = LinesReader().scan(tmp_path)
    assert "Méry" in scanned.samples.frame["text"].to_list()
    assert "words.txt is a list of IAM with 6 entries; it is Latin-1 text" in scanned.notes


@pytest.mark.parametrize("form", ["iam", "pictures"])
def test_an_unknown_segmentation_is_refused_whatever_the_source_is(tmp_path: Path, form: str) -> None:
    if form == "iam":
        iam(tmp_path, WORDS)
    else:
        picture(tmp_path / "0.png")
    with pytest.raises(UsageError, match="--segmentation dropp") as error:
        LinesReader().scan(tmp_path, segmentation="dropp")
    assert "drop" in (error.value.hint or "")


def test_of_entries_of_one_id_the_first_counts(tmp_path: Path) -> None:
    iam(tmp_path, [*WORDS[:5], WORDS[2], WORDS[3].replace("NN #", "NN hash")])
    scanned = LinesReader().scan(tmp_path)
    assert scanned.samples.frame["text"].to_list() == ["A", "#", "to"]
    assert [(Path(path).name, cause) for path, cause in scanned.problems.rows()] == [
        ("words.txt#a01-000u-00-00", "a further entry of the same id: the first counts"),
        ("words.txt#a01-000u-00-01", "a further entry of the same id with another text: the first counts"),
    ]


def test_stray_bytes_cost_their_own_entry_only(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / f"a01/a01-000u/a01-000u-0{number}.png", width=60)
    lines = [b"a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE", b"a01-000u-01 ok 154 19 408 746 1661 89 to\x00|stop",
             b"a01\x00000u-02 ok 154 19 408 746 1661 89 Mr."]  # fmt: skip
    (tmp_path / "lines.txt").write_bytes(b"\n".join(lines))
    made = LinesReader().scan(tmp_path, format="iam")
    frame = made.samples.frame
    assert frame["text"].to_list() == ["A MOVE", None]
    assert "control character" in frame["text_problem"][1]
    assert any("1 line can't be read as an entry: 3" in cause for cause in made.problems["cause"])
