"""All measurements of recordings, in one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.audio.log_mel import Batch, log_mel_rows
from benchmarks.audio.memory import memory_rows
from benchmarks.audio.scanning import scan_rows
from benchmarks.audio.step import Clips, step_rows
from benchmarks.audio.waiting import waiting_rows
from benchmarks.result import Result, Row, machine
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["Sizes", "run"]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        batches: Batches whose spectrograms are computed.
        rounds: How often each arm is timed.
        calls: Calls of an arm in each round.
        clips: What is trained on.
        pairs: Interleaved pairs of steps.
        files: Short files of each suffix.
        scans: How often the files are read.
        long_s: Seconds of the long recording.
        long_rate: Its samples a second.
        read: Cuts of it that are read.
        limit_mb: Most anonymous memory of its scan.
        waiting: What is trained on for the share of waiting.
        repeats: Trainings of each kind.
        threads: Of torch.
    """

    batches: tuple[Batch, ...] = (Batch(128, 3600, 8000), Batch(32, 80_000, 16_000))
    rounds: int = 25
    calls: int = 3
    clips: Clips = Clips()  # noqa: RUF009
    pairs: int = 25
    files: int = 3000
    scans: int = 7
    long_s: int = 7200
    long_rate: int = 16_000
    read: int = 200
    limit_mb: float = 300
    waiting: Clips | None = Clips(count=2048)  # noqa: RUF009
    repeats: int = 3
    threads: int = 2


def run(sizes: Sizes | None = None) -> Result:
    """All of it, in a temporary folder."""
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        rows = tuple(_rows(Path(temporary), sizes))
    return Result(
        "audio",
        "Recordings: spectrograms, a step of SimCLR, scans, a long recording",
        (
            "log-mel spectrograms of the batch have the values that librosa gives, their power to 1e-5 of the clip's "
            "largest",
            "the losses of the first three steps of both loops, bit for bit",
            "every header and every content is read; cuts of the long recording have its samples",
        ),
        rows,
        (
            "All but waiting: processor seconds, summed over threads.",
            "Log-mel starts from a batch of waveforms, and librosa makes its mel filters at each call.",
            f"Steps and waiting: SimCLR, small_conv, {sizes.clips.batch} clips of "
            f"{sizes.clips.samples / sizes.clips.rate:g} s a step. Waiting: no cache, each clip is read once.",
            f"Short files: {sizes.clips.samples / sizes.clips.rate:g} s at {sizes.clips.rate:,} Hz, 16 bits.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ["numpy", "librosa", "soundfile"]),
    )


def _rows(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with torch_threads(1):
        for batch in sizes.batches:
            yield from log_mel_rows(batch, sizes.rounds, sizes.calls)
    yield from step_rows(folder / "step", sizes.clips, sizes.pairs, sizes.threads)
    clips = sizes.clips
    yield from scan_rows(folder / "scan", sizes.files, clips.samples, clips.rate, sizes.scans)
    (folder / "long").mkdir()
    yield from memory_rows(folder / "long", sizes.long_s, sizes.long_rate, sizes.read, sizes.limit_mb)
    if sizes.waiting is not None:
        yield from waiting_rows(folder, sizes.waiting, sizes.threads, sizes.repeats)
