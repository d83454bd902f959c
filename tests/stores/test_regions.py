"""A sample is a region of an array: rows that share one share its entry, and every wrong region has its sentence."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lazy_reader as readers
from ssl_domains.errors import DataError
from ssl_domains.samples import Region, SampleTable, read_table, write_table
from ssl_domains.stores import ArrayStore, MaskStore

RNG = np.random.default_rng(0)


class Copying(readers.PlaneReader):
    """The same pictures, copied into the store."""

    open = None  # type: ignore[assignment]


def copying() -> Any:
    """A reader without `open`."""
    reader = Copying()
    return reader


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, np.ndarray]:
    made = {"large": RNG.integers(0, 999, (60, 50)), "small": RNG.integers(0, 999, (20, 30))}
    for name, picture in made.items():
        np.save(tmp_path / f"{name}.npy", picture.astype(">i2"))
    return {name: picture.astype(np.int16)[:, :, None] for name, picture in made.items()}


def table_of(tmp_path: Path, rows: list[tuple[str, Any]], **columns: Any) -> SampleTable:
    """A row for each (name of the picture, region)."""
    frame = pl.DataFrame(
        {
            "sample": [f"s{number}" for number in range(len(rows))],
            "path": [str(tmp_path / f"{name}.npy") for name, _ in rows],
            "array": [name for name, _ in rows],
            "region": pl.Series([region for _, region in rows], dtype=pl.List(pl.Int64), strict=False),
            **columns,
        }
    )
    return SampleTable.of(frame)


def cut(picture: np.ndarray, region: Any) -> np.ndarray:
    if region is None:
        return picture
    return picture[tuple(slice(start, stop) for start, stop in zip(region[::2], region[1::2], strict=True))]


REGIONS = [
    ("large", [0, 10, 5, 20, 0, 1]), ("small", None), ("large", [50, 60, 0, 50, 0, 1]), ("small", [3, 4, 29, 30, 0, 1]),
    ("large", None), ("large", [0, 10, 5, 20, 0, 1]),
]  # fmt: skip


@pytest.mark.parametrize("make", [readers.PlaneReader, copying])
def test_each_array_is_stored_once(tmp_path: Path, pictures: dict[str, Any], make: Any) -> None:
    table, reader = table_of(tmp_path, REGIONS), make()
    store = ArrayStore.fill(tmp_path / "s", table, reader)
    assert sorted(reader.opened + reader.loaded) == ["large", "small"]
    assert len(store) == 2
    for opened in (store, ArrayStore.open(tmp_path / "s")):
        samples = opened.of(table)
        assert samples.decoded.all()
        for one in (samples, pickle.loads(pickle.dumps(samples))):
            assert one.shapes().tolist() == [list(cut(pictures[name], region).shape) for name, region in REGIONS]
            rng = np.random.default_rng(1)
            for row, (name, region) in enumerate(REGIONS):
                whole = cut(pictures[name], region)
                assert one.shape(row) == whole.shape
                np.testing.assert_array_equal(one[row], whole)
                for _ in range(20):
                    ends = np.sort(rng.integers(0, max(whole.shape) + 2, (3, 2)), axis=1)
                    slices = tuple(slice(int(a), int(b), int(rng.integers(1, 4))) for a, b in ends)
                    np.testing.assert_array_equal(one.read(row, slices)[0], whole[slices])
    ArrayStore.fill(tmp_path / "s", table.take([3, 1]), reader)
    assert len(reader.opened + reader.loaded) == 2


@pytest.mark.parametrize("form", ["list", "text", "json", "array", "float"])
def test_forms_of_a_region(tmp_path: Path, pictures: dict[str, Any], form: str) -> None:
    region: list[Any] = [[1, 5, 2, 9, 0, 1], [0, 60, 0, 50, 0, 1], [1, 2, 3, 4, 0, 1]]
    column = {
        "list": pl.Series(region),
        "text": pl.Series(["1,5,2,9,0,1", " 0, 60, 0, 50, 0, 1 ", "1,2,3,4,0,1"]),
        "json": pl.Series(["[1,5,2,9,0,1]", "[0, 60, 0, 50, 0, 1]", "[1,2,3,4,0,1]"]),
        "array": pl.Series(region, dtype=pl.Array(pl.Int32, 6)),
        "float": pl.Series([[float(end) for end in one] for one in region]),
    }[form]
    frame = pl.DataFrame({"sample": list("abc"), "path": [str(tmp_path / "large.npy")] * 3, "region": column})
    table = SampleTable.of(frame)
    samples = ArrayStore.fill(tmp_path / "s", table, readers.PlaneReader()).of(table)
    for row in range(3):
        np.testing.assert_array_equal(samples[row], cut(pictures["large"], region[row]))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_regions_in_files(tmp_path: Path, pictures: dict[str, Any], suffix: str) -> None:
    write_table(table_of(tmp_path, REGIONS), tmp_path / f"t{suffix}")
    table = read_table(tmp_path / f"t{suffix}")
    samples = ArrayStore.fill(tmp_path / "s", table, readers.PlaneReader()).of(table)
    for row, (name, region) in enumerate(REGIONS):
        np.testing.assert_array_equal(samples[row], cut(pictures[name], region))


WRONG = [
    ([0, 61, 0, 50, 0, 1], "the region [0, 61, 0, 50, 0, 1] ends outside the array of shape [60, 50, 1] along 'h'"),
    ([0, 60, 0, 50, 0, 2], "the region [0, 60, 0, 50, 0, 2] ends outside the array of shape [60, 50, 1] along 'c'"),
    ([0, 10, -1, 5, 0, 1], "the region [0, 10, -1, 5, 0, 1] starts before the array along 'w'"),
    ([5, 5, 0, 5, 0, 1], "the region [5, 5, 0, 5, 0, 1] is empty along 'h'"),
    ([9, 5, 0, 5, 0, 1], "the region [9, 5, 0, 5, 0, 1] is empty along 'h'"),
    ([0, 10, 0, 5, 0], "the region [0, 10, 0, 5, 0] has 5 numbers, axes 'hwc' need 6: start and stop of each"),
    ([], "the region [] has 0 numbers, axes 'hwc' need 6: start and stop of each"),
    ([0, None, 0, 5, 0, 1], "the region [0, None, 0, 5, 0, 1] is no list of whole numbers"),
]


@pytest.mark.parametrize("make", [readers.PlaneReader, copying])
def test_a_wrong_region_is_a_problem_of_its_row(tmp_path: Path, pictures: dict[str, Any], make: Any) -> None:
    good = ("large", [0, 10, 0, 5, 0, 1])
    table = table_of(tmp_path, [good, *(("large", region) for region, _ in WRONG), good])
    samples = ArrayStore.fill(tmp_path / "s", table, make()).of(table)
    assert samples.decoded.tolist() == [True, *[False] * len(WRONG), True]
    assert samples.causes() == [cause for _, cause in WRONG]
    assert samples.shapes().tolist() == [[10, 5, 1], *[[0, 0, 0]] * len(WRONG), [10, 5, 1]]
    for row, (_, cause) in enumerate(WRONG, start=1):
        with pytest.raises(DataError) as raised:
            samples[row]
        assert cause in raised.value.message
    assert table.take(samples.decoded).frame["sample"].to_list() == ["s0", "s9"]


@pytest.mark.parametrize(
    ("column", "cause"),
    [
        (["0,10,0,5,0,1", "left"], "the region left is no list of whole numbers"),
        (["0,10,0,5,0,1", "0,10,0,5.5,0,1"], "the region 0,10,0,5.5,0,1 is no list of whole numbers"),
        (
            [[0.0, 10, 0, 5, 0, 1], [0.5, 1, 0, 1, 0, 1]],
            "the region [0.5, 1.0, 0.0, 1.0, 0.0, 1.0] is no list of whole",
        ),
        ([[0, 10, 0, 5, 0, 1], [0, 10]], "has 2 numbers, axes 'hwc' need 6"),
    ],
)
def test_text_that_is_no_region(tmp_path: Path, pictures: dict[str, Any], column: Any, cause: str) -> None:
    table = SampleTable.of({"sample": ["a", "b"], "path": [str(tmp_path / "large.npy")] * 2, "region": column})
    samples = ArrayStore.fill(tmp_path / "s", table, readers.PlaneReader()).of(table)
    assert samples.decoded.tolist() == [True, False]
    assert cause in samples.causes()[0]


@pytest.mark.parametrize("column", [["left", "rim"], [3, 4], [0.5, None]])
def test_a_label_of_this_name_is_no_region(tmp_path: Path, pictures: dict[str, Any], column: Any) -> None:
    """Such as the region of the lens; beside a column `array` it is one, and refused."""
    table = SampleTable.of({"sample": ["a", "b"], "path": [str(tmp_path / "large.npy")] * 2, "region": column})
    store = ArrayStore.fill(tmp_path / "s", table, readers.PlaneReader())
    assert store.of(table).shapes().tolist() == [[60, 50, 1]] * 2
    refused = store.of(table.with_columns(array=pl.Series([None, None], dtype=pl.String))).causes()
    assert all("is no list of whole numbers" in cause for cause in refused)
    assert len(refused) == 2 - column.count(None)


def test_rows_that_share_an_array_must_agree_on_what_it_is(tmp_path: Path, pictures: dict[str, Any]) -> None:
    table = table_of(tmp_path, [("large", None), ("large", None), ("small", None)], gain=[2, 3, 2])
    samples = ArrayStore.fill(tmp_path / "s", table, readers.TurnedReader()).of(table)
    assert samples.decoded.tolist() == [True, False, True]
    assert samples.causes() == [
        "its array 'large' is that of an earlier row, which has another 'path' or 'copy' or 'gain'"
    ]
    np.testing.assert_array_equal(samples[0], pictures["large"][::-1, ::-1] * 2)


def test_the_array_of_a_sample_may_be_named(tmp_path: Path, pictures: dict[str, Any]) -> None:
    """A null array is the sample's own, whose id is that of the sample."""
    path = str(tmp_path / "large.npy")
    frame = pl.DataFrame(
        {
            "sample": ["whole", "part"],
            "path": [path, path],
            "array": [None, "whole"],
            "region": [None, [0, 5, 0, 5, 0, 1]],
        }
    )
    table, reader = SampleTable.of(frame), readers.PlaneReader()
    samples = ArrayStore.fill(tmp_path / "s", table, reader).of(table)
    assert reader.opened == ["large"]
    np.testing.assert_array_equal(samples[0], pictures["large"])
    np.testing.assert_array_equal(samples[1], pictures["large"][:5, :5])


