"""Whatever ends a command, nothing looks finished that is not, and the same command makes the same results.

A few trials of each kind; ``make kills`` runs many. They run in a process of their own, as it must have no threads when
it forks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the trials fork, and end children by a timer of CPU time"),
]

HARNESS = Path(__file__).with_name("harness.py")
STAGES = "scan,filling,pretrain,probe,export,report"
"""The study takes as long as all others together; it is in the trial of two at once."""


def harness(*words: str) -> dict[str, dict[str, int]]:
    """The counts of trials; the test fails with the sentences of those that went wrong."""
    done = subprocess.run([sys.executable, str(HARNESS), *words], capture_output=True, text=True)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["wrong"] == []
    assert done.returncode == 0
    return report  # type: ignore[no-any-return]


def test_killed_at_a_random_moment_and_run_again() -> None:
    report = harness("kills", "--number", "6", "--seed", "3", "--stages", STAGES)
    assert sum(report["stopped"].values()) == 6


def test_sigterm_ends_in_one_line_and_is_gone_on_from() -> None:
    report = harness("term", "--number", "4", "--seed", "3", "--stages", "pretrain,filling,scan,probe")
    assert sum(report["stopped"].values()) == 4


def test_two_at_once() -> None:
    report = harness("twice", "--stages", "filling,pretrain,study,export")
    assert report["stopped"] == {"filling": 1, "pretrain": 1, "study": 1, "export": 1}, "the second is refused"


@pytest.mark.parametrize("size", ["0", "3000"])
def test_a_full_disk(size: str) -> None:
    report = harness("full", "--stages", STAGES, "--sizes", size)
    assert report["stopped"]["pretrain"] == report["stopped"]["filling"] == report["stopped"]["export"] == 1
