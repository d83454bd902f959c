"""All measurements of reading SEG-Y volumes, in one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.result import Result, Row, machine
from benchmarks.seismic.access import access_rows
from benchmarks.seismic.cold import cold_rows
from benchmarks.seismic.memory import memory_row
from benchmarks.seismic.waiting import Training, waiting_rows
from ssl_domains.engine.processes.allocation import freed_memory_kept

__all__ = ["Sizes", "run"]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        shape: Inlines, crosslines, samples of the survey.
        side: Of a cube, and of a patch that is read cold.
        rounds: How often each arm is timed.
        calls: Reads in each round, where one is short.
        patches: Patches that are read cold.
        large: Inlines, crosslines, samples of the survey whose scan is measured.
        crops: Samples that are read of it along each axis.
        training: What is trained for the share of waiting.
        trained: Formats that it is trained on.
        repeats: Trainings of each kind.
        limit_mb: Most anonymous memory of the scan.
    """

    shape: tuple[int, int, int] = (296, 242, 462)
    side: int = 64
    rounds: int = 25
    calls: int = 20
    patches: int = 5
    large: tuple[int, int, int] = (160, 190, 2400)
    crops: int = 200
    training: Training = Training()  # noqa: RUF009
    trained: tuple[str, ...] = ("IEEE", "IBM")
    repeats: int = 3
    limit_mb: float = 250


def run(sizes: Sizes | None = None) -> Result:
    """All of it, in a temporary folder."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        rows = tuple(_rows(Path(temporary), sizes))
    shape = " × ".join(map(str, sizes.shape))
    return Result(
        "seismic",
        f"SEG-Y volumes read in place: {shape} (inlines, crosslines, samples) in four formats",
        (
            "depth slices and cubes have the values that segyio gives, in every format, from file and copy",
            "blocks have the values of the memory map, also where holes or unsorted traces need a table of the traces",
            "crops of the scanned survey have the values of its copy",
        ),
        rows,
        (
            "Times are processor seconds of one thread; the files lie in memory, and freed memory is kept between "
            "reads, as it is in `pretrain`.",
            "Arms in turn: between two reads of one arm the others read tens of MB, which empties the processor's "
            "cache; calls in a row find the same part there again, as far as it fits.",
            "Bare memory map: `map[part].astype(native)`; for IBM numbers three whole-array operations decode it.",
            "Cold: bytes that the process reads by /proc/self/io, the files being put out of memory before.",
            f"Waiting: SimCLR, small_conv, {sizes.training.batch} patches of {sizes.training.side} × "
            f"{sizes.training.side} a step, no cache: each is read for the first time.",
        ),
        time.perf_counter() - started,
        machine(sizes.training.threads, ["segyio", "numpy"]),
    )


def _rows(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with freed_memory_kept(torch.device("cpu")):
        yield from access_rows(folder, sizes.shape, sizes.side, sizes.rounds, sizes.calls)
    yield from cold_rows(folder, sizes.shape, sizes.side, sizes.patches)
    yield memory_row(folder, sizes.large, sizes.crops, sizes.limit_mb)
    for name in sizes.trained:
        yield from waiting_rows(folder, name, folder / f"{name}.sgy", sizes.training, sizes.repeats)
