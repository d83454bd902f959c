"""Scan of many made-up text lines in an LMDB database: lines for each second of processor time, and memory.

``python -m benchmarks.lmdb_scan [LINES]`` writes the database into a temporary folder and runs the command line.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import lmdb
import numpy as np
from PIL import Image

from ssl_domains.samples import read_table

PICTURES = 200  # different pictures; entries share them


def write_database(folder: Path, lines: int) -> None:
    """Write ``lines`` entries: grey PNG pictures 32 pixels high and 60 to 180 wide, labels of 3 to 12 letters."""
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(PICTURES):
        file = io.BytesIO()
        picture = rng.integers(0, 256, size=(32, int(rng.integers(60, 181)))).astype(np.uint8)
        Image.fromarray(picture).save(file, format="PNG")
        pictures.append(file.getvalue())
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    folder.mkdir(parents=True)
    values = {}
    for number in range(1, lines + 1):
        values[b"image-%09d" % number] = pictures[number % PICTURES]
        values[b"label-%09d" % number] = "".join(rng.choice(letters, size=int(rng.integers(3, 13)))).encode()
    values[b"num-samples"] = str(lines).encode()
    with (
        lmdb.open(str(folder), map_size=max(1 << 26, 12_000 * lines)) as opened,
        opened.begin(write=True) as transaction,
    ):
        for key in sorted(values):
            transaction.put(key, values[key], append=True)


def measured(words: list[str]) -> tuple[float, float]:
    """Run a command line; (processor seconds, peak memory in MB)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "ssl_domains", *words], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1024


def main(lines: int) -> None:
    """Write the database, and scan a tenth of it and all of it: the difference leaves the start of a process out."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        seconds = {}
        for count in (lines // 10, lines):
            write_database(folder / f"{count}", count)
            out = folder / f"{count}.parquet"
            seconds[count], megabytes = measured(["lines", "scan", str(folder / f"{count}"), "-o", str(out)])
            assert len(read_table(out)) == count
        more = seconds[lines] - seconds[lines // 10]
        told = {
            "lines": lines,
            "cpu_seconds": round(seconds[lines], 2),
            "lines_per_cpu_second": round((lines - lines // 10) / more),
            "peak_mb": round(megabytes),
        }
        print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
