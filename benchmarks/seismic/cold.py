"""What one patch of a time slice reads from the disk when nothing of the survey is in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from benchmarks.result import Row
from benchmarks.timing import spread
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.survey import open_survey

__all__ = ["bytes_of_patch", "cold_rows"]


def cold_rows(name: str, survey: Path, side: int, patches: int) -> Iterator[Row]:
    """MB of a patch from the SEG-Y file and from its copy, and their ratio; nothing where the system counts no reads.

    Args:
        name: Format of the survey.
        survey: The file, with its copy ``.bricks`` beside it.
        side: Of a patch.
        patches: How many are read, each by a process of its own.
    """
    read: dict[bool, list[float]] = {False: [], True: []}
    for number in range(patches):
        for copied in (False, True):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                read[copied].append(pool.submit(bytes_of_patch, str(survey), copied, side, number).result() / 1e6)
    if not min(read[False]):
        return
    yield Row.of(f"{name}: read for a patch of {side} × {side} from SEG-Y, cold", spread(read[False]), "MB")
    yield Row.of(f"{name}: read for a patch of {side} × {side} from the copy, cold", spread(read[True]), "MB")
    share = [100 * copy / file for copy, file in zip(read[True], read[False], strict=True)]
    yield Row.at_most(f"{name}: the copy's share of it", spread(share), "%", 1)


def bytes_of_patch(survey: str, copied: bool, side: int, number: int) -> int:
    """Bytes that this process reads from the disk for a patch; 0 where the files lie in memory.

    The files are opened, which reads the headers, then put out of the system's memory.
    """
    path = Path(survey)
    copy = path.with_suffix(".bricks")
    volume = open_survey(path, replace(Reading(), copy=str(copy) if copied else None)).volume
    if copied:
        assert volume.copy is not None, "the copy fits its survey"
    for file in (path, copy):
        _put_out_of_memory(file)
    starts = [(37 * number + 11 * axis) % (length - side + 1) for axis, length in enumerate(volume.shape[:2])]
    depth = (101 * number + 7) % volume.shape[2]
    before = _read_bytes()
    volume.read((*(slice(start, start + side) for start in starts), slice(depth, depth + 1)))
    return _read_bytes() - before


def _put_out_of_memory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # pages that are not on the disk yet stay in memory
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _read_bytes() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("read_bytes"))
