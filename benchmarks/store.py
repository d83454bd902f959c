"""The array store at a million rows: open, check, arrays of a table; and many regions of one array."""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.memory import Peak, peak_of
from benchmarks.result import Result, Row, machine
from benchmarks.timing import spread
from ssl_domains.samples import Region, SampleTable
from ssl_domains.stores import ArrayStore

__all__ = ["Sizes", "run"]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rows: Rows of the table, each with an array of its own.
        files: Files that they lie in.
        regions: Regions of one array.
        side: Side of that array, a square picture of uint8.
        repeats: How often each is measured, in a process of its own.
    """

    rows: int = 10**6
    files: int = 1000
    regions: int = 10**5
    side: int = 35_000
    repeats: int = 3


def run(sizes: Sizes | None = None) -> Result:
    """All of it."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        filled = _make(folder, sizes)
        agreed = _assert_agreement(folder)
        rows = [Row(f"{sizes.rows:,} rows in {sizes.files:,} files: filled", filled, "s")]
        for what, prepare, most in (
            ("open", prepare_open, 1.5),
            ("check of a complete store", prepare_check, 3),
            ("open, and arrays of the table, rows in another order", prepare_arrays, 3.5),
        ):
            peaks = [peak_of(prepare, str(folder)) for _ in range(sizes.repeats)]
            rows += _rows(f"{sizes.rows:,} rows: {what}", peaks, most)
        rows += _regions(folder, sizes)
    return Result(
        "store",
        "The array store at a million rows",
        (agreed,),
        tuple(rows),
        (
            "Each measurement in a process of its own, in which all is imported and the table is in memory.",
            "Memory: highest resident memory above that; it holds the store's index, and what is made.",
            "Check: what filling does when nothing is missing. It compares every row's path and slice number, and the "
            "size and time of every file.",
            "Arrays: what a training reads by, from a table whose rows are in another order than in the store. Target: "
            "opening (1.5 s) and finding the arrays (2 s) together.",
            "Seconds are by the clock of a machine that other work may share; processor seconds are not.",
        ),
        time.perf_counter() - started,
        machine(1, ["polars", "numpy"]),
    )


class SliceReader:
    """Rows of a file of small arrays; a stand-in for volumes of slices, quick to decode."""

    version = "1"
    axes = "hwc"

    def scan(self, source: Path, **options: Any) -> Any:
        """Never called: the benchmark makes its table itself."""
        raise NotImplementedError("the table is made here")

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """One slice."""
        return self.load_file(row["path"], [row])[0]

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[NDArray[np.generic]]:
        """Slices of 2 × 2 pixels that hold the number of the file and of the slice."""
        number = int(Path(path).stem)
        pixels = np.empty((len(rows), 2, 2, 1), dtype=np.uint16)
        pixels[:, 0], pixels[:, 1] = number, np.array([row["slice"] for row in rows])[:, None, None]
        return list(pixels)


class PlainReader(SliceReader):
    """Pictures of .npy files, read in place."""

    def open(self, row: Mapping[str, Any]) -> Region:
        """The whole picture."""
        return Region.npy(row["path"])[:, :, None]


def _make(folder: Path, sizes: Sizes) -> float:
    """Write the files, the table and the store; seconds of filling."""
    (folder / "files").mkdir()
    for number in range(sizes.files):
        (folder / "files" / f"{number}.raw").write_bytes(b"raw")
    each = sizes.rows // sizes.files
    files = np.repeat(np.arange(sizes.files), each)
    frame = pl.DataFrame({"file": files, "slice": np.tile(np.arange(each), sizes.files)}).select(
        sample=pl.format("{}-{}", "file", "slice"),
        path=pl.format(f"{folder}/files/{{}}.raw", "file"),
        slice="slice",
        age=pl.col("file") % 90,
    )
    frame.write_parquet(folder / "samples.parquet")
    before = time.perf_counter()
    ArrayStore.fill(folder / "samples.store", SampleTable.of(frame), SliceReader())
    return time.perf_counter() - before


