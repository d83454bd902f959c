"""Memory of a run on many regions of one large array: nothing is copied, and workers hold no more than they read."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.result import Result, Row, machine
from ssl_domains.engine import Parts, Run, load_config, pretrain
from ssl_domains.engine.processes.allocation import freed_memory_returned
from ssl_domains.engine.processes.distributed import processes
from ssl_domains.evaluation import embed
from ssl_domains.inputs import Input, InputSpec, View
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, parse
from ssl_domains.samples import Region, SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.testing.process_pool import ProcessPool
from ssl_domains.views import RandomCrop, Scaling, register_preprocess
from ssl_domains.views.draws import Draws

__all__ = ["Sizes", "run"]

_BLOCK = 1 << 22
_TIMEOUT = 3600.0


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        regions: Number of regions, one after the other.
        length: Places of a region; each is an int16.
        crop: Places of a crop.
        steps: Training steps.
        workers: Worker processes of each training process.
        limit_mb: Largest anonymous memory above the imports, in MB (10⁶ bytes), summed over all processes.
    """

    regions: int = 100_000
    length: int = 6_000
    crop: int = 1_000
    steps: int = 15
    workers: int = 2
    limit_mb: float = 400


class RegionReader:
    """Reads int16 recordings ``[time, channels]`` where they lie."""

    version = "1"
    axes = "tc"

    def scan(self, source: Path, **options: Any) -> Any:
        """Never called: the benchmark makes its table itself."""
        raise NotImplementedError("the table is made here")

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        array: NDArray[np.generic] = np.load(row["path"], mmap_mode="r")
        return array

    def open(self, row: Mapping[str, Any]) -> Region:
        """The whole recording, not yet read."""
        return Region.npy(row["path"])


@register_preprocess
@dataclass(frozen=True)
class Amplitudes:
    """int16 ``[T, 1]`` to float32 in [-1, 1], ``[1, 1, T]``; every input has ``length`` places."""

    name: ClassVar[str] = "amplitudes of a benchmark"
    columns: ClassVar[tuple[str, ...]] = ()
    length: int

    @property
    def spec(self) -> InputSpec:
        return InputSpec("wave", 1, (self.length,))

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        return self.spec.input(torch.from_numpy(array.reshape(1, 1, -1).astype(np.float32)) / 32768)

    def to_dict(self) -> dict[str, Any]:
        return {"length": self.length}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(int(values["length"]))


@dataclass(frozen=True)
class Gain:
    """Two crops of each recording, each louder or quieter by a random factor."""

    crop: RandomCrop
    views: int = 2
    columns: ClassVar[tuple[str, ...]] = ()
    emitted: ClassVar[tuple[str, ...]] = ()

    def views_of(
        self,
        x: Input,
        *beside: Input,
        seed: int,
        step: int,
        slots: Tensor,
        columns: Mapping[str, Tensor] | None = None,
        only: Sequence[int] | None = None,
    ) -> list[View]:
        made = []
        for number in range(self.views) if only is None else only:
            gain = Draws(seed, step, slots, number, "gain").between(0.5, 2.0).float()
            values = x.values * gain.to(x.device)[:, None, None]
            made.append(View(Input(values, x.valid, x.kind, x.ragged, x.pad)))
        return made

    def to_dict(self) -> dict[str, Any]:
        return {"name": "gain", "views": self.views}


