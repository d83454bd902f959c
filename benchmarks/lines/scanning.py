"""Scan of many made-up text lines in an LMDB database: lines for each second of processor time, and memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lines.files import write_noise
from benchmarks.result import Row
from benchmarks.timing import spread
from ssl_domains.samples import read_table

__all__ = ["scan_rows"]

# The largest resident memory that getrusage tells includes that of the process which started this one.
_COMMAND = """
import re, sys
from ssl_domains.cli.app import run
code = run(sys.argv[1:])
print("peak:", re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1], file=sys.stderr)
sys.exit(code)
"""


def scan_rows(folder: Path, lines: int, scans: int) -> Iterator[Row]:
    """Scan a tenth of the lines and all of them with the command line; the tables are compared with what was written.

    Args:
        folder: Where databases and tables are written.
        lines: Lines of the larger database.
        scans: How often each is scanned.

    Raises:
        AssertionError: When a line is missing, or has another transcript.
    """
    few = lines // 10
    seconds: dict[int, list[float]] = {few: [], lines: []}
    peak = 0.0
    for count in seconds:
        entries = write_noise(folder / f"{count}", count)
        for number in range(scans):
            out = folder / f"{count}-{number}.parquet"
            used, megabytes = _measured(["lines", "scan", str(folder / f"{count}"), "-o", str(out)])
            frame = read_table(out).frame
            assert frame["text"].to_list() == [entry.text for entry in entries], "a transcript differs"
            assert frame["height"].to_list() == count * [32], "a size differs"
            seconds[count].append(used)
            peak = max(peak, megabytes)
    yield Row.of(f"scan of {lines:,} lines in a database", spread(seconds[lines]), "CPU-s")
    rates = [(lines - few) / (long - short) for long, short in zip(seconds[lines], seconds[few], strict=True)]
    yield Row.of("further lines scanned", spread(rates), "lines/CPU-s")
    yield Row(f"memory at the peak of scans of {lines:,} lines", peak, "MB")


def _measured(words: list[str]) -> tuple[float, float]:
    """Run a command line; (processor seconds, peak memory of its process in MB).

    Raises:
        AssertionError: When it fails.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", _COMMAND, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, int(done.stderr.rpartition("peak:")[2]) / 1024
