"""A store tells no absolute path, and finds its source files again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.stores.files.source_paths import SourcePaths

PLACES = SourcePaths(Path("/data/study"))
PAIRS = {
    "/data/study/a/1.png": "a/1.png",
    "/data/archive/1.png": "../archive/1.png",
    "/other/é/1.png": "../../other/é/1.png",
    "/data/study2/1.png": "../study2/1.png",
    "s3://bucket/1.png": "s3://bucket/1.png",
    "": "",
}


class Reader:
    version = "1"

    def scan(self, source: Path) -> None: ...

    def load(self, row: dict[str, str]) -> np.ndarray:
        return np.load(row["path"])


@pytest.mark.parametrize(("path", "written"), PAIRS.items())
def test_one_path(path: str, written: str) -> None:
    assert PLACES.written(path) == written
    assert PLACES.read(written) == path


def test_a_column_gives_what_single_paths_give() -> None:
    usual = pl.Series([*[path for path in PAIRS if path.startswith("/")], None], dtype=pl.String)
    odd = pl.Series([*PAIRS, "/data/study/../x.png", "/data//y.png"])
    for paths in (usual, odd):
        written = PLACES.written_all(paths)
        assert written.to_list() == [None if path is None else PLACES.written(path) for path in paths]
        assert PLACES.read_all(written).to_list() == paths.to_list()


def test_an_absolute_path_of_an_earlier_version_is_read() -> None:
    assert PLACES.read("/data/archive/1.png") == "/data/archive/1.png"
    assert PLACES.read_all(pl.Series(["/data/archive/1.png"]))[0] == "/data/archive/1.png"


@pytest.fixture
def table(tmp_path: Path) -> SampleTable:
    for name in ("work/in", "archive"):
        (tmp_path / name).mkdir(parents=True)
    paths = [tmp_path / "work/in/a.npy", tmp_path / "archive/b.npy", tmp_path / "archive/bad.npy"]
    for number, path in enumerate(paths[:2]):
        np.save(path, np.full((4, 4, 1), number, dtype=np.uint8))
    paths[2].write_bytes(b"no array")
    return SampleTable.of({"sample": ["a", "b", "bad"], "path": [str(path) for path in paths]})


def test_no_file_of_a_store_holds_an_absolute_path(tmp_path: Path, table: SampleTable) -> None:
    folder = tmp_path / "work" / "samples.store"
    store = ArrayStore.fill(folder, table, Reader())
    assert len(store) == 2
    for path in folder.iterdir():
        assert str(tmp_path).encode() not in path.read_bytes(), path.name
    frames = [pl.read_parquet(path) for path in folder.glob("*.parquet")]
    texts = [str(value) for frame in frames for row in frame.rows() for value in row]
    assert "in/a.npy" in texts
    assert "../archive/b.npy" in texts
    assert not any(str(tmp_path) in text for text in texts)
    assert store.problems["path"].to_list() == [table.frame["path"][2]]


def test_the_journal_of_a_filling_that_stopped_holds_none_either(tmp_path: Path, table: SampleTable) -> None:
    folder = tmp_path / "work" / "samples.store"

    class Stopped(Reader):
        def load(self, row: dict[str, str]) -> np.ndarray:
            if row["path"].endswith("bad.npy"):
                raise KeyboardInterrupt
            return super().load(row)

    Stopped.__qualname__ = Reader.__qualname__
    with pytest.raises(KeyboardInterrupt):
        ArrayStore.fill(folder, table, Stopped())
    lines = [json.loads(line) for line in next(folder.glob("journal-*")).read_text().splitlines()]
    assert [line["path"] for line in lines if "path" in line] == ["in/a.npy", "../archive/b.npy"]
    read = []

    class Watched(Reader):
        def load(self, row: dict[str, str]) -> np.ndarray:
            read.append(row["sample"])
            return super().load(row)

    Watched.__qualname__ = Reader.__qualname__
    ArrayStore.fill(folder, table, Watched())
    assert read == ["bad"]


def test_a_changed_file_is_decoded_again_and_an_absent_one_is_kept(tmp_path: Path, table: SampleTable) -> None:
    folder = tmp_path / "work" / "samples.store"
    ArrayStore.fill(folder, table, Reader())
    Path(table.frame["path"][0]).unlink()
    np.save(table.frame["path"][1], np.full((5, 4, 1), 9, dtype=np.uint8))
    said: list[str] = []
    arrays = ArrayStore.fill(folder, table, Reader(), notice=said.append).of(table)
    assert [int(arrays[row].max()) for row in (0, 1)] == [0, 9]
    assert "source files of 1 stored array are not there now" in " ".join(said)
