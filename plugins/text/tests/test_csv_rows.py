"""Rows of CSV tables of labels: quotes of CSV, quote marks of transcripts, fields over several lines, and faults."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from ssl_domains_text.lines.labels.csv_rows import csv_rows
from ssl_domains_text.lines.reader import LinesReader

from .line_files import picture


def rows_of(content: str, separator: str = ",", file: int = 0):
    lines = content.split("\n")
    return csv_rows(lines, 0, separator, len(lines[0].split(separator)), file)


def test_rows_are_those_of_the_csv_module() -> None:
    content = (
        'file,text,w\na.png,"one, two",x\n\nb.png,"say ""no""",\nc.png,"over\ntwo ""lines"", as here\n",y\n'
        'd.png,a "b" c,z\n"e.png",,""\n'
    )
    read = rows_of(content)
    assert read.rows == [row for row in csv.reader(io.StringIO(content)) if row][1:]
    assert read.rows[2] == ["c.png", 'over\ntwo "lines", as here\n', "y"]
    assert (read.literal, read.faults) == ([], [])


@pytest.mark.parametrize("last", ["3.png;four", '3.png;"four"', '3.png;four"', '3.png;er sagte "four"'])
def test_a_quote_that_does_not_close_takes_no_other_row(last: str) -> None:
    read = rows_of(f'file;text\n0.png;one\n1.png;"two\n2.png;three\n{last}\n4.png;five', ";")
    assert [row[0] for row in read.rows] == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    assert [row[1] for row in read.rows[:3]] == ["one", '"two', "three"]
    assert (read.literal, read.faults) == ([3], [])


def test_quote_marks_within_a_field_stay() -> None:
    read = rows_of('file;text\n0.png;"Nein" sagte er\n1.png;zwei\n2.png;fünf "hier"\n3.png;"vier"', ";")
    assert [row[1] for row in read.rows] == ['"Nein" sagte er', "zwei", 'fünf "hier"', "vier"]
    assert read.literal == [2]


def test_a_quote_at_the_last_row() -> None:
    assert rows_of('file,text\n0.png,"one').rows == [["0.png", '"one']]


def test_rows_with_other_fields_than_the_header_are_faults() -> None:
    read = rows_of('file,text\n0.png,"a, b\n1.png,yes, no\n2.png,c,\n3.png,d')
    assert read.rows == [["2.png", "c", ""], ["3.png", "d"]]
    assert read.faults == [(2, "the quotes of the row don't pair"), (3, "the row has 3 fields, the header has 2")]


def test_a_line_without_an_end_is_a_fault() -> None:
    read = rows_of('file,text\n0.png,"' + "x" * 200_000 + "\n1.png,b")
    assert read.rows == [["1.png", "b"]]
    assert [number for number, _ in read.faults] == [2]


@pytest.mark.parametrize("text", ['"one\ntwo"', '"one, and\ntwo"', '"\none"'])
def test_a_label_over_several_lines_before_the_file(text: str) -> None:
    read = rows_of(f"text,file\n{text},0.png\nthree,1.png", file=1)
    assert read.rows == [[text.strip('"'), "0.png"], ["three", "1.png"]]


def test_pictures_without_a_suffix() -> None:
    assert rows_of('id,text\n0000,"one\n0001,two').rows == [["0000", '"one'], ["0001", "two"]]
    assert rows_of('id,text\n0000,"one\n"\n0001,two').rows == [["0000", "one\n"], ["0001", "two"]]


def test_a_scan_says_what_its_quotes_are(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / f"{number}.png", seed=number)
    (tmp_path / "labels.csv").write_text('file,text\n0.png,one\n1.png,"two\n2.png,three\n3.png,a, b\n4.png,"five\n"\n')
    scanned = LinesReader().scan(tmp_path)
    rows = scanned.samples.frame
    assert dict(zip(rows["sample"], rows["text"], strict=True)) == {
        "0.png": "one", "1.png": '"two', "2.png": "three", "3.png": None, "4.png": "five",
    }  # fmt: skip
    assert scanned.problems.rows() == [(f"{tmp_path}/labels.csv#line 5", "the row has 3 fields, the header has 2")]
    assert (
        "labels.csv is read as a table of 4 lines; quotes that don't pair are read as characters (line 3); 1 row that "
        "can't be read left out" in scanned.notes
    )


def test_files_that_can_not_be_read_are_problems(tmp_path: Path) -> None:
    picture(tmp_path / "0.png")
    (tmp_path / "labels.csv").write_bytes(b"file,text\n0.png,\x00one\n")
    (tmp_path / "other.csv").write_text("file,text\n1,0.png,one\n")
    assert LinesReader().scan(tmp_path).problems.rows() == [
        (f"{tmp_path}/labels.csv", "it is no text"),
        (
            f"{tmp_path}/other.csv",
            "no row of the table can be read, the first because: the row has 3 fields, the header has 2",
        ),
    ]
