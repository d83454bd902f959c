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
