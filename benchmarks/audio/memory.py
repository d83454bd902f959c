"""Anonymous memory while a long recording is scanned, cut and read in part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.audio.files import clip, write_long
from benchmarks.regions import AnonymousMemory
from benchmarks.result import Row
from ssl_domains.stores import ArrayStore
from ssl_domains_audio.files import full_scale
from ssl_domains_audio.reader import AudioReader

__all__ = ["memory_rows", "peak_of_scan"]

_CUT_S, _SHORT_S = 5, 20


def memory_rows(folder: Path, seconds: int, rate: int, read: int, limit_mb: float) -> Iterator[Row]:
    """The peak for a recording as wav and as flac.

    Args:
        folder: Where files are written.
        seconds: Duration of the recording.
        rate: Samples a second.
        read: Cuts that are read.
        limit_mb: Most MB above what the libraries take.
    """
    for suffix in ("wav", "flac"):
        path = write_long(folder / f"long.{suffix}", seconds, rate)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(peak_of_scan, str(path), str(folder), rate, read).result()
        path.unlink()
        assert found["cuts"] == seconds // _CUT_S, "a cut is missing"
        what = f"anonymous memory above the imports: {seconds / 3600:.3g} h of {suffix}, {found['cuts']:,} cuts"
        yield Row.at_most(what, found["peak"] / 1e6, "MB", limit_mb)


def peak_of_scan(recording: str, folder: str, rate: int, read: int) -> Mapping[str, int]:
    """Scan, store and read cuts in this process: bytes at the peak above those after a short recording, and the cuts.

    Raises:
        AssertionError: When a cut has other samples than the recording.
    """
    path, here = Path(recording), Path(folder)
    short = write_long(here / f"short{path.suffix}", _SHORT_S, rate)
    _work(short, here / f"short-{path.suffix[1:]}", rate, 2)
    with AnonymousMemory() as memory:
        cuts = _work(path, here / f"store-{path.suffix[1:]}", rate, read)
    return {"peak": memory.peak, "cuts": cuts}


def _work(path: Path, store: Path, rate: int, read: int) -> int:
    table = AudioReader().scan(path, cut=_CUT_S).samples
    samples = ArrayStore.fill(store, table, AudioReader()).of(table)
    for row in np.linspace(0, len(table) - 1, num=min(len(table), read), dtype=np.int64).tolist():
        array = full_scale(samples[row])[:, 0]
        assert len(array) == _CUT_S * rate, "a cut has its length"
    expected = np.rint(clip(0, 60 * rate, rate)[: len(array)] * 2.0**15) / 2.0**15
    first = full_scale(samples[0])[:, 0]
    assert len(table) < 12 or np.abs(first - expected).max() <= 2.0**-15, "the first cut has the samples of its file"
    return len(table)
