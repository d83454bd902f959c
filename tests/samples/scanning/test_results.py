"""Folders that ssl-domains wrote are no part of an archive: a second scan sees what the first one saw."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains.samples import Problems, SampleTable, TableMeta, is_sample_table, walk, write_portable
from ssl_domains.samples.scanning.results import is_result


def _write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("path,predicted_mask\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("table", ["samples.parquet", "samples.csv", "samples.xlsx"])
@pytest.mark.parametrize("suffix", ["labels", "store", "texts"])
def test_what_lies_beside_its_table(tmp_path: Path, table: str, suffix: str) -> None:
    folder = _write(tmp_path / f"samples.{suffix}", "volume.npy")
    assert not is_result(folder)
    _write(tmp_path, table)
    assert is_result(folder)
    assert not is_result(_write(tmp_path / f"other.{suffix}", "volume.npy"))


def test_runs_and_predictions(tmp_path: Path) -> None:
    assert is_result(_write(tmp_path / "run", "preprocess.json", "recipe.json", "embeddings.npy"))
    assert is_result(_write(tmp_path / "predicted", "index.csv", "masks/a.png"))
    assert not is_result(_write(tmp_path / "half", "preprocess.json"))
    other = _write(tmp_path / "archive", "masks/a.png")
    (other / "index.csv").write_text("path,patient\n", encoding="utf-8")
    assert not is_result(other)


def test_a_walk_passes_them_over_unless_it_starts_there(tmp_path: Path) -> None:
    _write(tmp_path, "a.npy", "samples.parquet", "samples.labels/a-1.npy", "predicted/index.csv",
           "predicted/masks/a.npy", "labels/kept.npy")  # fmt: skip
    found = [path.relative_to(tmp_path).as_posix() for path in walk(tmp_path, Problems())]
    assert found == ["a.npy", "labels/kept.npy", "samples.parquet"]
    assert [path.name for path in walk(tmp_path / "samples.labels", Problems())] == ["a-1.npy"]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_sample_table_is_known_by_its_metadata(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"samples.{suffix}"
    table = SampleTable.of(pl.DataFrame({"sample": ["a"], "path": ["a.npy"]}), TableMeta(domain="seismic"))
    write_portable(table, path)
    assert is_sample_table(path)
    (tmp_path / f"samples.{suffix}.json").unlink()
    assert is_sample_table(path) == (suffix == "parquet")  # a CSV file has its metadata in the sidecar only


def test_other_tables_are_no_sample_tables(tmp_path: Path) -> None:
    pl.DataFrame({"sample": ["a"]}).write_parquet(tmp_path / "corpus.parquet")
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    (tmp_path / "described.csv").write_text("id,text\n1,a\n", encoding="utf-8")
    (tmp_path / "described.csv.json").write_text('{"id": "the id of a text"}', encoding="utf-8")
    for name in ("corpus.parquet", "damaged.parquet", "described.csv", "described.csv.json", "none.parquet"):
        assert not is_sample_table(tmp_path / name), name
