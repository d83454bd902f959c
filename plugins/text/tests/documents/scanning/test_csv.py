"""CSV files that are not as expected: other delimiters and names, quotation marks left open, very long texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssl_domains_text.documents.files.tables import Unnamed, entries_of, has_header

from ..scanned import note, problems, scan, texts


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised(tmp_path: Path, delimiter: str) -> None:
    rows = [("id", "title", "text"), ("1", "A", '"alpha, beta; gamma | delta"'), ("2", "B", "gamma")]
    write(tmp_path / "in/corpus.csv", "".join(delimiter.join(row) + "\n" for row in rows))
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/1": "A alpha, beta; gamma | delta", "d/2": "B gamma"}


def test_the_delimiter_without_a_header(tmp_path: Path) -> None:
    write(tmp_path / "in/documents.csv", "t1;alpha, beta\nt2;gamma\nt3;delta, epsilon, zeta\n")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/t1": "alpha, beta", "d/t2": "gamma", "d/t3": "delta, epsilon, zeta"}
    assert note(scanned, "no header was recognised") == (
        "documents.csv: documents (csv), 3 rows; no header was recognised"
    )


@pytest.mark.parametrize(("line", "said"), [("t1\talpha", False), ("Nummer\tBetreff", True), ("9,alpha", True)])
def test_a_first_line_that_may_be_a_header(tmp_path: Path, line: str, said: bool) -> None:
    name = "documents.csv" if "," in line else "documents.tsv"
    write(tmp_path / "in" / name, f"{line}\nx{line}\n")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert len(texts(scanned.path)) == 2
    assert any("no header was recognised" in one for one in scanned.result.notes) == said


def test_sentences_are_not_cut_at_their_semicolons(tmp_path: Path) -> None:
    lines = ["First this; then that", "One more; and another"]
    assert [values for _, values in entries_of(write(tmp_path / "a.csv", "\n".join(lines)), "csv")] == [
        {"0": line} for line in lines
    ]


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        (["ticket_id", "text"], True),
        (["ticket_id", "subject", "text", "created"], True),
        (["", "text"], True),  # as pandas writes it
        (["text"], True),
        (["id", "title"], True),
        (["7", "text"], False),
        (["d1", "abstract"], False),
        (["text", "text"], True),
        (["fast car", "17"], False),
        (["the abstract of a text that is rather long", "text"], False),
        (["ticket", "betreff"], False),
    ],
)
def test_a_header_is_known_by_its_names(fields: list[str], header: bool) -> None:
    assert has_header(fields) == header


def test_a_header_with_one_usual_name(tmp_path: Path) -> None:
    lines = "ticket_id,subject,text,created\n1,Broken fridge,it leaks,2020\n2,Oven,cold,2021\n"
    write(tmp_path / "in/docs.csv", lines)
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/2": "it leaks", "d/3": "cold"}
    assert "no column of ids was recognised: the numbers of lines are the ids" in note(scanned, "docs.csv")


def test_four_columns_without_an_address_are_all_text(tmp_path: Path) -> None:
    write(tmp_path / "in/docs.tsv", "D1\tBroken fridge\tit leaks\tsince May\nD2\thttps://a.b/c\tOven\tcold\n")
    assert texts(scan(tmp_path / "in", tmp_path / "out").path) == {
        "d/D1": "Broken fridge it leaks since May", "d/D2": "Oven cold"
    }  # fmt: skip


@pytest.mark.parametrize("last", ["", '5,"closed, and fine"\n', '5,"closed",\n', '5,"two\nlines"\n'])
def test_a_quotation_mark_that_is_left_open(tmp_path: Path, last: str) -> None:
    write(tmp_path / "in/corpus.csv", 'id,text\n1,alpha\n2,"open quote beta\n3,gamma\n4,delta\n' + last)
    scanned = scan(tmp_path / "in", tmp_path / "out")
    found = texts(scanned.path)
    assert {name: found[name] for name in ("d/1", "d/3", "d/4")} == {"d/1": "alpha", "d/3": "gamma", "d/4": "delta"}
    assert "d/2" not in found
    assert problems(scanned)["corpus.csv:3"] == (
        "a quotation mark that begins a field is not closed, or not at the end of the field"
    )
    if "fine" in last:
        assert found["d/5"] == "closed, and fine"
    if "two" in last:
        assert found["d/5"] == "two\nlines"


def test_quotation_marks_within_a_text(tmp_path: Path) -> None:
    lines = ['1,"he said "no" to it"', '2,"a ""quoted"" word"', '3,6" pipe', '4,"last" one', '5,"over', 'two lines"']
    path = write(tmp_path / "in/corpus.csv", "id,text\n" + "\n".join(lines) + "\n")
    assert dict(entry for entry in entries_of(path, "csv")) == {
        2: {"id": "1", "text": 'he said no" to it"'},  # as Python reads it without being strict
        3: {"id": "2", "text": 'a "quoted" word'},
        4: {"id": "3", "text": '6" pipe'},
        5: {"id": "4", "text": "last one"},
        6: {"id": "5", "text": "over\ntwo lines"},
    }


def test_rows_behind_a_text_that_is_too_long_are_read(tmp_path: Path) -> None:
    write(tmp_path / "in/corpus.csv", "id,text\n1,a\n2," + "x " * (9 << 20) + "\n3,b\n4,c\n")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/1": "a", "d/3": "b", "d/4": "c"}
    assert problems(scanned) == {"corpus.csv:3": "its text has more than 16,777,216 characters"}


def test_a_mark_that_is_left_open_in_a_long_file(tmp_path: Path) -> None:
    rows = "".join(f"{number},{'word ' * 2000}\n" for number in range(2, 2000))
    path = write(tmp_path / "long.csv", 'id,text\n1,"open\n' + rows)
    read = list(entries_of(path, "csv"))
    assert len(read) == 1999
    assert all(not isinstance(values, Unnamed) for _, values in read[1:])
    assert [values["id"] for _, values in read[1:]] == [str(number) for number in range(2, 2000)]
