"""The store gives back what the reader gave, decodes nothing twice, and knows when something has changed."""

from __future__ import annotations

import multiprocessing
import operator
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import counting_reader as readers
from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import ReadError, SampleTable
from ssl_domains.stores import ArrayStore, default_store

Source = Callable[..., SampleTable]


def expected(table: SampleTable, row: int) -> Any:
    values = table.frame.row(row, named=True)
    return np.load(values["path"])[values["slice"]]


def assert_holds(store: ArrayStore, table: SampleTable) -> None:
    for row, position in enumerate(store.positions(table)):
        array = store[position]
        assert array.dtype == expected(table, row).dtype
        assert np.array_equal(array, expected(table, row))
        assert store.shape(position) == array.shape


def touch(path: str) -> None:
    """Another modification time, as after a change that leaves the size."""
    found = os.stat(path)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000_000))


def test_arrays_come_back_ragged_and_in_their_own_type(tmp_path: Path, source: Source) -> None:
    table = source()
    store = ArrayStore.fill(tmp_path / "x.store", table, readers.VolumeReader())
    assert len(store) == len(table) == 12
    assert_holds(store, table)
    assert_holds(ArrayStore.open(tmp_path / "x.store"), table)
    assert store.dtypes() == {np.dtype("int16"), np.dtype("uint8"), np.dtype("float32")}
    assert store.dtypes(store.positions(table)[:3]) == {np.dtype("int16")}
    assert store.channels() == {1, 2}
    assert store.problems.columns == ["path", "cause"]
    assert store.problems.is_empty()


def test_arrays_cannot_be_written_to(tmp_path: Path, source: Source) -> None:
    store = ArrayStore.fill(tmp_path / "x.store", source(), readers.RowReader())
    with pytest.raises(ValueError, match="read-only"):
        store[0][0, 0] = 1
    with pytest.raises(IndexError):
        store[-1]
    with pytest.raises(IndexError):
        store[12]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", ">u2", "<i4", "float16", ">f4", "float64", "int64"])
def test_any_number_type(tmp_path: Path, source: Source, dtype: str) -> None:
    table = source(1, 2, dtypes=[dtype])
    store = ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    array = store[store.positions(table)[1]]
    assert array.dtype == np.dtype(dtype).newbyteorder("=")
    assert np.array_equal(array, expected(table, 1))


def test_a_volume_is_opened_once_for_all_its_rows(tmp_path: Path, source: Source) -> None:
    table = source()
    shuffled = table.take(np.random.default_rng(0).permutation(len(table)))
    reader = readers.VolumeReader()
    told: list[tuple[int, int]] = []
    store = ArrayStore.fill(
        tmp_path / "x.store", shuffled, reader, progress=lambda done, total: told.append((done, total))
    )
    assert sorted(reader.opened) == ["0", "1", "2", "3"]
    assert told == [(3, 12), (6, 12), (9, 12), (12, 12)]
    assert_holds(store, shuffled)