def make_table(folder: Path, sizes: Sizes) -> SampleTable:
    """Write the recording, once, and cut it into regions; ten neighbours are of one patient."""
    path = folder / "recording.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shape = (sizes.regions * sizes.length, 1)
        written = np.lib.format.open_memmap(path, mode="w+", dtype=np.int16, shape=shape)
        for start in range(0, shape[0], _BLOCK):
            place = np.arange(start, min(start + _BLOCK, shape[0]))
            written[start : start + _BLOCK, 0] = (place % 4093) * (1 + place // sizes.length % 7) % 20_000 - 10_000
        written.flush()
    number = np.arange(sizes.regions)
    starts = number * sizes.length
    ends = np.stack([starts, starts + sizes.length, np.zeros_like(starts), np.ones_like(starts)], axis=1)
    frame = pl.DataFrame(
        {
            "sample": pl.Series(number).cast(pl.String),
            "path": pl.Series([str(path)]).new_from_index(0, sizes.regions),
            "array": pl.Series(["recording"]).new_from_index(0, sizes.regions),
            "region": pl.Series(ends).cast(pl.List(pl.Int64)),
            "patient": number // 10,
            "start": starts,
        }
    )
    return SampleTable(frame)


class AnonymousMemory:
    """Highest anonymous resident memory of this process and its children above what this process held before.

    A forked child starts with the pages of its parent, so the same amount is subtracted from it.
    """

    def __init__(self) -> None:
        gc.collect()
        freed_memory_returned()  # else a run that returns it would seem to take less than nothing
        self.before = _anonymous(os.getpid())
        self.peak = 0
        self.processes = 1
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._measure()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self._measure()

    def _measure(self) -> None:
        held = [_anonymous(pid) - self.before for pid in (os.getpid(), *_children(os.getpid()))]
        if sum(held) > self.peak:
            self.peak, self.processes = sum(held), len(held)


def _anonymous(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(child) for child in (thread / "children").read_text(encoding="utf-8").split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def pretrain_regions(folder: str, out: str, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Train in this process, alone or as one of several; returns the peak of its memory and that of its workers."""
    wanted = Sizes(**sizes)
    _load_libraries(Path(f"{out}-warm"))
    with AnonymousMemory() as memory:
        _train(Path(folder), Path(out), wanted)
    return {"peak": memory.peak, "processes": memory.processes}


def embed_regions(folder: str, out: str, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Embed all regions with the encoder of a run."""
    wanted = Sizes(**sizes)
    _load_libraries(Path(f"{out}-embed-warm"))
    with AnonymousMemory() as memory:
        table = make_table(Path(folder), wanted)
        frame = embed(Run.open(out), table, ArrayStore.open(Path(folder) / "store"))
    return {"peak": memory.peak, "processes": memory.processes, "rows": len(frame)}


def _train(folder: Path, out: Path, sizes: Sizes) -> Run:
    with processes() as world, world.in_turn():
        table = make_table(folder, sizes)
        store = ArrayStore.fill(folder / "store", table, RegionReader())
    crop = RandomCrop(sizes.crop, emitted="start_of_crop", origin="start")
    config = load_config(
        sets=[
            "encoder.name=conv1d", "train.batch_size=64", "train.device=cpu", f"train.max_steps={sizes.steps}",
            f"data.workers={sizes.workers}", "train.epochs=1",
        ]
    )  # fmt: skip
    rule = parse(f"same('patient') & within('start_of_crop', {5 * sizes.length})")
    parts = Parts(
        table, store, rule, Composition("random"), Gain(crop), Scaling(), SimCLR, preprocess=Amplitudes(sizes.crop)
    )
    return pretrain(config, parts, out)


def _load_libraries(folder: Path) -> None:
    """A tiny run: what is imported at its first use is loaded before memory is measured."""
    sizes = Sizes(regions=80, length=64, crop=32, steps=1, workers=0)
    trained = _train(folder, folder / "run", sizes)
    with processes() as world, world.in_turn():
        embed(trained, make_table(folder, sizes), ArrayStore.open(folder / "store"))


def run(sizes: Sizes | None = None) -> Result:
    """All of it, in a temporary folder."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_table(folder / "data", sizes)
        rows = list(_measured(folder, sizes))
        store = sum(path.stat().st_size for path in (folder / "data" / "store").rglob("*") if path.is_file())
        array = (folder / "data" / "recording.npy").stat().st_size
    rows.append(Row.at_most("store folder / array", store / array, "×", 0.1))
    return Result(
        "regions",
        f"{sizes.regions:,} regions of one array of {array / 1e9:.2g} GB, read in place",
        ("every region is embedded",),
        tuple(rows),
        (
            "MB: highest anonymous resident memory (RssAnon) above the imports, summed over all processes; each is "
            "measured above what its training process held after a tiny run. Pages of the mapped array don't count.",
            f"Crops of {sizes.crop} places of regions of {sizes.length}, embedded at the centre; conv1d; {sizes.steps} "
            f"steps of 64 samples; {sizes.workers} workers for each training process. A rule reads where crops start.",
        ),
        time.perf_counter() - started,
        machine(1),
    )


def _measured(folder: Path, sizes: Sizes) -> list[Row]:
    def call(pool: ProcessPool, function: Callable[..., Any], out: str) -> list[dict[str, Any]]:
        options = {"folder": str(folder / "data"), "out": str(folder / out), "sizes": vars(sizes)}
        return pool(function, **options)

    rows = []
    for count in (1, 2):
        pool = ProcessPool(folder, count, _TIMEOUT)
        try:
            found = call(pool, pretrain_regions, f"run{count}")
        finally:
            pool.close()
        rows.append(_row(f"pretrain, {count} × (1 + {sizes.workers}) processes", found, sizes))
    pool = ProcessPool(folder, 1, _TIMEOUT)
    try:
        found = call(pool, embed_regions, "run1")
    finally:
        pool.close()
    assert found[0]["rows"] == sizes.regions, "a region was not embedded"
    rows.append(_row(f"embed, 1 + {sizes.workers} processes", found, sizes))
    return rows


def _row(what: str, found: Sequence[Mapping[str, Any]], sizes: Sizes) -> Row:
    return Row.at_most(what, sum(one["peak"] for one in found) / 1e6, "MB", sizes.limit_mb)
