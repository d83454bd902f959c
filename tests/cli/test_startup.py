"""``--help`` is quick: it reads metadata and imports nothing heavy, and no plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "numpy", "polars", "pydicom", "pandas", "sklearn", "matplotlib", "timm", "albumentations", "cv2")


def imported(*words: str, site: Path | None = None) -> set[str]:
    """Every module that a command line imports, as ``-X importtime`` tells."""
    path = {"PYTHONPATH": str(site)} if site else {}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ssl_domains", *words],
        capture_output=True,
        text=True,
        env={**os.environ, **path},
        check=True,
    )
    return {line.split("|")[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize(
    "words",
    [("--help",), ("plugins", "--help"), ("demo", "--help"), ("--version",), ("fisheye", "--help")],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(words):
    found = imported(*words)
    assert "typer" in found
    heavy = sorted(name for name in found if name.split(".")[0] in HEAVY)
    assert heavy == []


def test_help_lists_a_plugin_without_importing_it(plugin):
    site = plugin("toy", "raise RuntimeError('imported')", app="raise RuntimeError('imported')")
    assert not any(name.startswith("toyplugin_") for name in imported("--help", site=site))
    done = subprocess.run(
        [sys.executable, "-m", "ssl_domains", "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=True,
    )
    assert "about toy" in done.stdout


def test_the_scan_options_of_a_domain_need_nothing_heavy_either():
    heavy = sorted(name for name in imported("fisheye", "scan", "--help") if name.split(".")[0] in HEAVY)
    assert heavy == []


def test_the_list_of_runs_needs_nothing_heavy_either(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text('{"step": 1, "loss": 1.0}\n')
    found = imported("runs", "list", str(tmp_path))
    assert "ssl_domains.engine.record.run_list" in found
    assert sorted(name for name in found if name.split(".")[0] in HEAVY) == []