def test_an_array_that_can_not_be_decoded_fails_all_its_regions(tmp_path: Path, pictures: dict[str, Any]) -> None:
    (tmp_path / "small.npy").write_bytes(b"nothing")
    table, reader = table_of(tmp_path, REGIONS), copying()
    store = ArrayStore.fill(tmp_path / "s", table, reader)
    assert reader.loaded.count("small") == 1
    assert store.of(table).decoded.tolist() == [name == "large" for name, _ in REGIONS]
    assert len(store.problems) == 1
    assert len(set(store.causes(table))) == 1


def test_regions_may_choose_channels(tmp_path: Path) -> None:
    class Colours(readers.PlaneReader):
        open = None  # type: ignore[assignment]

        def load(self, row: Any) -> Any:
            return np.load(row["path"])

    for number, channels in enumerate((4, 3, 3)):
        np.save(tmp_path / f"{number}.npy", np.full((6, 8, channels), number, np.uint8))
    table = table_of(tmp_path, [("0", [0, 6, 0, 8, 0, 3]), ("1", None), ("2", None)])
    samples = ArrayStore.fill(tmp_path / "s", table, Colours()).of(table)
    assert samples.decoded.all()
    assert samples.channels() == {3}
    assert (
        ArrayStore.fill(tmp_path / "s", table.with_columns(region=[None] * 3), Colours()).of(table).decoded.sum() == 2
    )


