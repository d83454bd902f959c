"""A scan reads headers only, and imports nothing that trains: torch alone costs 500 MB and two seconds."""

from __future__ import annotations

import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

CODE = """
import sys
from ssl_domains.cli.app import run
code = run([sys.argv[1], "scan", sys.argv[2], "-o", sys.argv[3]])
sys.exit(code or ("torch._C" in sys.modules and "torch was imported"))
"""


def picture(folder: Path) -> None:
    Image.new("L", (16, 16)).save(folder / "a.png")


def recording(folder: Path) -> None:
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(250)) * 40)


@pytest.mark.parametrize(("domain", "write"), [("medical", picture), ("fisheye", picture), ("audio", recording)])
def test_a_scan_imports_no_torch(domain: str, write: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in")
    words = [sys.executable, "-c", CODE, domain, str(tmp_path / "in"), str(tmp_path / "out.parquet")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
