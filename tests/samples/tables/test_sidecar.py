"""What makes a table more than its columns survives edits, copies and crashes, or the loss is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable, TableMeta, read_noted_table, read_table, sidecar_path, walk, write_table
from ssl_domains.samples.scanning.problems import Problems

META = TableMeta("toy", ("patient",), {"split_by": "patient", "test": 0.2}, "0123abcd", {"sample": "String"})
TABLE = SampleTable.of({"sample": ["a", "b"], "patient": ["p", "q"], "path": ["a.npy", "b.npy"]}, META)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".xlsx"])
def test_metadata_returns_from_every_kind_of_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"samples{suffix}"
    write_table(TABLE, str(path))
    assert read_table(str(path)).meta == META
    assert read_noted_table(path)[1] == ()
    assert sorted(one.name for one in tmp_path.iterdir()) == [path.name, f"{path.name}.json"]


def test_an_edit_by_polars_keeps_the_metadata_and_is_said(tmp_path: Path) -> None:
    path = tmp_path / "samples.parquet"
    write_table(TABLE, path)
    pl.read_parquet(path).with_columns(grade=pl.lit(3)).write_parquet(path)
    table, notes = read_noted_table(path)
    assert table.meta == META
    assert "grade" in table.columns
    assert "lost its metadata" in notes[0]
    shutil.copy(path, tmp_path / "copy.parquet")
    lost, notes = read_noted_table(tmp_path / "copy.parquet")
    assert lost.meta == TableMeta()
    assert "has no metadata" in notes[0]
    assert "--like" in notes[0]


def test_without_its_sidecar_the_inner_metadata_serves(tmp_path: Path) -> None:
    path = tmp_path / "samples.parquet"
    write_table(TABLE, path)
    sidecar_path(path).unlink()
    table, notes = read_noted_table(path)
    assert table.meta == META
    assert "samples.parquet.json is not beside" in notes[0]


def test_a_sidecar_that_says_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "samples.parquet"
    write_table(TABLE, path)
    values = json.loads(sidecar_path(path).read_text())
    sidecar_path(path).write_text(json.dumps({**values, "identifiers": []}))
    with pytest.raises(DataError, match="disagree on which columns are identifiers") as caught:
        read_table(path)
    assert caught.value.hint.endswith(f"rm {sidecar_path(path)}")


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", '{"domain": 3}', '{"domain": "toy", "identifiers": "patient", "options": {}}',
     '{"domain": "toy", "identifiers": [], "options": {}, "columns": {"a": 1}}', "[" * 100_000, "\ud800"],
)  # fmt: skip
def test_a_damaged_sidecar_is_bad_data(tmp_path: Path, text: str) -> None:
    path = tmp_path / "samples.csv"
    write_table(TABLE, path)
    sidecar_path(path).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(DataError, match=r"samples.csv.json"):
        read_table(path)


@pytest.mark.parametrize("text", ["no json", "[]", '{"domain": "toy"}'])
def test_damaged_inner_metadata_is_bad_data(tmp_path: Path, text: str) -> None:
    path = tmp_path / "samples.parquet"
    TABLE.frame.write_parquet(path, metadata={"ssl_domains": text})
    with pytest.raises(DataError, match=r"metadata in 'samples.parquet' is damaged"):
        read_table(path)


def test_metadata_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "samples.parquet"
    old = {"domain": "toy", "identifiers": ["patient"], "options": {"split_by": "patient"}}
    TABLE.frame.write_parquet(path, metadata={"ssl_domains": json.dumps(old)})
    meta = read_table(path).meta
    assert (meta.group, meta.key, meta.old_identifiers) == ("patient", "", True)
    assert meta.made_by_reader("anything")


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_full_disk_keeps_table_and_sidecar(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"samples{suffix}"
    write_table(TABLE, path)
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}

    def full(self: pl.DataFrame, file: Path, **options: object) -> None:
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    for name in ("write_parquet", "write_csv"):
        monkeypatch.setattr(pl.DataFrame, name, full)
    with pytest.raises(OSError, match="No space left"):
        write_table(SampleTable(TABLE.frame, TableMeta("other")), path)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_a_kill_between_the_two_files_leaves_a_table_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill leaves no time for cleaning up: the renaming of the sidecar never happens."""
    path = tmp_path / "samples.parquet"
    write_table(TABLE, path)
    import os

    rename = os.replace

    def killed(source: Path, target: Path) -> None:
        if Path(target).name.endswith(".json"):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "replace", killed)
    new = SampleTable(TABLE.frame, TableMeta("toy", (), {"split_by": "sample"}))
    with pytest.raises(KeyboardInterrupt):
        write_table(new, path)
    assert read_table(path).meta == new.meta


def test_a_table_without_metadata_leaves_no_sidecar_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    write_table(TABLE, path)
    write_table(SampleTable(TABLE.frame), path)
    assert not sidecar_path(path).exists()
    assert read_table(path).meta == TableMeta()


def test_a_scan_passes_sidecars_over(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "samples.parquet")
    (tmp_path / "annotations.json").write_text("{}")
    assert [path.name for path in walk(tmp_path, Problems())] == ["annotations.json", "samples.parquet"]


def test_text_of_a_csv_stays_text(tmp_path: Path) -> None:
    table = SampleTable.of(
        {"sample": ["1.10", "2.0"], "visit": ["1.0", "2.50"], "path": ["1", "2"]},
        TableMeta("toy", columns={"visit": "String"}),
    )
    write_table(table, tmp_path / "samples.csv")
    frame = read_table(tmp_path / "samples.csv").frame
    assert frame["sample"].to_list() == ["1.10", "2.0"]
    assert frame["visit"].to_list() == ["1.0", "2.50"]
    assert frame["path"].to_list() == [str(tmp_path / "1"), str(tmp_path / "2")]
