"""All measurements of text lines, in one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lines.scanning import scan_rows
from benchmarks.lines.step import Strips, step_rows
from benchmarks.lines.waiting import waiting_rows
from benchmarks.result import Result, Row, machine

__all__ = ["Sizes", "run"]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        strips: What is trained on.
        pairs: Interleaved pairs of steps.
        lines: Lines of the database that is scanned.
        scans: How often it is scanned.
        waiting: What is trained on for the share of waiting; None leaves it out.
        repeats: Trainings of each kind.
        threads: Of torch.
    """

    strips: Strips = Strips()  # noqa: RUF009
    pairs: int = 25
    lines: int = 100_000
    scans: int = 3
    waiting: Strips | None = Strips(count=640)  # noqa: RUF009
    repeats: int = 3
    threads: int = 2


def run(sizes: Sizes | None = None) -> Result:
    """All of it, in a temporary folder."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        rows = tuple(_rows(Path(temporary), sizes))
    strips = sizes.strips
    return Result(
        "lines",
        "Text lines: a step of a recogniser, waiting, the scan of a database",
        (
            "the losses of the first three steps of both loops, to 1e-6 of the loss",
            f"a scan of {sizes.lines:,} lines finds every line, its transcript and its size",
        ),
        rows,
        (
            "Steps and scans: processor seconds, summed over threads and processes.",
            f"Steps: small_crnn of random weights is trained by CTC on {strips.batch} strips of 3 to 7 digits a step, "
            "with the views of the domain.",
            f"Waiting: SeqCLR with small_crnn, {strips.batch} strips a step; no cache, each strip is read once.",
            "Lines a second of a scan: further lines, the difference of a database and a tenth of it, so that the "
            "start of the process is left out.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ["numpy", "lmdb"]),
    )


def _rows(folder: Path, sizes: Sizes) -> Iterator[Row]:
    yield from step_rows(folder / "step", sizes.strips, sizes.pairs, sizes.threads)
    yield from scan_rows(folder / "scan", sizes.lines, sizes.scans)
    if sizes.waiting is not None:
        yield from waiting_rows(folder, sizes.waiting, sizes.threads, sizes.repeats)