def _assert_agreement(folder: Path) -> str:
    """The arrays of rows in another order are those of the files.

    Raises:
        AssertionError: When one is not.
    """
    table = _table(folder)
    table = table.take(np.random.default_rng(0).permutation(len(table))[:2000])
    samples = ArrayStore.open(folder / "samples.store").of(table)
    paths = [int(Path(path).stem) for path in table.frame["path"]]
    for row, (number, slice_) in enumerate(zip(paths, table.frame["slice"], strict=True)):
        assert samples[row][:, :, 0].tolist() == [[number, number], [slice_, slice_]]
    return "2,000 rows in another order give the arrays of their files"


def _table(folder: Path) -> SampleTable:
    return SampleTable.of(pl.read_parquet(folder / "samples.parquet"))


def prepare_open(folder: str) -> Callable[[], float]:
    """Opening the store; processor seconds, as of the next two."""
    _warm(Path(folder))
    return lambda: _processor(lambda: ArrayStore.open(Path(folder) / "samples.store"))


def prepare_check(folder: str) -> Callable[[], float]:
    """Filling a store that is complete."""
    table = _warm(Path(folder))
    return lambda: _processor(lambda: ArrayStore.fill(Path(folder) / "samples.store", table, SliceReader()))


def prepare_arrays(folder: str) -> Callable[[], float]:
    """Opening the store and finding the array of each row."""
    table = _warm(Path(folder))
    table = table.take(np.random.default_rng(0).permutation(len(table)))
    return lambda: _processor(lambda: ArrayStore.open(Path(folder) / "samples.store").of(table))


def prepare_regions(folder: str, side: int, count: int) -> Callable[[], float]:
    """Filling a store with many regions of one array and reading a thousand of them; bytes of the pickled arrays."""
    _warm(Path(folder))
    edge = 64
    places = np.random.default_rng(0).integers(0, side - edge, (count, 2))
    ends = np.stack([places, places + edge], axis=2).reshape(count, 4)
    regions = np.concatenate([ends, np.tile([0, 1], (count, 1))], axis=1)
    table = SampleTable.of(
        {
            "sample": [str(k) for k in range(count)],
            "path": [f"{folder}/large.npy"] * count,
            "array": ["large"] * count,
            "region": regions.tolist(),
        }
    )

    def call() -> float:
        store = ArrayStore.fill(Path(folder) / f"regions-{time.monotonic_ns()}.store", table, PlainReader())
        samples = store.of(table)
        assert samples.decoded.all()
        return float(len(pickle.dumps(samples)))

    return call


def _processor(call: Callable[[], object]) -> float:
    """Processor seconds of a call, over all threads: on a busy machine they say more than the clock."""
    before = time.process_time()
    call()
    return time.process_time() - before


def _warm(folder: Path) -> SampleTable:
    """Use what will be measured once, on a few rows, so that it is loaded; the table."""
    table = _table(folder)
    with tempfile.TemporaryDirectory() as scratch:
        few = table.take(np.arange(10)[::-1])
        ArrayStore.fill(scratch, few, SliceReader())
        ArrayStore.fill(scratch, few, SliceReader()).of(few)
    return table


def _rows(what: str, peaks: Sequence[Peak], most: float) -> list[Row]:
    seconds, processor = spread([peak.seconds for peak in peaks]), spread([peak.value for peak in peaks])
    memory = max(peak.bytes for peak in peaks) / 1e6
    return [
        Row.at_most(what, seconds, "s", most),
        Row.of(f"{what}, processor", processor, "s"),
        Row.at_most(f"{what}, memory", memory, "MB", 300),
    ]


def _regions(folder: Path, sizes: Sizes) -> list[Row]:
    large = np.lib.format.open_memmap(folder / "large.npy", "w+", np.uint8, (sizes.side, sizes.side))
    large[::4096] = 7
    large.flush()
    del large
    found = peak_of(prepare_regions, str(folder), sizes.side, sizes.regions)
    what = f"{sizes.regions:,} regions of one array of {sizes.side**2 / 1e9:.1f} GB"
    return [
        Row(f"{what}: filled and opened", found.seconds, "s"),
        Row(f"{what}: memory", found.bytes / 1e6, "MB"),
        Row(f"{what}: what a worker is sent", found.value / 1e6, "MB"),
    ]
