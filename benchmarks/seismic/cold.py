"""What one patch of a time slice reads from the disk when nothing of the survey is in memory."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from benchmarks.result import Row
from benchmarks.seismic.files import CODES, write_survey
from benchmarks.timing import spread
from ssl_domains.samples import mapped_file
from ssl_domains_seismic.copies.write import write_copy
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.survey import open_survey

__all__ = ["bytes_of_patches", "cold_rows"]


def cold_rows(folder: Path, shape: tuple[int, int, int], side: int, patches: int) -> Iterator[Row]:
    """MB of a patch from the SEG-Y file of each format and from its copy, and their ratio.

    Nothing where the files lie in memory, or the system counts no reads.

    Args:
        folder: Where files are written.
        shape: Inlines, crosslines, samples.
        side: Of a patch.
        patches: How many are read.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = {name: pool.submit(bytes_of_patches, str(folder), name, shape, side, patches) for name in CODES}
    for name, task in found.items():
        read = task.result()
        if not min(file for file, _ in read):
            return
        for where, place in (("SEG-Y", 0), ("the copy", 1)):
            each = spread([both[place] / 1e6 for both in read])
            yield Row.of(f"{name}: read for a patch of {side} × {side} from {where}, cold", each, "MB")
        share = spread([100 * copy / file for file, copy in read])
        yield Row.at_most(f"{name}: the copy's share of it", share, "%", 1)


def bytes_of_patches(
    folder: str, name: str, shape: tuple[int, int, int], side: int, patches: int
) -> list[tuple[int, int]]:
    """Bytes that this process reads from the disk for each patch, from the file and from its copy.

    It writes both itself: what another process has mapped can't be put out of memory.
    """
    path = write_survey(Path(folder) / f"cold-{name}.sgy", shape, CODES[name])
    copy = path.with_suffix(".bricks")
    write_copy(open_survey(path, Reading()).volume, copy)
    made = []
    for number in range(patches):
        starts = [(37 * number + 11 * axis) % (length - side + 1) for axis, length in enumerate(shape[:2])]
        depth = (101 * number + 7) % shape[2]
        part = (*(slice(start, start + side) for start in starts), slice(depth, depth + 1))
        made.append((_bytes_of(path, None, part), _bytes_of(path, copy, part)))
    return made


def _bytes_of(path: Path, copy: Path | None, part: tuple[slice, ...]) -> int:
    volume = replace(open_survey(path, replace(Reading(), copy=None if copy is None else str(copy))).volume)
    assert copy is None or volume.copy is not None, "the copy fits its survey"
    mapped_file(str(path)).madvise(mmap.MADV_DONTNEED)  # pages in use by a process can't be put out of memory
    for file in (path,) if copy is None else (path, copy):
        _put_out_of_memory(file)
    before = _read_bytes()
    volume.read(part)
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
