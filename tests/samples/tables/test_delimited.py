"""Text tables as people's programs write them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable, TableMeta, read_frame, read_noted_frame, read_table, write_table

ROWS = [["name", "age"], ["Müller", "50"], ["Lee", "61"]]


def write(path: Path, rows: list[list[str]], separator: str = ",", encoding: str = "utf-8") -> Path:
    path.write_bytes("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    return path


@pytest.mark.parametrize(("separator", "said"), [(",", ""), (";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_delimiter_and_encoding_are_recognised_and_said(
    tmp_path: Path, separator: str, said: str, encoding: str
) -> None:
    frame, notes = read_noted_frame(write(tmp_path / "labels.csv", ROWS, separator, encoding))
    assert frame.to_dict(as_series=False) == {"name": ["Müller", "Lee"], "age": [50, 61]}
    assert any(said in note for note in notes) or not said
    assert ("UTF-16" in " ".join(notes)) == encoding.startswith("utf-16")
    assert ("read as Latin-1" in " ".join(notes)) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("name", "encoding", "said"),
    [("汽车", "gbk", "GB 18030"), ("„Müller“", "cp1252", "Windows-1252"), ("Müller", "latin-1", "Latin-1")],
)
def test_the_encoding_that_was_recognised_is_said(tmp_path: Path, name: str, encoding: str, said: str) -> None:
    frame, notes = read_noted_frame(write(tmp_path / "labels.csv", [["name", "age"], [name, "50"]], ",", encoding))
    assert frame["name"].to_list() == [name]
    assert f"labels.csv is not UTF-8: read as {said}" in notes[0]


def test_decimal_commas_become_numbers_and_are_said(tmp_path: Path) -> None:
    rows = [["eye", "bcva"], ["L", "0,5"], ["R", "1,25"]]
    frame, notes = read_noted_frame(write(tmp_path / "labels.csv", rows, ";"))
    assert frame["bcva"].to_list() == [0.5, 1.25]
    assert "decimal comma" in " ".join(notes)
    mixed = read_frame(write(tmp_path / "mixed.csv", [["a", "b"], ["0,5", "1.5"]], ";"))
    assert mixed.row(0) == ("0,5", 1.5)


def test_commas_in_quotes_separate_nothing(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text('name;note\n"Doe, J";"a, b, c"\n"Roe, R";"d, e, f"\n')
    assert read_frame(tmp_path / "labels.csv")["note"].to_list() == ["a, b, c", "d, e, f"]


def test_the_line_sep_of_excel_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("sep=;\na;b\n1;2\n")
    assert read_frame(tmp_path / "labels.csv").to_dicts() == [{"a": 1, "b": 2}]


def test_zeros_in_front_stay(tmp_path: Path) -> None:
    frame = read_frame(write(tmp_path / "labels.csv", [["id", "n"], ["007", "1"], ["103", "2"]]))
    assert frame["id"].to_list() == ["007", "103"]
    as_text = read_frame(write(tmp_path / "l.csv", [["id", "n"], ["7.0", "1"]]), ("id",))
    assert as_text["id"].to_list() == ["7.0"]


def test_running_text_stays_as_it_is_written(tmp_path: Path) -> None:
    rows = [["n", "Text", "words"], ["1,5", "12,50", "3,10"], ["NA", "NA", "NA"], ["2,5", "", "7"]]
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(";".join(row) for row in rows))
    frame = read_noted_frame(path, running=("words",))[0]
    assert frame["Text"].to_list() == ["12,50", "NA", None]
    assert frame["words"].to_list() == ["3,10", "NA", "7"]
    assert frame["n"].to_list() == [1.5, None, 2.5]
    assert read_frame(path)["words"].to_list() == [3.1, None, 7.0]


def test_a_table_of_this_package_keeps_the_word_na(tmp_path: Path) -> None:
    meta = TableMeta(columns={"writer": "String", "path": "String"})
    frame = pl.DataFrame({"path": ["a.png", "b.png"], "writer": ["NA", None]})
    write_table(SampleTable(frame.with_columns(sample=pl.col("path")), meta), tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv").frame["writer"].to_list() == ["NA", None]


def test_a_row_index_without_a_name_is_left_out(tmp_path: Path) -> None:
    frame, notes = read_noted_frame(write(tmp_path / "labels.csv", [["", "a "], ["0", "x"]]))
    assert frame.columns == ["a"]
    assert "row index" in " ".join(notes)


@pytest.mark.parametrize("header", [["a", "a"], ["a", " a"]])
def test_two_columns_of_one_name_are_refused(tmp_path: Path, header: list[str]) -> None:
    with pytest.raises(DataError, match="two columns are called 'a'"):
        read_frame(write(tmp_path / "labels.csv", [header, ["1", "2"]]))


@pytest.mark.parametrize(
    "blob", ["a,b\n1,2\n".encode("utf-16")[:-1], b"", b"\x00\x01\x02\x03" * 99, b'a,b\n"1,2\n3,4,5,6\n']
)
def test_what_is_no_table_is_bad_data(tmp_path: Path, blob: bytes) -> None:
    (tmp_path / "labels.csv").write_bytes(blob)
    with pytest.raises(DataError, match=r"labels.csv"):
        read_frame(tmp_path / "labels.csv")


@pytest.mark.parametrize("late", ["x", "1.5", "2024-13-77", "007", "99999999999999999999"])
@pytest.mark.parametrize("usual", ["1", "2024-01-01", "2024-01-01T10:00:00", "true"])
def test_a_value_that_comes_late_decides_the_type_as_well(tmp_path: Path, usual: str, late: str) -> None:
    """The types of a large table are guessed from its first rows, and must be those of all rows."""
    for rows in (10, 11_000):
        (tmp_path / f"{rows}.csv").write_text("a,b\n" + f"{usual},1\n" * rows + f"{late},1\n")
    small, large = (read_frame(tmp_path / f"{rows}.csv")["a"] for rows in (10, 11_000))
    assert large.dtype == small.dtype
    assert large[-1] == small[-1]
    assert large.null_count() == 0
