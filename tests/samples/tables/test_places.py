"""Paths count from the folder of the table."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable, missing_files, read_table, write_portable


def table(paths: list[str | None]) -> SampleTable:
    return SampleTable.of(pl.DataFrame({"path": paths}, schema={"path": pl.String}))


def test_paths_are_written_for_the_folder_of_the_table_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    monkeypatch.chdir(inside)
    given = [str(inside / "sub" / "a.npy"), "here.npy", "./sub/b.npy", str(outside / "c.npy"), "link/d.npy", None]
    write_portable(table(given), inside / "samples.parquet")
    written = pl.read_parquet(inside / "samples.parquet")["path"].to_list()
    assert written == ["sub/a.npy", "here.npy", "sub/b.npy", str(outside / "c.npy"), str(outside / "d.npy"), None]
    read = read_table(inside / "samples.parquet").frame["path"].to_list()
    assert read == [None if path is None else str(inside / path) for path in written]


def test_a_file_that_a_reader_keeps_moves_with_the_table(tmp_path: Path) -> None:
    kept = tmp_path / "here" / "kept" / "a.json"
    kept.parent.mkdir(parents=True)
    frame = pl.DataFrame({"path": ["/data/a.sgy", "/data/b.sgy"], "index_path": [str(kept), None]})
    write_portable(SampleTable.of(frame), tmp_path / "here" / "samples.parquet")
    assert pl.read_parquet(tmp_path / "here" / "samples.parquet")["index_path"].to_list() == ["kept/a.json", None]
    (tmp_path / "here").rename(tmp_path / "there")
    read = read_table(tmp_path / "there" / "samples.parquet").frame
    assert read["index_path"].to_list() == [str(tmp_path / "there" / "kept" / "a.json"), None]
    assert read["path"].to_list() == ["/data/a.sgy", "/data/b.sgy"]


def test_reading_paths_gives_what_pathlib_gives(tmp_path: Path) -> None:
    paths = ["a.npy", "b/c.npy", "/abs/d.npy", "./e.npy", "f//g.npy", "h/", "../i.npy", "ä/b.npy"]
    pl.DataFrame({"path": paths}).write_parquet(tmp_path / "odd.parquet")
    pl.DataFrame({"path": paths[:3]}).write_parquet(tmp_path / "usual.parquet")
    for name, count in (("odd", len(paths)), ("usual", 3)):
        read = read_table(tmp_path / f"{name}.parquet").frame["path"].to_list()
        assert read == [str(tmp_path / path) for path in paths[:count]]


@pytest.mark.parametrize("values", [["2024-01-01", "2024-01-02"], ["1", "2"], ["true", "false"], ["1.5", "2.5"]])
def test_a_csv_whose_paths_look_like_something_else_is_read_as_paths(tmp_path: Path, values: list[str]) -> None:
    (tmp_path / "list.csv").write_text("path\n" + "\n".join(values))
    assert read_table(tmp_path / "list.csv").frame["path"].to_list() == [str(tmp_path / value) for value in values]


@pytest.mark.parametrize("values", [[True, False], [1.5, 2.5], [["a"], ["b"]]])
def test_a_parquet_whose_paths_are_no_text_is_refused_with_a_value(tmp_path: Path, values: list[object]) -> None:
    pl.DataFrame({"path": values}).write_parquet(tmp_path / "list.parquet")
    with pytest.raises(DataError, match="not paths of files"):
        read_table(tmp_path / "list.parquet")


def test_a_sample_column_of_lists_is_bad_data(tmp_path: Path) -> None:
    pl.DataFrame({"sample": [["a"], ["b"]]}).write_parquet(tmp_path / "list.parquet")
    with pytest.raises(DataError, match="'sample'"):
        read_table(tmp_path / "list.parquet")


def test_missing_files_are_found_once_each(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    paths = [str(tmp_path / name) for name in ("a", "b", "b", "c")]
    frame = pl.DataFrame({"path": [*paths, None]})
    assert missing_files(frame) == [paths[1], paths[3]]
    assert missing_files(frame, first=1) == []
    assert missing_files(frame, first=2) == [paths[1], paths[3]]
    assert os.path.isfile(paths[0])
