"""Run the tests marked ``gpu`` in a process of their own and count what passed, failed and was skipped."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

__all__ = ["run_marked"]

_MARK = "mark." + "gpu"


def run_marked(root: Path, seconds: float) -> dict[str, Any]:
    """Run them.

    Only files that contain the mark are collected, as collecting all would need every optional package.

    Args:
        root: The repository; its folders ``tests`` and ``plugins`` are searched.
        seconds: Time limit.

    Returns:
        ``passed``, ``failed``, ``errors`` and ``skipped``, ``names`` of what failed, or ``not run`` with the reason.
    """
    if importlib.util.find_spec("pytest") is None:
        return {"not run": "pytest is not installed"}
    files = sorted(
        path
        for folder in ("tests", "plugins")
        for path in (root / folder).rglob("test_*.py")
        if _MARK in path.read_text(encoding="utf-8")
    )
    if not files:
        return {"not run": "no test is marked gpu"}
    if seconds < 1:
        return {"not run": "no time was left"}
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        # Without the project's options: they name plugins of pytest that may be missing.
        command = [
            sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", f"--junitxml={report}",
            "--continue-on-collection-errors", "-o", "addopts=--import-mode=importlib", *map(str, files),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return {"not run": f"they took longer than the {seconds:.0f} s that were left"}
        if not report.exists():
            return {"not run": " ".join((done.stderr or done.stdout).split())[-300:]}
        return _counted(report)


def _counted(report: Path) -> dict[str, Any]:
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total = {key: sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "failures", "errors", "skipped")}
    passed = total["tests"] - total["failures"] - total["errors"] - total["skipped"]
    broken = [
        case.get("name", "")
        for suite in suites
        for case in suite.iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    ]
    counts = {"failed": total["failures"], "errors": total["errors"], "skipped": total["skipped"]}
    return {"passed": passed, **counts, "names": broken}
