"""Files a second of processor time: headers, contents, and a whole scan; and what a scan imports."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.audio.files import write_clips
from benchmarks.result import Row
from benchmarks.timing import Spread, interleave, spread
from ssl_domains.samples import Problems
from ssl_domains_audio.reader import AudioReader
from ssl_domains_audio.scanning.clips import whole
from ssl_domains_audio.scanning.contents import measure_clips
from ssl_domains_audio.scanning.sounds import Sound, find_sounds

__all__ = ["scan_rows", "torch_modules"]

_SCAN = """
import sys
from ssl_domains.cli.app import run
code = run(["audio", "scan", sys.argv[1], "-o", sys.argv[2]])
print("modules:", sum(name == "torch" or name.startswith("torch.") for name in sys.modules), file=sys.stderr)
sys.exit(code)
"""


def scan_rows(folder: Path, files: int, samples: int, rate: int, rounds: int) -> Iterator[Row]:
    """Short files a second of processor time, for wav and flac, and the modules of torch that a scan imports.

    Args:
        folder: Where files are written.
        files: Files of each suffix.
        samples: Samples of each.
        rate: Samples a second.
        rounds: How often each is measured.
    """
    for suffix in ("wav", "flac"):
        clips = write_clips(folder / suffix, files, samples, rate, suffix)
        sounds = _sounds(clips)
        assert len(sounds) == files, "a header was not read"
        arms: dict[str, Callable[[], object]] = {
            "headers": partial(_sounds, clips),
            "contents": partial(_contents, sounds),
            "whole scan, headers and contents": partial(AudioReader().scan, clips),
        }
        seconds = interleave(arms, rounds, clock=time.process_time)
        least = {"headers": 8000, "contents": 4000} if suffix == "wav" else {}
        for what, times in seconds.items():
            found = spread([files / one for one in times])
            yield _row(f"{suffix}: {what}", found, least.get(what))
    yield Row.at_most("modules of torch that a scan imports", torch_modules(folder / "wav"), "modules", 0)


def torch_modules(clips: Path) -> float:
    """Number of modules of torch that the command ``audio scan`` has imported at its end.

    Raises:
        AssertionError: When the scan fails.
    """
    with TemporaryDirectory() as temporary:
        words = [sys.executable, "-c", _SCAN, str(clips), str(Path(temporary) / "samples.parquet")]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stderr.rpartition("modules:")[2])


def _row(what: str, found: Spread, least: float | None) -> Row:
    unit = "files/CPU-s"
    return Row.of(what, found, unit) if least is None else Row.at_least(what, found, unit, least)


def _sounds(clips: Path) -> list[Sound]:
    return find_sounds(clips, Problems()).sounds


def _contents(sounds: list[Sound]) -> None:
    found = measure_clips(sounds, [whole(number, sound) for number, sound in enumerate(sounds)], Problems())
    assert all(one is not None and one.digest for one in found.of), "the contents of a file were not read"