@pytest.mark.parametrize("make", [readers.PlaneReader, copying])
def test_regions_may_leave_out_the_channels(tmp_path: Path, pictures: dict[str, Any], make: Any) -> None:
    table = table_of(tmp_path, [("large", [2, 10, 3, 5]), ("large", [2, 10, 3, 5, 0, 1]), ("large", [2, 10, 5, 5])])
    samples = ArrayStore.fill(tmp_path / "s", table, make()).of(table)
    assert samples.decoded.tolist() == [True, True, False]
    assert samples.shapes().tolist() == [[8, 2, 1], [8, 2, 1], [0, 0, 0]]
    np.testing.assert_array_equal(samples[0], cut(pictures["large"], [2, 10, 3, 5, 0, 1]))
    np.testing.assert_array_equal(samples[0], samples[1])
    assert samples.causes() == ["the region [2, 10, 5, 5, 0, 1] is empty along 'w'"]


def test_regions_of_axes_without_channels_have_every_side(tmp_path: Path) -> None:
    class Volumes(readers.PlaneReader):
        axes = "zyx"
        open = None  # type: ignore[assignment]

        def load(self, row: Any) -> Any:
            return np.load(row["path"])

    np.save(tmp_path / "0.npy", np.zeros((4, 5, 6), np.uint8))
    table = table_of(tmp_path, [("0", [0, 4, 0, 5]), ("0", [0, 4, 0, 5, 0, 6])])
    samples = ArrayStore.fill(tmp_path / "s", table, Volumes()).of(table)
    assert samples.causes() == ["the region [0, 4, 0, 5] has 4 numbers, axes 'zyx' need 6: start and stop of each"]