def test_many_small_files(tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssl_domains.stores.filling.ROWS_AT_A_TIME", 4)
    table = source(11, 3)
    assert_holds(ArrayStore.fill(tmp_path / "x.store", table, readers.VolumeReader()), table)


def test_a_complete_store_is_opened(tmp_path: Path, source: Source) -> None:
    table = source()
    ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    reader = readers.RowReader()
    assert_holds(ArrayStore.fill(tmp_path / "x.store", table, reader), table)
    assert_holds(ArrayStore.fill(tmp_path / "x.store", table.take([7, 2]), reader), table.take([7, 2]))
    assert reader.decoded == []


def test_a_larger_table_adds_what_is_missing(tmp_path: Path, source: Source) -> None:
    table = source()
    first = ArrayStore.fill(tmp_path / "x.store", table.take([0, 4, 5]), readers.RowReader())
    early = first[0].copy()
    reader = readers.RowReader()
    store = ArrayStore.fill(tmp_path / "x.store", table, reader)
    assert reader.decoded == ["0-1", "0-2", "1-0", "2-0", "2-1", "2-2", "3-0", "3-1", "3-2"]
    assert_holds(store, table)
    assert np.array_equal(first[0], early), "a store that was open goes on to work"


def test_joining_a_label_or_a_split_never_refills(tmp_path: Path, source: Source) -> None:
    table = source()
    ArrayStore.fill(tmp_path / "x.store", table, readers.VolumeReader())
    reader = readers.VolumeReader()
    joined = table.with_columns(label=[f"class {n % 2}" for n in range(12)], split=["train"] * 12)
    store = ArrayStore.fill(tmp_path / "x.store", joined, reader)
    assert reader.opened == []
    assert_holds(store, joined)


def test_a_value_that_decoding_read_refills_its_row(tmp_path: Path, source: Source) -> None:
    table = source()
    old = ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    changed = table.with_columns(slice=[0, 0, *table.frame["slice"][2:]])
    with pytest.raises(DataError, match="1 row "):
        old.positions(changed)
    reader = readers.RowReader()
    store = ArrayStore.fill(tmp_path / "x.store", changed, reader)
    assert reader.decoded == ["0-0"]
    assert_holds(store, changed)


def test_a_changed_file_is_decoded_again(tmp_path: Path, source: Source) -> None:
    table = source()
    ArrayStore.fill(tmp_path / "x.store", table, readers.VolumeReader())
    np.save(table.frame["path"][3], np.load(table.frame["path"][3]) // 2)
    touch(table.frame["path"][3])
    reader = readers.VolumeReader()
    store = ArrayStore.fill(tmp_path / "x.store", table, reader)
    assert reader.opened == ["1"]
    assert_holds(store, table)


def test_another_reader_or_version_starts_over(tmp_path: Path, source: Source) -> None:
    table = source()
    old = ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    before = old[0].copy()
    reader = readers.RowReader()
    reader.version = "2"
    store = ArrayStore.fill(tmp_path / "x.store", table, reader)
    assert len(reader.decoded) == 12
    assert_holds(store, table)
    assert np.array_equal(old[0], before), "who still reads the old one keeps it"
    assert sorted(path.name for path in (tmp_path / "x.store").iterdir()) == [
        "arrays-1.bin", "files-1-1.parquet", "fill.lock", "index-1-1.parquet", "store.json",
    ]  # fmt: skip
    other = readers.VolumeReader()
    ArrayStore.fill(tmp_path / "x.store", table, other)
    assert len(other.opened) == 4


def test_a_reader_may_declare_its_columns(tmp_path: Path, source: Source) -> None:
    table = source().with_columns(echo=[1] * 12)

    class Declaring(readers.RowReader):  # type: ignore[misc]
        columns = ("slice", "echo")

        def load(self, row: Any) -> Any:
            return super().load(dict(row))  # looks at everything, which the declaration overrules

    ArrayStore.fill(tmp_path / "x.store", table, Declaring())
    reader = Declaring()
    ArrayStore.fill(tmp_path / "x.store", table.with_columns(label=["a"] * 12), reader)
    assert reader.decoded == []
    ArrayStore.fill(tmp_path / "x.store", table.with_columns(echo=[2] + [1] * 11), reader)
    assert reader.decoded == ["0-0"]


def test_an_optional_column_that_appears_later_counts(tmp_path: Path, source: Source) -> None:
    class Flipping(readers.RowReader):  # type: ignore[misc]
        def load(self, row: Any) -> Any:
            array = super().load(row)
            return array[::-1] if row.get("upside_down") else array

    table = source()
    ArrayStore.fill(tmp_path / "x.store", table, Flipping())
    flipped = table.with_columns(upside_down=[None] * 11 + [True])
    reader = Flipping()
    store = ArrayStore.fill(tmp_path / "x.store", flipped, reader)
    assert reader.decoded == ["3-2"]
    assert np.array_equal(store[store.positions(flipped)[11]], expected(table, 11)[::-1])


def test_rows_that_were_never_filled_are_an_error(tmp_path: Path, source: Source) -> None:
    table = source()
    store = ArrayStore.fill(tmp_path / "x.store", table.take([0, 1]), readers.RowReader())
    with pytest.raises(DataError, match="10 rows") as raised:
        store.positions(table)
    assert "fill it again" in raised.value.hint
    moved = table.with_columns(path=[f"{path}x" for path in table.frame["path"]])
    with pytest.raises(DataError):
        store.positions(moved.take([0]))


def test_files_that_fail_become_problems(tmp_path: Path, source: Source) -> None:
    table = source()
    broken = table.frame["path"][3]
    Path(broken).write_bytes(Path(broken).read_bytes()[:-30])
    gone = table.frame["path"][6]
    Path(gone).unlink()
    store = ArrayStore.fill(tmp_path / "x.store", table, readers.VolumeReader())
    positions = store.positions(table)
    assert (positions >= 0).tolist() == [True] * 3 + [False] * 6 + [True] * 3
    assert_holds(store, table.take(positions >= 0))
    problems = store.problems
    assert problems["path"].to_list() == [broken, gone]
    assert problems["cause"][1] == "No such file or directory"
    assert all("\n" not in cause for cause in problems["cause"])
    reader = readers.VolumeReader()
    again = ArrayStore.fill(tmp_path / "x.store", table, reader)
    assert not reader.opened, "what failed is not tried again as long as nothing changed"
    assert again.problems.equals(problems)
    ArrayStore.fill(tmp_path / "x.store", table, reader, retry=True)
    assert reader.opened == ["1", "2"], "unless asked to"


def test_a_file_that_became_a_pipe_or_a_device_is_not_opened(tmp_path: Path, source: Source) -> None:
    table = source(files=3, rows=1)
    ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    for number, make in enumerate((os.mkfifo, lambda path: os.symlink("/dev/zero", path))):
        (tmp_path / f"{number}.npy").unlink()
        make(tmp_path / f"{number}.npy")
    store = ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    assert (
        store.problems["cause"].to_list() == ["a pipe, socket or device, which is not opened: only files are read"] * 2
    )


def test_a_mended_file_leaves_the_problems(tmp_path: Path, source: Source) -> None:
    table = source()
    path = Path(table.frame["path"][0])
    whole = path.read_bytes()
    path.write_bytes(b"not an array")
    assert len(ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader()).problems) == 1
    path.write_bytes(whole)
    store = ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    assert store.problems.is_empty()
    assert_holds(store, table)
    assert ArrayStore.open(tmp_path / "x.store").problems.is_empty()


def test_one_bad_row_does_not_take_its_file_with_it(tmp_path: Path, source: Source) -> None:
    table = source()
    bad = table.with_columns(slice=[0, 99, *table.frame["slice"][2:]])
    store = ArrayStore.fill(tmp_path / "x.store", bad, readers.VolumeReader())
    assert np.flatnonzero(store.positions(bad) < 0).tolist() == [1]
    assert "IndexError" in store.problems["cause"][0]


def test_a_reader_of_files_may_name_the_row_that_failed(tmp_path: Path, source: Source) -> None:
    class Careful(readers.VolumeReader):  # type: ignore[misc]
        def load_file(self, path: str, rows: Any) -> Any:
            arrays = list(super().load_file(path, rows))
            arrays[-1] = ReadError("box outside the picture")
            return arrays

    table = source()
    reader = Careful()
    store = ArrayStore.fill(tmp_path / "x.store", table, reader)
    assert np.flatnonzero(store.positions(table) < 0).tolist() == [2, 5, 8, 11]
    assert set(store.problems["cause"]) == {"box outside the picture"}
    assert reader.decoded == []


@pytest.mark.parametrize(
    ("array", "cause"),
    [
        (np.zeros((0, 4, 1)), "decoded to shape [0, 4, 1], which has an empty side"),
        (np.zeros(16000), "decoded to shape [16000], but axes 'hwc' are height, width, channels"),
        (np.zeros((16000, 1)), "decoded to shape [16000, 1], but axes 'hwc' are height, width, channels"),
        (np.zeros((2, 2, 2, 2)), "decoded to shape [2, 2, 2, 2], but axes 'hwc' are height, width, channels"),
        (np.zeros((40, 64, 64)), "decoded to shape [40, 64, 64], a picture of 64 channels"),
        (np.full((3, 4, 1), np.nan), "decoded to shape [3, 4, 1] without a finite number"),
        (np.array([["a"]]), "decoded to <U1, not to numbers"),
        (np.zeros((2, 2, 1), complex), "decoded to complex128, not to numbers"),
        (None, "decoded to object, not to numbers"),
    ],
)
def test_what_is_no_picture_is_a_problem(tmp_path: Path, source: Source, array: Any, cause: str) -> None:
    class Odd(readers.RowReader):  # type: ignore[misc]
        def load(self, row: Any) -> Any:
            return array

    table = source(1, 1)
    store = ArrayStore.fill(tmp_path / "x.store", table, Odd())
    assert store.positions(table).tolist() == [-1]
    assert cause in store.problems["cause"][0]
    assert len(ArrayStore.open(tmp_path / "x.store")) == 0


def test_the_readers_own_refusal_is_passed_on(tmp_path: Path, source: Source) -> None:
    def refuse(path: str) -> None:
        raise UsageError("a calibration without model", "name the model")

    with pytest.raises(UsageError, match="calibration"):
        ArrayStore.fill(tmp_path / "x.store", source(), readers.VolumeReader(refuse))


def test_a_table_without_paths(tmp_path: Path) -> None:
    class Made(readers.RowReader):  # type: ignore[misc]
        def load(self, row: Any) -> Any:
            return np.full((2, 2, 1), row["value"])

    table = SampleTable.of(pl.DataFrame({"value": [3, 5]}))
    store = ArrayStore.fill(tmp_path / "x.store", table, Made())
    assert [int(store[position].max()) for position in store.positions(table)] == [3, 5]


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_other_processes_read_it(tmp_path: Path, source: Source, start: str) -> None:
    table = source()
    store = ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    assert np.array_equal(store[4], expected(table, 4))
    with multiprocessing.get_context(start).Pool(1) as pool:
        array = pool.apply(operator.getitem, (store, 4))
    assert np.array_equal(array, expected(table, 4))


def test_pickling_leaves_the_arrays_behind(tmp_path: Path, source: Source) -> None:
    table = source(4, 50)
    store = ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    assert store[0].size
    copy = pickle.loads(pickle.dumps(store))
    assert len(pickle.dumps(store)) < 200 * 40 + 3000
    assert_holds(copy, table)
    assert np.array_equal(copy.positions(table), store.positions(table))


def test_where_a_store_goes_by_default() -> None:
    assert default_store("data/samples.parquet") == Path("data/samples.store")


def test_no_store_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no array store at x\.store"):
        ArrayStore.open(tmp_path / "x.store")


@pytest.mark.parametrize("header", ["{", '{"format": 99}'])
def test_a_store_this_version_cannot_read(tmp_path: Path, source: Source, header: str) -> None:
    table = source()
    ArrayStore.fill(tmp_path / "x.store", table, readers.RowReader())
    (tmp_path / "x.store" / "store.json").write_text(header)
    folder = tmp_path / "x.store"
    for call in (lambda: ArrayStore.open(folder), lambda: ArrayStore.fill(folder, table, readers.RowReader())):
        with pytest.raises(DataError) as raised:
            call()
        assert "fill it again" in raised.value.hint


def test_a_file_where_the_folder_should_be(tmp_path: Path, source: Source) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "x.store"):
        with pytest.raises((UsageError, DataError)):
            ArrayStore.fill(folder, source(), readers.RowReader())
