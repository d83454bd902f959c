"""Memory of a scan, a copy and crops of a large survey: only what is read is held, in a process of its own."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .conftest import grid_words, smooth, write

_WORK = """
import os, sys, threading
from dataclasses import replace
from pathlib import Path
import numpy as np
from ssl_domains.stores import ArrayStore
from ssl_domains_seismic.copies.write import write_copy
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.survey import open_survey

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))

def work(survey, store, count):
    table = SeismicReader().scan(survey, along="inline,crossline,depth", patch="64", every=16).samples
    samples = ArrayStore.fill(store, table, SeismicReader()).of(table)
    copy = survey.with_suffix(".bricks")
    write_copy(open_survey(survey, Reading()).volume, copy)
    copied = open_survey(survey, replace(Reading(), copy=str(copy))).volume
    for row in np.linspace(0, len(table) - 1, count, dtype=int).tolist():
        ends = table.frame["region"][row].to_list()
        part = tuple(slice(*pair) for pair in zip(ends[0::2], ends[1::2]))
        assert np.array_equal(samples[row][..., 0], copied.read(part)[0])
    return int(np.count_nonzero(copied.read((slice(0, 64), slice(0, 64), slice(5, 6)))[0]))

small, large = map(Path, sys.argv[1:])
work(small, small.with_suffix(".store"), 3)
before, peak, done = anonymous(), 0, threading.Event()
def watch():
    global peak
    while not done.wait(0.01):
        peak = max(peak, anonymous())
watcher = threading.Thread(target=watch)
watcher.start()
found = work(large, large.with_suffix(".store"), 300)
done.set()
watcher.join()
print(max(peak, anonymous()) - before, found)
"""


def sparse(path: Path, inlines: int, crosslines: int, samples: int) -> Path:
    """A survey whose samples are holes of the file, but for one in each trace."""
    write(path, np.zeros((1, samples), np.float32), grid_words(range(1), range(1)))
    with path.open("r+b") as file:
        for trace in range(inlines * crosslines):
            head = bytearray(240)
            for byte, value in {1: trace + 1, 189: 100 + trace // crosslines, 193: 300 + trace % crosslines}.items():
                struct.pack_into(">i", head, byte - 1, value)
            struct.pack_into(">h", head, 28, 1)
            file.seek(3600 + trace * (240 + 4 * samples))
            file.write(bytes(head) + bytes(20) + struct.pack(">f", 1 + trace % 7))
        file.truncate(3600 + inlines * crosslines * (240 + 4 * samples))
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_survey_of_300_mb_is_scanned_copied_and_cropped_within_250_mb(tmp_path: Path) -> None:
    small = write(tmp_path / "small" / "a.sgy", smooth(16, 16, 64).reshape(256, 64), grid_words(range(16), range(16)))
    (tmp_path / "large").mkdir()
    large = sparse(tmp_path / "large" / "a.sgy", 96, 96, 8192)
    assert large.stat().st_size > 300e6
    done = subprocess.run(
        [sys.executable, "-c", _WORK, str(small), str(large)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    peak, found = map(int, done.stdout.split())
    assert found == 64 * 64  # the samples were read where they lie, not holes beside them
    assert peak < 250e6
