"""A table with paths as the source of a scan, on the command line."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains.cli.app import run
from ssl_domains.samples import read_table

from .sound_files import chirp, clip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clip(tmp_path / "a" / "one.wav", chirp(4000))
    clip(tmp_path / "b" / "two.wav", chirp(8000), rate=16000)
    (tmp_path / "page.wav").write_text("<html>")
    return tmp_path


def scan(folder: Path, text: str, *options: str) -> int:
    (folder / "rows.csv").write_text(text)
    return run(["audio", "scan", str(folder / "rows.csv"), "-o", str(folder / "out.parquet"), *options])


def test_rows_stay_and_what_files_say_is_added(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "sample,path,speaker,rate\nx,a/one.wav,anna,1\ny,b/two.wav,bert,2\nz,gone.wav,bert,3\nw,page.wav,anna,4\n"
    assert scan(folder, text) == 0
    table = read_table(folder / "out.parquet").frame
    assert table.select("sample", "speaker", "seconds", "rate", "format").rows() == [
        ("x", "anna", 0.5, 8000, "wav int16"), ("y", "bert", 0.5, 16000, "wav int16")
    ]  # fmt: skip
    assert table["level_db"].null_count() == 0
    printed = capsys.readouterr().out
    assert "columns of the table that the files know better are replaced: rate" in printed
    assert sorted(pl.read_csv(folder / "out.problems.csv")["cause"]) == [
        "no recording: the file is HTML", "no such file"
    ]  # fmt: skip


def test_rows_with_times_are_parts(folder: Path) -> None:
    text = "path,start_s,stop_s\na/one.wav,0.1,0.3\na/one.wav,0.2,0.4\nb/two.wav,,\na/one.wav,3,4\n"
    assert scan(folder, text, "--no-contents") == 0
    table = read_table(folder / "out.parquet").frame
    assert table["region"].to_list() == [[800, 2400, 0, 1], [1600, 3200, 0, 1], [0, 8000, 0, 1]]
    assert table["array"].to_list() == ["a/one.wav", "a/one.wav", "b/two.wav"]
    assert "level_db" not in table.columns
    assert pl.read_csv(folder / "out.problems.csv")["cause"].to_list() == [
        "a row of the table asks for 3 to 4 s of 0.5 s"
    ]


def test_what_a_table_can_not_have(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan(folder, "path\na/one.wav\n", "--cut", "0.1") == 2
    assert "--cut reads a folder" in capsys.readouterr().err
    assert scan(folder, "path,start_s,stop_s\na/one.wav,soon,late\n") == 2
    assert "'start_s' of the table holds String" in capsys.readouterr().err


def test_a_scanned_table_stays(folder: Path) -> None:
    assert run(["audio", "scan", str(folder / "a"), "-o", str(folder / "cuts.parquet"), "--cut", "0.1"]) == 0
    assert run(["audio", "scan", str(folder / "cuts.parquet"), "-o", str(folder / "again.parquet")]) == 0
    assert read_table(folder / "again.parquet").frame.equals(read_table(folder / "cuts.parquet").frame)
