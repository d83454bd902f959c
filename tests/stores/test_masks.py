from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.errors import PluginError, UsageError
from ssl_domains.samples import ReadError, SampleTable, TableMeta
from ssl_domains.stores import ArrayStore, MaskStore, default_mask_store, mask_names


class Reader:
    """Images and masks are slices of ``.npy`` stacks."""

    version = "1"

    def __init__(self) -> None:
        self.opened: list[str] = []

    def scan(self, source: Path, **options: Any) -> Any:
        raise AssertionError("the store never scans")

    def load(self, row: Mapping[str, Any]) -> np.ndarray:
        return np.load(row["path"])[row["slice"]][:, :, None]

    def load_mask(self, row: Mapping[str, Any]) -> np.ndarray:
        return self.load_masks(row["mask_path"], [row])[0]

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[np.ndarray]:
        self.opened.append(Path(path).name)
        assert all(Path(row["path"]).name == "images.npy" for row in rows)  # a row is that of the image
        stack = np.load(path)
        return [stack[row["slice"]] for row in rows]


@pytest.fixture
def table(tmp_path: Path) -> SampleTable:
    np.save(tmp_path / "images.npy", np.zeros((4, 3, 5), np.float32))
    np.save(tmp_path / "masks.npy", np.arange(4 * 3 * 5).reshape(4, 3, 5).astype(np.uint8))
    image, mask = str(tmp_path / "images.npy"), str(tmp_path / "masks.npy")
    rows = {"sample": list("abcd"), "path": [image] * 4, "slice": [0, 1, 2, 3], "mask_path": [mask, None, mask, mask]}
    return SampleTable.of(rows)


def test_masks_by_row_each_file_opened_once(tmp_path: Path, table: SampleTable) -> None:
    reader = Reader()
    store = MaskStore.fill(tmp_path / "masks", table, reader)
    assert reader.opened == ["masks.npy"]
    positions = store.positions(table)
    assert positions[1] == -1
    for row in (0, 2, 3):
        np.testing.assert_array_equal(store[int(positions[row])], np.load(tmp_path / "masks.npy")[row])
        assert store.shape(int(positions[row])) == (3, 5)


def test_what_is_there_is_not_decoded_again_unless_the_mask_changed(tmp_path: Path, table: SampleTable) -> None:
    reader = Reader()
    MaskStore.fill(tmp_path / "masks", table, reader)
    MaskStore.fill(tmp_path / "masks", table.with_columns(age=[1, 2, 3, 4]), reader)
    assert len(reader.opened) == 1
    np.save(tmp_path / "masks.npy", np.full((4, 3, 5), 7, np.int32))
    store = MaskStore.fill(tmp_path / "masks", table, reader)
    assert len(reader.opened) == 2
    assert (store[int(store.positions(table)[0])] == 7).all()


def test_a_mask_that_can_not_be_read_is_told(tmp_path: Path, table: SampleTable) -> None:
    class Broken(Reader):
        def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[np.ndarray]:
            raise ReadError("torn")

    store = MaskStore.fill(tmp_path / "masks", table, Broken())
    assert (store.positions(table) == -1).all()
    assert store.problems["cause"].to_list() == ["torn"]


def test_a_domain_without_masks_says_so(tmp_path: Path, table: SampleTable) -> None:
    class Plain:
        version = "1"

        def scan(self, source: Path, **options: Any) -> Any: ...

        def load(self, row: Mapping[str, Any]) -> Any: ...

    with pytest.raises(UsageError, match="knows no masks"):
        MaskStore.fill(tmp_path / "masks", table, Plain())
    with pytest.raises(UsageError, match="names no masks"):
        MaskStore.fill(tmp_path / "masks", SampleTable(table.frame.drop("mask_path")), Reader())


def test_masks_and_images_never_share_a_store(tmp_path: Path, table: SampleTable) -> None:
    reader = Reader()
    images = ArrayStore.fill(tmp_path / "one", table, reader)
    assert default_mask_store("x/samples.parquet") == Path("x/samples.masks")
    MaskStore.fill(tmp_path / "two", table, reader)
    assert images[int(images.positions(table)[0])].dtype == np.float32


def test_names() -> None:
    table = SampleTable.of({"sample": ["a"]}, TableMeta(options={"mask_names": "1=anterior, 2 = posterior"}))
    assert mask_names(table) == {1: "anterior", 2: "posterior"}
    assert mask_names(SampleTable.of({"sample": ["a"]})) == {}


class Streamed:
    """A reader whose masks are made one by one; what of them is alive at a time is counted."""

    version = "1"

    def __init__(self, wrong_row: int | None = None, more: int = 0) -> None:
        self.alive = self.most = 0
        self.wrong_row, self.more = wrong_row, more

    def scan(self, source: Path, **options: Any) -> Any:
        raise AssertionError("the table is made by hand")

    def load(self, row: Mapping[str, Any]) -> np.ndarray:
        raise AssertionError("only masks are read")

    def load_mask(self, row: Mapping[str, Any]) -> np.ndarray:
        if row["number"] == self.wrong_row:
            raise ReadError("this one is broken")
        made = np.full((256, 256), row["number"] % 251, np.uint8)
        self.alive += 1
        self.most = max(self.most, self.alive)
        weakref.finalize(made, self._gone)
        return made

    def _gone(self) -> None:
        self.alive -= 1

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[np.ndarray]:
        yield from (self.load_mask(row) for row in rows)
        yield from (self.load_mask(rows[0]) for _ in range(self.more))


def streamed_table(folder: Path, count: int) -> SampleTable:
    (folder / "labels.npy").write_bytes(b"labels")
    numbers = list(range(count))
    return SampleTable.of(
        {
            "sample": [f"s{number}" for number in numbers],
            "path": [str(folder / "image.npy")] * count,
            "mask_path": [str(folder / "labels.npy")] * count,
            "number": numbers,
        }
    )


def test_of_many_masks_of_one_file_only_some_are_in_memory(tmp_path: Path) -> None:
    reader, table = Streamed(), streamed_table(tmp_path, 2000)  # 131 MB
    done: list[tuple[int, int]] = []
    store = MaskStore.fill(tmp_path / "masks", table, reader, lambda *counts: done.append(counts))
    assert reader.most <= 260, "16 MiB of masks of 64 KiB, and those between reader and file"
    assert done == [*((256 * k, 2000) for k in range(1, 8)), (2000, 2000)]
    positions = store.positions(table)
    for number in (0, 255, 256, 1023, 1999):
        assert (store[int(positions[number])] == number % 251).all()
    again = MaskStore.fill(tmp_path / "masks", table, Streamed(), lambda *counts: done.append(counts))
    assert len(done) == 8, "nothing is decoded twice"
    assert len(again) == 2000


def test_a_mask_that_fails_among_streamed_ones_costs_only_itself(tmp_path: Path) -> None:
    table = streamed_table(tmp_path, 600)
    store = MaskStore.fill(tmp_path / "masks", table, Streamed(wrong_row=300))
    positions = store.positions(table)
    assert np.flatnonzero(positions < 0).tolist() == [300]
    assert store.problems["cause"].to_list() == ["this one is broken"]
    for number in (299, 301, 599):
        assert (store[int(positions[number])] == number % 251).all()


def test_more_masks_than_rows_are_a_fault_of_the_reader(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="more than 3 arrays for 3 rows"):
        MaskStore.fill(tmp_path / "masks", streamed_table(tmp_path, 3), Streamed(more=1))
