"""A scan reads headers only, and imports nothing that trains: torch alone costs 500 MB and two seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

CODE = """
import sys
from ssl_domains.cli.app import run
code = run([sys.argv[1], "scan", sys.argv[2], "-o", sys.argv[3]])
sys.exit(code or ("torch._C" in sys.modules and "torch was imported"))
"""


@pytest.mark.parametrize("domain", ["medical", "fisheye"])
def test_a_scan_imports_no_torch(domain: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("L", (16, 16)).save(tmp_path / "in" / "a.png")
    words = [sys.executable, "-c", CODE, domain, str(tmp_path / "in"), str(tmp_path / "out.parquet")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
