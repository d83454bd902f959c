"""Labels: normalisation, alphabets, length, control characters, direction; and a reason for each that is left out."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from ssl_domains.alphabets import alphabet_of
from ssl_domains.errors import UsageError
from ssl_domains.text_direction import direction_of
from ssl_domains_text.lines.labels.alphabet import named_character
from ssl_domains_text.lines.labels.transcripts import LabelRules, Transcripts, transcripts_of


def made(written: list[str | None], **rules: object) -> Transcripts:
    if isinstance(rules.get("alphabet"), str):
        rules["alphabet"] = alphabet_of(str(rules["alphabet"]))
    return transcripts_of(written, [""] * len(written), LabelRules(**rules))  # type: ignore[arg-type]


def test_nothing_is_changed_that_was_not_asked_for() -> None:
    labels = ["Hello", "naïve", "가나", "x" * 40, "a b", "#", '"', "007", "null"]
    found = made([*labels, None])
    assert found.texts == [*labels, None]
    assert set(found.problems) == {None}
    assert found.directions == []
    assert found.notes == ["9 labels, all can be used", "1 line has no label"]


def test_each_label_that_is_left_out_has_a_reason() -> None:
    labels = ["hello", "World", "naïve", "가나", "x" * 40, "a b", "ok", "", "a\tb", "  "]
    found = made(labels, alphabet="ascii", longest=25)
    assert found.texts == ["hello", "World", None, None, None, "a b", "ok", None, None, None]
    assert found.problems == [
        None,
        None,
        "characters outside the alphabet: 'ï' (U+00EF)",
        "characters outside the alphabet: '가' (U+AC00), '나' (U+B098)",
        "40 characters, more than 25",
        None,
        None,
        "the label is empty",
        "the label has control characters: U+0009",
        "the label is empty",
    ]
    assert found.notes[0].startswith("10 labels, 4 can be used; left out: ")
    for words in ("2 outside the alphabet", "1 longer than 25 characters", "2 empty", "1 with control characters"):
        assert words in found.notes[0]
    assert found.notes[1] == "outside the alphabet: 'ï' (U+00EF) in 1, '가' (U+AC00) in 1, '나' (U+B098) in 1"


def test_capitals_stay_unless_asked() -> None:
    assert made(["World", "ok"], alphabet="ascii-lower").texts == [None, "ok"]
    lowered = made(["World", "ok"], alphabet="ascii-lower", lower=True)
    assert lowered.texts == ["world", "ok"]
    assert any("1 lose their capitals" in note for note in lowered.notes)


def test_unicode_is_composed_and_said() -> None:
    found = made([unicodedata.normalize("NFD", "naïve"), "naïve"], alphabet="aeinvï")
    assert found.texts == ["naïve", "naïve"]
    assert any("1 are normalised to composed characters (Unicode NFC)" in note for note in found.notes)


def test_spaces_at_the_ends() -> None:
    found = made([" a b\n", "c"])
    assert found.texts == ["a b", "c"]
    assert any("1 lose spaces at their ends" in note for note in found.notes)


def test_a_cause_of_the_reader_counts_as_a_label_that_is_left_out() -> None:
    found = transcripts_of([None, "a"], ["no UTF-8 text", ""], LabelRules())
    assert found.problems == ["no UTF-8 text", None]
    assert "2 labels, 1 can be used; left out: 1 no UTF-8 text" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("שלום", "rtl"),
        ("مرحبا", "rtl"),
        ("hello", "ltr"),
        ("1948", None),
        ("שנת 1948", "rtl"),
        ("abc של", "ltr"),
        ("가", "ltr"),
    ],
)
def test_directions(text: str, direction: str | None) -> None:
    assert direction_of(text) == direction


def test_right_to_left_lines_are_said_and_stay_in_reading_order() -> None:
    found = made(["שלום", "1948", "hello", None, "שנת"])
    assert found.texts == ["שלום", "1948", "hello", None, "שנת"]
    assert found.directions == ["rtl", "rtl", "ltr", "rtl", "rtl"], "lines without letters take the usual direction"
    assert any("4 lines are read from right to left" in note and "reading" in note for note in found.notes)
    assert made(["hello", "world"], direction="rtl").directions == ["rtl", "rtl"]
    assert made(["שלום", "12"], direction="ltr").directions == ["ltr", "ltr"]
    assert made(["hello"], direction="ltr").directions == []


def test_alphabets(tmp_path: Path) -> None:
    assert alphabet_of("digits") == frozenset("0123456789")
    assert len(alphabet_of("ascii")) == 95
    assert alphabet_of("abc") == frozenset("abc")
    path = tmp_path / "letters.txt"
    path.write_text("aä\nb c\r\n", encoding="utf-8")
    assert alphabet_of(str(path)) == frozenset("aäb c")
    assert alphabet_of("x" * 5000) == frozenset("x")
    with pytest.raises(UsageError, match="no characters"):
        alphabet_of("")


@pytest.mark.parametrize(
    "name", ["nofile.txt", "letters/latin", "./small", "../greek.chars", "C:\\sets\\latin", "alphabet.yaml", "abc.csv"]
)
def test_an_alphabet_that_is_no_file(name: str) -> None:
    with pytest.raises(UsageError, match="there is no such file") as caught:
        alphabet_of(name)
    assert "each character once" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["0123456789/", "/.-", ".abc", "ab.c", "a\u0308o\u0308/", "aab", "x." + "一丁七" * 99])
def test_characters_that_are_no_file_name(text: str) -> None:
    assert alphabet_of(text) == frozenset(unicodedata.normalize("NFC", text))


def test_files_of_an_alphabet(tmp_path: Path) -> None:
    path = tmp_path / "letters.txt"
    path.write_text("e\n\u0301\na\u0308\r\nx\u030c", encoding="utf-8")
    assert alphabet_of(str(path)) == {"e", "\u0301", "ä", "x", "\u030c"}, "lines are not joined"
    path.write_bytes("ä".encode("utf-16"))
    assert alphabet_of(str(path)) == {"ä"}
    path.write_bytes(b"a\x00b")
    with pytest.raises(UsageError, match="it is no text"):
        alphabet_of(str(path))
    path.write_text("\n\n")
    with pytest.raises(UsageError, match="no characters"):
        alphabet_of(str(path))


def test_rules_that_none_can_have() -> None:
    for rules in ({"longest": 0}, {"direction": "up"}):
        with pytest.raises(UsageError):
            made(["a"], **rules)


def test_characters_are_named() -> None:
    assert named_character("ï") == "'ï' (U+00EF)"
    assert named_character("\x07") == "U+0007"
