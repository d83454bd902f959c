"""Arrays that are read in place: nothing is copied, and workers, changes and absent files behave as for copies."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch.utils.data import DataLoader

import lazy_reader as readers
from ssl_domains.errors import DataError
from ssl_domains.samples import ReadError, Region, SampleTable
from ssl_domains.stores import ArrayStore, SampleArrays

RNG = np.random.default_rng(0)


@pytest.fixture
def table(tmp_path: Path) -> SampleTable:
    """Four pictures of differing size, in files 0 to 3."""
    (tmp_path / "files").mkdir()
    for number in range(4):
        picture = RNG.integers(0, 999, (20 + number, 30)).astype(">i2" if number % 2 else "<i2")
        np.save(tmp_path / "files" / f"{number}.npy", np.asarray(picture, order="F" if number > 1 else "C"))
    paths = [str(tmp_path / "files" / f"{number}.npy") for number in range(4)]
    return SampleTable.of(pl.DataFrame({"sample": list("abcd"), "path": paths, "gain": [1, 2, 3, 4]}))


def whole(table: SampleTable, row: int) -> np.ndarray:
    return np.load(table.frame["path"][row])[:, :, None]


def turned(table: SampleTable, row: int) -> np.ndarray:
    return whole(table, row)[::-1, ::-1] * table.frame["gain"][row]


def folder_size(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_nothing_is_copied(tmp_path: Path, table: SampleTable) -> None:
    reader = readers.PlaneReader()
    store = ArrayStore.fill(tmp_path / "s", table, reader)
    assert (reader.opened, reader.loaded) == (["0", "1", "2", "3"], [])
    assert (tmp_path / "s" / "arrays-0.bin").stat().st_size == 0
    for opened in (store, ArrayStore.open(tmp_path / "s"), pickle.loads(pickle.dumps(store))):
        samples = opened.of(table)
        assert samples.decoded.all()
        assert samples.dtypes() == {np.dtype("int16")}
        for row, position in enumerate(samples.positions):
            for array in (samples[row], opened[position]):
                assert array.dtype == np.dtype("int16")
                np.testing.assert_array_equal(array, whole(table, row))
                assert not array.flags.writeable
        assert samples.shapes().tolist() == [[20 + k, 30, 1] for k in range(4)]
    ArrayStore.fill(tmp_path / "s", table.with_columns(label=list("wxyz")), reader)
    assert reader.opened == ["0", "1", "2", "3"], "a complete store opens nothing"


def test_a_way_of_the_readers_own(tmp_path: Path, table: SampleTable) -> None:
    reader = readers.TurnedReader()
    store = ArrayStore.fill(tmp_path / "s", table, reader)
    assert reader.loaded == []
    with pytest.raises(DataError, match="has arrays that its reader opens in place") as raised:
        ArrayStore.open(tmp_path / "s")
    assert "ArrayStore.open(folder, reader)" in raised.value.hint
    with pytest.raises(DataError, match="filled with another reader"):
        ArrayStore.open(tmp_path / "s", readers.PlaneReader())
    with pytest.raises(DataError, match="opened by the reader from its row"):
        store[0]
    for opened in (store, ArrayStore.open(tmp_path / "s", readers.TurnedReader())):
        samples = pickle.loads(pickle.dumps(opened.of(table.with_columns(label=list("wxyz")))))
        for row in (3, 0, 2, 1, 3):
            np.testing.assert_array_equal(samples[row], turned(table, row))
            part, valid = samples.read(row, [slice(2, 9, 2), slice(0, 5)])
            np.testing.assert_array_equal(part, turned(table, row)[2:9:2, 0:5])
            assert valid is not None
            assert valid[:, :, 0].tolist() == [[False, True, True, True, True]] * 4


def test_a_value_that_opening_read_opens_its_row_again(tmp_path: Path, table: SampleTable) -> None:
    ArrayStore.fill(tmp_path / "s", table, readers.TurnedReader())
    reader = readers.TurnedReader()
    louder = table.with_columns(gain=[1, 7, 3, 4])
    store = ArrayStore.fill(tmp_path / "s", louder, reader)
    assert reader.opened == ["1"]
    np.testing.assert_array_equal(store.of(louder)[1], turned(louder, 1))
    with pytest.raises(DataError, match="1 row "):
        store.of(table)


def test_some_rows_in_place_and_some_copied(tmp_path: Path, table: SampleTable) -> None:
    mixed = table.with_columns(copy=[False, True, False, True])
    reader = readers.TurnedReader()
    samples = ArrayStore.fill(tmp_path / "s", mixed, reader).of(mixed)
    assert reader.loaded == ["1", "3"]
    for row in range(4):
        np.testing.assert_array_equal(samples[row], turned(mixed, row))
        assert (samples.read(row)[1] is None) == (row in (1, 3))


def read_all(samples: SampleArrays) -> list[list[int]]:
    return [samples[row].reshape(-1).tolist() for row in range(len(samples))]


class Rows(torch.utils.data.Dataset[Any]):
    def __init__(self, samples: SampleArrays) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, row: int) -> torch.Tensor:
        return torch.from_numpy(self.samples[row].astype(np.int64).reshape(-1))


@pytest.mark.parametrize("kind", ["PlaneReader", "TurnedReader"])
@pytest.mark.parametrize("workers", [0, 2])
def test_workers_read_the_same(tmp_path: Path, table: SampleTable, kind: str, workers: int) -> None:
    samples = ArrayStore.fill(tmp_path / "s", table, getattr(readers, kind)()).of(table)
    expected = read_all(samples)
    loader: DataLoader[Any] = DataLoader(Rows(samples), batch_size=None, num_workers=workers)
    assert [one.tolist() for one in loader] == expected


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PlaneReader", "TurnedReader"])
def test_a_process_of_its_own_reads_the_same(tmp_path: Path, table: SampleTable, kind: str) -> None:
    samples = ArrayStore.fill(tmp_path / "s", table, getattr(readers, kind)()).of(table)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(read_all, (samples,)) == read_all(samples)


@pytest.mark.parametrize("kind", ["PlaneReader", "TurnedReader"])
def test_an_absent_file_is_a_problem_until_it_is_back(tmp_path: Path, table: SampleTable, kind: str) -> None:
    make = getattr(readers, kind)
    before = read_all(ArrayStore.fill(tmp_path / "s", table, make()).of(table))
    sizes = folder_size(tmp_path / "s")
    (tmp_path / "files").rename(tmp_path / "elsewhere")
    reader, notices = make(), list[str]()
    for store in (
        ArrayStore.fill(tmp_path / "s", table, reader, notice=notices.append),
        ArrayStore.open(tmp_path / "s", make()),
    ):
        samples = store.of(table)
        assert not samples.decoded.any()
        assert samples.causes() == ["its file is not there now, and it is read in place"] * 4
        assert samples.shapes().tolist() == [[0, 0, 0]] * 4
        with pytest.raises(DataError, match="row 2 has no array: its file is not there now"):
            samples[2]
    assert (reader.opened, notices, folder_size(tmp_path / "s")) == ([], [], sizes)
    (tmp_path / "elsewhere").rename(tmp_path / "files")
    store = ArrayStore.fill(tmp_path / "s", table, reader)
    assert (reader.opened, folder_size(tmp_path / "s")) == ([], sizes)
    assert read_all(store.of(table)) == before


def test_a_changed_file_is_opened_again(tmp_path: Path, table: SampleTable) -> None:
    store = ArrayStore.fill(tmp_path / "s", table, readers.PlaneReader())
    samples = store.of(table)
    assert samples[1].shape == (21, 30, 1)
    np.save(table.frame["path"][1], RNG.integers(0, 9, (50, 40)).astype("<i4"))
    with pytest.raises(DataError, match=r"1.npy changed while it was being used"):
        samples[1]
    with pytest.raises(DataError, match="store s lacks 1 row of the table"):
        store.of(table)
    reader = readers.PlaneReader()
    again = ArrayStore.fill(tmp_path / "s", table, reader).of(table)
    assert reader.opened == ["1"]
    np.testing.assert_array_equal(again[1], whole(table, 1))
    assert again.fingerprint != samples.fingerprint
    assert ArrayStore.open(tmp_path / "s").of(table).fingerprint == again.fingerprint


def test_the_img_file_of_a_header_that_is_gone(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")

    class Pairs(readers.PlaneReader):
        axes = "zyx"

        def open(self, row: Any) -> Any:
            return Region.nifti(row["path"]).transpose(2, 1, 0)

    voxels = RNG.integers(0, 99, (4, 5, 6)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Pair(voxels, np.eye(4)), tmp_path / "a.hdr")
    table = SampleTable.of({"sample": ["a"], "path": [str(tmp_path / "a.hdr")]})
    np.testing.assert_array_equal(ArrayStore.fill(tmp_path / "s", table, Pairs()).of(table)[0], voxels.T)
    (tmp_path / "a.img").unlink()
    assert ArrayStore.open(tmp_path / "s").of(table).causes() == ["its file is not there now, and it is read in place"]


class Headers(readers.PlaneReader):
    """The row names a text file with the shape; the numbers lie in the .raw file beside it."""

    def open(self, row: Any) -> Any:
        header = Path(row["path"])
        self.opened.append(header.stem)
        numbers = header.with_suffix(".raw")
        shape = tuple(map(int, header.read_text().split()))
        return Region(str(numbers), np.dtype("<i2"), 0, shape, size=numbers.stat().st_size)


@pytest.mark.parametrize("longer", [0, 6])
def test_numbers_in_another_file_than_the_row_names_are_opened_again_when_they_change(
    tmp_path: Path, longer: int
) -> None:
    before, after = RNG.integers(0, 99, (4, 5, 1)).astype("<i2"), RNG.integers(0, 99, (4, 5, 1)).astype("<i2")
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text("4 5 1")
        (tmp_path / f"{name}.raw").write_bytes(before.tobytes())
    table = SampleTable.of({"sample": ["a", "b"], "path": [str(tmp_path / f"{name}.txt") for name in "ab"]})
    samples = ArrayStore.fill(tmp_path / "s", table, Headers()).of(table)
    stat = (tmp_path / "a.raw").stat()
    (tmp_path / "a.raw").write_bytes(after.tobytes() + bytes(longer))
    os.utime(tmp_path / "a.raw", ns=(stat.st_atime_ns, stat.st_mtime_ns + 10))
    with pytest.raises(DataError, match="store s lacks 1 row of the table, the first is 'a'"):
        ArrayStore.open(tmp_path / "s").of(table)
    for opened in (["a"], []):
        reader = Headers()
        again = ArrayStore.fill(tmp_path / "s", table, reader).of(table)
        assert reader.opened == opened
        np.testing.assert_array_equal(again[0], after)
        np.testing.assert_array_equal(again[1], before)
        assert again.fingerprint != samples.fingerprint


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (lambda row: Region.npy(row["path"]), "but axes 'hwc' are height, width, channels"),
        (lambda row: Region.npy(row["path"])[:0, :, None], "which has an empty side"),
        (lambda row: np.zeros((3, 3, 1)), "the reader's open gave ndarray, which has no shape, dtype and read"),
        (lambda row: Region.wav(row["path"]), "this is no wav file"),
        (lambda row: row["nothing"], "KeyError: 'nothing'"),
    ],
)
def test_what_can_not_be_opened_is_a_problem(tmp_path: Path, table: SampleTable, given: Any, cause: str) -> None:
    class Odd(readers.PlaneReader):
        def open(self, row: Any) -> Any:
            return given(row) if Path(row["path"]).stem == "2" else super().open(row)

    samples = ArrayStore.fill(tmp_path / "s", table, Odd()).of(table)
    assert samples.decoded.tolist() == [True, True, False, True]
    assert cause in samples.causes()[0]
    assert ArrayStore.open(tmp_path / "s").problems["path"].to_list() == [table.frame["path"][2]]


def test_an_array_that_gives_something_else_than_declared(tmp_path: Path, table: SampleTable) -> None:
    class Short(readers.Turned):
        def read(self, slices: Any) -> Any:
            return super().read(slices)[0][1:], None

    class Shorts(readers.TurnedReader):
        def open(self, row: Any) -> Any:
            return Short(row["path"], row["gain"])

    samples = ArrayStore.fill(tmp_path / "s", table, Shorts()).of(table)
    with pytest.raises(DataError, match=r"gave int16 \[19, 30, 1\], not int16 \[20, 30, 1\]"):
        samples[0]


def test_a_reader_that_can_not_open_a_row_any_more(tmp_path: Path, table: SampleTable) -> None:
    class Once(readers.TurnedReader):
        def open(self, row: Any) -> Any:
            if os.environ.get("OPENED"):
                raise ReadError("the trace index is gone")
            return super().open(row)

    samples = ArrayStore.fill(tmp_path / "s", table, Once()).of(table)
    os.environ["OPENED"] = "1"
    try:
        with pytest.raises(DataError, match="sample 'b' can't be opened any more: the trace index is gone"):
            samples[1]
    finally:
        del os.environ["OPENED"]
