"""Anonymous memory while a large survey is scanned, copied and cropped along all axes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.regions import AnonymousMemory
from benchmarks.result import Row
from benchmarks.seismic.files import CODES, write_survey
from ssl_domains.stores import ArrayStore
from ssl_domains_seismic.copies.write import write_copy
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.survey import open_survey

__all__ = ["memory_row", "peak_of_scan"]

_SMALL = (16, 16, 64)


def memory_row(folder: Path, shape: tuple[int, int, int], crops: int, limit_mb: float) -> Row:
    """The peak for a survey of zeros, whose samples take no space on the disk.

    Args:
        folder: Where it is written.
        shape: Inlines, crosslines, samples.
        crops: Samples that are read along each axis.
        limit_mb: Most MB above what the libraries take.
    """
    survey = write_survey(folder / "large.sgy", shape, CODES["IEEE"], sparse=True)
    size = survey.stat().st_size
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        peak = pool.submit(peak_of_scan, str(survey), str(folder), crops).result()["peak"]
    survey.unlink()
    what = f"anonymous memory above the imports: a survey of {size / 1e9:.2g} GB scanned, copied and cropped"
    return Row.at_most(what, peak / 1e6, "MB", limit_mb)


def peak_of_scan(survey: str, folder: str, crops: int) -> Mapping[str, int]:
    """Scan, copy and crop in this process; bytes at the peak above what a tiny survey left behind, and samples read."""
    here = Path(folder)
    tiny = write_survey(here / "tiny.sgy", _SMALL, CODES["IEEE"])
    _work(tiny, here / "tiny-store", 2)
    with AnonymousMemory() as memory:
        read = _work(Path(survey), here / "large-store", crops)
    return {"peak": memory.peak, "read": read}


def _work(survey: Path, store: Path, crops: int) -> int:
    table = SeismicReader().scan(survey, along="inline,crossline,depth", patch="64", every=16).samples
    samples = ArrayStore.fill(store, table, SeismicReader()).of(table)
    copy = survey.with_suffix(".bricks")
    write_copy(open_survey(survey, Reading()).volume, copy)
    copied = open_survey(survey, replace(Reading(), copy=str(copy))).volume
    chosen = np.linspace(0, len(table) - 1, num=min(len(table), 3 * crops), dtype=np.int64).tolist()
    for row in chosen:
        ends = table.frame["region"][row].to_list()
        part = tuple(slice(start, stop) for start, stop in zip(ends[0::2], ends[1::2], strict=True))
        assert np.array_equal(samples[row][..., 0], copied.read(part)[0]), "the copy has the samples of the survey"
    copy.unlink()
    return len(chosen)
