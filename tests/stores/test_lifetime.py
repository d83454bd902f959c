"""What happens to a store over time: sources that vanish or change, dead bytes, earlier formats, crashes."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

import counting_reader as readers
from ssl_domains.errors import DataError, ResourceError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains.stores.copying import readable_bytes
from ssl_domains.stores.files import compaction, generation
from ssl_domains.stores.files.header import Header, read_header

Source = Callable[..., SampleTable]


def assert_holds(store: ArrayStore, table: SampleTable) -> None:
    samples = store.of(table)
    for row, values in enumerate(table.frame.iter_rows(named=True)):
        np.testing.assert_array_equal(samples[row], np.load(values["path"])[values["slice"]])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "fill.lock"}


def change(path: str) -> None:
    """Other numbers in a file, and a later time of modification."""
    np.save(path, np.load(path)[::-1] // 2)
    found = os.stat(path)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000_000))


@pytest.fixture
def moved(tmp_path: Path, source: Source) -> SampleTable:
    """A table whose files lie in the folder ``files``."""
    table = source()
    (tmp_path / "files").mkdir()
    paths = [str(tmp_path / "files" / Path(path).name) for path in table.frame["path"]]
    for old, new in dict(zip(table.frame["path"], paths, strict=True)).items():
        Path(old).rename(new)
    return table.with_columns(path=paths)


def test_a_folder_renamed_and_back_decodes_nothing_and_grows_nothing(tmp_path: Path, moved: SampleTable) -> None:
    folder = tmp_path / "x.store"
    store = ArrayStore.fill(folder, moved, readers.VolumeReader())
    arrays, before = [store.of(moved)[row].copy() for row in range(12)], contents(folder)
    (tmp_path / "files").rename(tmp_path / "elsewhere")
    notices: list[str] = []
    reader = readers.VolumeReader()
    absent = ArrayStore.fill(folder, moved, reader, notice=notices.append)
    assert notices == [
        "the source files of 12 stored arrays are not there now: the arrays are used as they were stored"
    ]
    for row in range(12):
        np.testing.assert_array_equal(absent.of(moved)[row], arrays[row])
    assert absent.of(moved).fingerprint == store.of(moved).fingerprint
    (tmp_path / "elsewhere").rename(tmp_path / "files")
    assert_holds(ArrayStore.fill(folder, moved, reader, notice=notices.append), moved)
    assert len(notices) == 1
    assert (reader.opened, contents(folder)) == ([], before)


def test_an_absent_file_keeps_its_arrays_while_others_are_filled(tmp_path: Path, source: Source) -> None:
    folder, table = tmp_path / "x.store", source()
    ArrayStore.fill(folder, table.take(range(6)), readers.VolumeReader())
    Path(table.frame["path"][0]).rename(tmp_path / "away.npy")
    change(table.frame["path"][3])
    reader, notices = readers.VolumeReader(), list[str]()
    store = ArrayStore.fill(folder, table, reader, notice=notices.append)
    assert reader.opened == ["1", "2", "3"]
    assert notices[0].startswith("the source files of 3 stored arrays are not there now")
    (tmp_path / "away.npy").rename(table.frame["path"][0])
    assert_holds(store, table)


def test_a_file_that_comes_back_changed_is_decoded_again(tmp_path: Path, source: Source) -> None:
    folder, table = tmp_path / "x.store", source()
    ArrayStore.fill(folder, table, readers.VolumeReader())
    path = table.frame["path"][3]
    Path(path).rename(tmp_path / "away.npy")
    ArrayStore.fill(folder, table, readers.VolumeReader())
    (tmp_path / "away.npy").rename(path)
    change(path)
    reader = readers.VolumeReader()
    assert_holds(ArrayStore.fill(folder, table, reader), table)
    assert reader.opened == ["1"]


def test_what_failed_while_absent_is_decoded_when_it_is_there(tmp_path: Path, source: Source) -> None:
    folder, table = tmp_path / "x.store", source()
    path = Path(table.frame["path"][0])
    path.rename(tmp_path / "away.npy")
    notices: list[str] = []
    store = ArrayStore.fill(folder, table, readers.VolumeReader(), notice=notices.append)
    assert store.of(table).decoded.tolist() == [False] * 3 + [True] * 9
    before = contents(folder)
    ArrayStore.fill(folder, table, readers.VolumeReader(), notice=notices.append)
    assert contents(folder) == before
    assert not [notice for notice in notices if "not there now" in notice], "nothing was stored for it"
    (tmp_path / "away.npy").rename(path)
    assert_holds(ArrayStore.fill(folder, table, readers.VolumeReader()), table)


def test_masks_of_absent_files_are_kept(tmp_path: Path) -> None:
    class Masks(readers.RowReader):  # type: ignore[misc]
        def load_mask(self, row: Any) -> Any:
            return np.load(row["mask_path"])

        def load_masks(self, path: str, rows: Any) -> Any:
            return [self.load_mask(row) for row in rows]

    np.save(tmp_path / "m.npy", np.eye(4, dtype=np.uint8))
    table = SampleTable.of({"sample": ["a"], "path": ["a.png"], "mask_path": [str(tmp_path / "m.npy")]})
    MaskStore.fill(tmp_path / "masks", table, Masks())
    (tmp_path / "m.npy").unlink()
    notices: list[str] = []
    masks = MaskStore.fill(tmp_path / "masks", table, Masks(), notice=notices.append)
    np.testing.assert_array_equal(masks[int(masks.positions(table)[0])], np.eye(4))
    assert len(notices) == 1


def refill(folder: Path, table: SampleTable, times: int) -> ArrayStore:
    """Change all files but the first, and fill again, so that the old arrays are dead."""
    for _ in range(times):
        for path in table.frame["path"].unique().sort()[1:]:
            change(path)
        store = ArrayStore.fill(folder, table, readers.VolumeReader())
    return store


def test_dead_bytes_are_removed(tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, table = tmp_path / "x.store", source()
    old = ArrayStore.fill(folder, table, readers.VolumeReader())
    living = os.path.getsize(old._data)
    samples, first = old.of(table), old.of(table)[5].copy()
    grown = refill(folder, table, 2)
    assert os.path.getsize(grown._data) > 2 * living, "few bytes are left lying"
    assert_holds(grown, table)
    monkeypatch.setattr(compaction, "DEAD_BYTES", 1000)
    store = refill(folder, table, 1)
    assert os.path.getsize(store._data) == living
    assert sorted(path.name for path in folder.iterdir()) == [
        "arrays-1.bin", "files-1-1.parquet", "fill.lock", "index-1-1.parquet", "store.json",
    ]  # fmt: skip
    for one in (store, ArrayStore.open(folder)):
        assert_holds(one, table)
    np.testing.assert_array_equal(samples[5], first, "a process that reads the old files goes on")
    np.testing.assert_array_equal(old.of(table.take([0]))[0], store.of(table.take([0]))[0])
    with pytest.raises(DataError, match=r"arrays of the store x.store are no longer there"):
        pickle.loads(pickle.dumps(samples))[5]
    before = contents(folder)
    assert_holds(ArrayStore.fill(folder, table, readers.VolumeReader()), table)
    assert contents(folder) == before
    change(table.frame["path"][0])
    assert_holds(ArrayStore.fill(folder, table, readers.VolumeReader()), table)


def test_few_dead_bytes_stay(tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "DEAD_BYTES", 100)
    folder, table = tmp_path / "x.store", source()
    ArrayStore.fill(folder, table, readers.VolumeReader())
    change(table.frame["path"][0])
    store = ArrayStore.fill(folder, table, readers.VolumeReader())
    assert store._data.name == "arrays-0.bin", "less than half is dead"
    assert_holds(store, table)


class Usage(NamedTuple):
    free: int


@pytest.mark.parametrize("where", ["no room", "copying", "index", "header"])
def test_without_room_for_a_second_file_the_store_stays_as_it_is(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    folder, table = tmp_path / "x.store", source()
    ArrayStore.fill(folder, table, readers.VolumeReader())
    refill(folder, table, 1)
    monkeypatch.setattr(compaction, "DEAD_BYTES", 100)

    def full(*anything: Any, **more: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        if where == "no room":
            broken.setattr(compaction.shutil, "disk_usage", lambda path: Usage(1000))
        elif where == "copying":
            broken.setattr(compaction, "write_all", full)
        elif where == "index":
            broken.setattr(generation.Index, "write", full)
        else:
            broken.setattr(Header, "write", full)
        store = refill(folder, table, 1)
    assert store._data.name == "arrays-0.bin"
    for one in (store, ArrayStore.open(folder)):
        assert_holds(one, table)
    assert not (folder / "arrays-1.bin").exists()
    assert_holds(refill(folder, table, 1), table)
    assert read_header(folder).generation == 1  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize("step", ["index.write", "header.write", "unlink"])
def test_killed_while_the_index_is_written(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    folder, table = tmp_path / "x.store", source()
    ArrayStore.fill(folder, table.take(range(6)), readers.VolumeReader())

    def killed(*anything: Any, **more: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        target = {"index.write": generation.Index, "header.write": Header, "unlink": Path}[step]
        broken.setattr(target, "unlink" if step == "unlink" else "write", killed)
        with pytest.raises(KeyboardInterrupt):
            ArrayStore.fill(folder, table, readers.VolumeReader())
    assert_holds(ArrayStore.open(folder), table)
    reader = readers.VolumeReader()
    assert_holds(ArrayStore.fill(folder, table, reader), table)
    assert reader.opened == []
    if step != "unlink":  # files that nothing names any more are removed with the next filling
        assert not list(folder.glob("journal*")), "the journal is in the index now"
        assert len(list(folder.glob("index*"))) == 1
    change(table.frame["path"][0])
    assert_holds(ArrayStore.fill(folder, table, reader), table)
    assert len(list(folder.iterdir())) == 5


def test_a_complete_store_whose_journal_is_left_opens_where_nothing_can_be_written(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, table = tmp_path / "x.store", source()
    monkeypatch.setattr(generation.Generation, "written", lambda self: False)
    assert_holds(ArrayStore.fill(folder, table, readers.VolumeReader()), table)
    assert list(folder.glob("journal*"))
    assert not list(folder.glob("index*"))
    reader = readers.VolumeReader()
    assert_holds(ArrayStore.fill(folder, table, reader), table)
    assert reader.opened == []


def test_a_data_file_that_was_cut_is_mended_before_it_grows(tmp_path: Path, source: Source) -> None:
    """Else a crash later would leave an index that names zeros."""
    folder, table = tmp_path / "x.store", source()
    store = ArrayStore.fill(folder, table, readers.VolumeReader())
    os.truncate(store._data, store._data.stat().st_size // 2)
    kept = int(ArrayStore.open(folder).of(table.take(range(6))).decoded.sum())
    assert kept == 6

    def stop(path: str) -> None:
        if Path(path).stem == "3":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ArrayStore.fill(folder, table, readers.VolumeReader(stop))
    left = ArrayStore.open(folder)
    known = [row for row in range(12) if not raises(lambda row=row: left.of(table.take([row])))]
    assert len(known) < 12
    assert_holds(left, table.take(known))
    store._data.unlink()
    assert len(ArrayStore.open(folder)) == 0
    assert_holds(ArrayStore.fill(folder, table, readers.VolumeReader()), table)


def raises(call: Callable[[], object]) -> bool:
    try:
        call()
    except DataError:
        return True
    return False


def old_store(folder: Path) -> None:
    """A store as the first format had it."""
    folder.mkdir()
    header = {"format": 1, "reader": "counting_reader.VolumeReader 1", "generation": 3}
    (folder / "store.json").write_text(json.dumps(header))
    (folder / "arrays-3.bin").write_bytes(bytes(64))
    line = {"path": "x", "stat": None, "columns": [], "start": 0, "end": 64, "crc": 0, "rows": []}
    (folder / "journal-3.jsonl").write_text(json.dumps(line) + "\n")


def test_a_store_of_an_earlier_format_is_filled_anew(tmp_path: Path, source: Source) -> None:
    folder, table, notices = tmp_path / "x.store", source(), list[str]()
    old_store(folder)
    with pytest.raises(DataError, match=r"the store x.store was made by an earlier version") as raised:
        ArrayStore.open(folder)
    assert "fill it again" in raised.value.hint
    store = ArrayStore.fill(folder, table, readers.VolumeReader(), notice=notices.append)
    assert notices[0] == "the store x.store was made by an earlier version: it is filled anew"
    assert_holds(store, table)
    assert sorted(path.name for path in folder.iterdir()) == [
        "arrays-4.bin", "files-4-1.parquet", "fill.lock", "index-4-1.parquet", "store.json",
    ]  # fmt: skip


def test_how_many_bytes_will_be_copied_is_said_before(tmp_path: Path, source: Source) -> None:
    table = source(4, 3, dtypes=["int16"])
    log: list[str] = []

    class Sized(readers.VolumeReader):  # type: ignore[misc]
        def nbytes(self, row: Any) -> int:
            return int(np.load(row["path"])[row["slice"]].nbytes)

    total = sum(np.load(path).nbytes for path in table.frame["path"].unique())
    ArrayStore.fill(tmp_path / "exact", table, Sized(lambda path: log.append("decoded")), notice=log.append)
    assert log == [f"copying {readable_bytes(total)} into exact", *["decoded"] * 4]
    log.clear()
    ArrayStore.fill(tmp_path / "about", table, readers.VolumeReader(lambda path: log.append("d")), notice=log.append)
    first = np.load(table.frame["path"][0]).nbytes
    assert log == ["d", f"copying about {readable_bytes(first * 4)} into about", "d", "d", "d"]
    log.clear()
    ArrayStore.fill(tmp_path / "about", table, readers.VolumeReader(), notice=log.append)
    assert log == []


def test_sizes_that_can_not_be_known_are_left_out(tmp_path: Path, source: Source) -> None:
    table, log = source(4, 3, dtypes=["int16"]), list[str]()

    class Sized(readers.VolumeReader):  # type: ignore[misc]
        def nbytes(self, row: Any) -> int:
            if row["sample"].startswith("0"):
                raise ValueError("no header")
            return 10

    ArrayStore.fill(tmp_path / "x.store", table, Sized(), notice=log.append)
    assert log == ["copying at least 90 bytes into x.store"]


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = source()

    class Sized(readers.VolumeReader):  # type: ignore[misc]
        def nbytes(self, row: Any) -> int:
            return 10**9

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(11 * 10**9))
    reader = Sized()
    with pytest.raises(ResourceError) as raised:
        ArrayStore.fill(tmp_path / "x.store", table, reader)
    assert raised.value.exit_code == 5
    assert raised.value.message == "the store x.store needs 12.0 GB, the disk has 11.0 GB free"
    assert reader.opened == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(13 * 10**9))
    assert_holds(ArrayStore.fill(tmp_path / "x.store", table, reader), table)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (123_456, "123 kB"), (999_600, "1.0 MB"), (3.2e9, "3.2 GB")],
)
def test_readable_bytes(count: float, text: str) -> None:
    assert readable_bytes(count) == text


@pytest.mark.parametrize("name", ["index", "files"])
def test_a_damaged_index_is_said_in_one_sentence(tmp_path: Path, source: Source, name: str) -> None:
    table, folder = source(), tmp_path / "store"
    ArrayStore.fill(folder, table, readers.VolumeReader())
    (damaged,) = folder.glob(f"{name}-*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:100])
    for use in (lambda: ArrayStore.open(folder), lambda: ArrayStore.fill(folder, table, readers.VolumeReader())):
        with pytest.raises(DataError, match="the index of the array store store is damaged") as raised:
            use()
        assert raised.value.hint == "remove its folder and fill it again"


@pytest.mark.parametrize("name", ["digest", "place", "offset", "dtype", "side1"])
def test_an_index_that_lacks_a_value_is_damaged(tmp_path: Path, source: Source, name: str) -> None:
    table, folder = source(), tmp_path / "store"
    ArrayStore.fill(folder, table, readers.VolumeReader())
    (rows,) = folder.glob("index-*.parquet")
    first = pl.int_range(pl.len()) == 0
    pl.read_parquet(rows).with_columns(pl.when(~first).then(pl.col(name)).alias(name)).write_parquet(rows)
    with pytest.raises(DataError, match="is damaged"):
        ArrayStore.open(folder)


@pytest.mark.parametrize(("name", "value"), [("place", 9), ("side1", -3)])
def test_an_index_with_numbers_that_mean_nothing_is_damaged(
    tmp_path: Path, source: Source, name: str, value: int
) -> None:
    table, folder = source(), tmp_path / "store"
    ArrayStore.fill(folder, table, readers.VolumeReader())
    (rows,) = folder.glob("index-*.parquet")
    frame = pl.read_parquet(rows)
    frame.with_columns(pl.lit(value, frame.schema[name]).alias(name)).write_parquet(rows)
    with pytest.raises(DataError, match="is damaged"):
        ArrayStore.open(folder)