def test_many_regions_are_filled_at_once_and_small_to_send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = RNG.integers(0, 255, (3000, 2000)).astype(np.uint8)
    np.save(tmp_path / "large.npy", picture)
    count = 100_000
    corners = np.stack([RNG.integers(0, 2936, count), RNG.integers(0, 1936, count)], axis=1)
    ends = np.stack([corners, corners + 64], axis=2).reshape(count, 4)
    regions = np.concatenate([ends, np.tile([0, 1], (count, 1))], axis=1)
    table = SampleTable.of(
        {
            "sample": [str(k) for k in range(count)],
            "path": [str(tmp_path / "large.npy")] * count,
            "array": ["large"] * count,
            "region": regions.tolist(),
        }
    )
    rows_given = 0

    class Counting(readers.PlaneReader):
        def open(self, row: Any) -> Any:
            nonlocal rows_given
            rows_given += 1
            return super().open(row)

    samples = ArrayStore.fill(tmp_path / "s", table, Counting()).of(table)
    assert rows_given == 1
    assert sum(path.stat().st_size for path in (tmp_path / "s").iterdir()) < 20_000
    assert len(pickle.dumps(samples)) < 16 * count
    for row in RNG.integers(0, count, 200).tolist():
        y, x = corners[row]
        np.testing.assert_array_equal(samples[row][:, :, 0], picture[y : y + 64, x : x + 64])


def anonymous_memory() -> int:
    """Bytes of this process that belong to no file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says how much memory is anonymous")
def test_reading_in_place_holds_no_copy(tmp_path: Path) -> None:
    large = np.lib.format.open_memmap(tmp_path / "large.npy", "w+", np.float32, (400, 500, 500))  # 400 MB
    large[7, 8, 9] = 5
    large.flush()
    del large
    frame = {"sample": ["a"], "path": [str(tmp_path / "large.npy")]}

    class Volumes(readers.PlaneReader):
        axes = "zyx"

        def open(self, row: Any) -> Any:
            return Region.npy(row["path"])

    samples = ArrayStore.fill(tmp_path / "s", SampleTable.of(frame), Volumes()).of(SampleTable.of(frame))
    assert samples.read(0, [slice(7, 8), slice(8, 9), slice(9, 10)])[0].item() == 5
    before = anonymous_memory()
    assert float(samples[0].sum(dtype=np.float64)) == 5
    assert anonymous_memory() - before < 40e6


def test_masks_are_cut_by_their_reader(tmp_path: Path, pictures: dict[str, Any]) -> None:
    class Masks(readers.PlaneReader):
        def load_mask(self, row: Any) -> Any:
            return cut(np.load(row["mask_path"]), row["region"][:4])

        def load_masks(self, path: str, rows: Any) -> Any:
            return [self.load_mask(row) for row in rows]

    np.save(tmp_path / "mask.npy", RNG.integers(0, 3, (60, 50)).astype(np.uint8))
    rows = [row for row in REGIONS if row[1] is not None and row[0] == "large"]
    table = table_of(tmp_path, rows, mask_path=[str(tmp_path / "mask.npy")] * len(rows))
    masks = MaskStore.fill(tmp_path / "m", table, Masks())
    for row, position in enumerate(masks.positions(table)):
        np.testing.assert_array_equal(masks[int(position)], cut(np.load(tmp_path / "mask.npy"), rows[row][1][:4]))
