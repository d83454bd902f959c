from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable, TableMeta, read_table, write_problems, write_table

TABLE = SampleTable.of(
    {"sample": ["a", "b"], "path": ["/x/a.png", "/x/b.png"], "age": [1.5, None]},
    TableMeta("medical", ("patient",), {"axis": "coronal"}),
)


def test_parquet_keeps_the_meta(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "t.parquet")
    back = read_table(tmp_path / "t.parquet")
    assert back.frame.equals(TABLE.frame)
    assert back.meta == TABLE.meta


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_text_formats_keep_the_rows(tmp_path: Path, suffix: str) -> None:
    write_table(TABLE, tmp_path / f"t{suffix}")
    assert read_table(tmp_path / f"t{suffix}").frame.equals(TABLE.frame)


def test_relative_paths_count_from_the_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,label\nimages/a.png,1\n")
    assert read_table(tmp_path / "t.csv").frame["path"][0] == str(tmp_path.resolve() / "images/a.png")


@pytest.mark.parametrize(("suffix", "separator"), [(".csv", ","), (".tsv", "\t")])
def test_numbers_with_leading_zeros_stay_text(tmp_path: Path, suffix: str, separator: str) -> None:
    rows = [["patient", "age", "share"], ["007", "61", "0.5"], ["012", "", "0"], ["", "7", "NA"]]
    (tmp_path / f"t{suffix}").write_text("\n".join(separator.join(row) for row in rows))
    frame = read_table(tmp_path / f"t{suffix}").frame
    assert frame["patient"].to_list() == ["007", "012", None]
    assert frame["age"].to_list() == [61, None, 7]
    assert frame["share"].to_list() == [0.5, 0.0, None]


def test_what_is_no_table_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "half.parquet").write_bytes(b"PAR1 truncated")
    for name, error in [("none.csv", UsageError), ("half.parquet", DataError)]:
        with pytest.raises(error) as caught:
            read_table(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert caught.value.hint


def test_problems_stand_beside_the_table(tmp_path: Path) -> None:
    path = write_problems(pl.DataFrame({"path": ["p"], "cause": ["cut short"]}), tmp_path / "s.parquet")
    assert path.name == "s.problems.csv"
    assert "cut short" in path.read_text()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_lists_are_read_as_they_were_written(tmp_path: Path, suffix: str) -> None:
    columns = {
        "sample": ["a", "b", "c"],
        "classes": [["x, y", 'q"'], [], None],
        "counts": [[1, 2], None, []],
        "shares": [[0.5], [], [1.0, 2.0]],
        "region": [[0, 10, 5, 20]] * 3,
    }
    frame = pl.DataFrame(columns)
    declared = {name: str(dtype) for name, dtype in frame.schema.items()}
    path = tmp_path / f"s{suffix}"
    write_table(SampleTable(frame, TableMeta(columns=declared)), path)
    assert suffix != ".csv" or '"0,10,5,20"' in path.read_text()
    read = read_table(path).frame
    assert read.equals(frame)
    assert read.schema["classes"] == pl.List(pl.String)


@pytest.mark.parametrize(("value", "kept"), [("0,a", "0,a"), ("", None), ("[0, 10, 5, 20]", [0, 10, 5, 20])])
def test_a_region_that_is_none_stays_text(tmp_path: Path, value: str, kept: object) -> None:
    frame = pl.DataFrame({"sample": ["a", "b"], "region": [[0, 1], [1, 2]]})
    write_table(SampleTable(frame, TableMeta(columns={"region": "List(Int64)"})), tmp_path / "s.csv")
    (tmp_path / "s.csv").write_text(f'sample,region\na,"{value}"\nb,"1,2"\n')
    assert read_table(tmp_path / "s.csv").frame["region"].to_list() == [kept, "1,2" if kept == "0,a" else [1, 2]]


@pytest.mark.parametrize("value", ["x", '"x"', "[1", '[["a"]]'])
def test_a_value_that_is_no_list_is_named(tmp_path: Path, value: str) -> None:
    frame = pl.DataFrame({"sample": ["a"], "counts": [[1, 2]]})
    write_table(SampleTable(frame, TableMeta(columns={"counts": "List(Int64)"})), tmp_path / "s.csv")
    quoted = value.replace('"', '""')
    (tmp_path / "s.csv").write_text(f'sample,counts\na,"{quoted}"\n')
    with pytest.raises(DataError, match="the column 'counts' holds"):
        read_table(tmp_path / "s.csv")
