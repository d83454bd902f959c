"""Damaged inputs of every kind: no bug, no time-out, no memory beyond the limit, and undamaged neighbours are read.

``make fuzz`` runs 2,000 a kind; ``python tests/fuzz KIND --seed N`` runs one again.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fuzzing.kinds import KINDS
from fuzzing.outcome import Outcome

RUNS = 30


@pytest.fixture(scope="session")
def outcomes() -> Iterator[Callable[[str], list[Outcome]]]:
    """``outcomes(kind)``, from a process that has imported everything and is not this one, which has used polars."""
    words = [sys.executable, str(Path(__file__).parent), "--serve"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(kind: str) -> list[Outcome]:
            print(kind, RUNS, file=process.stdin, flush=True)
            found = []
            while line := process.stdout.readline().strip():
                found.append(Outcome.from_json(line))
            assert process.poll() is None, "fuzzing itself ended; see its error above"
            return found

        yield ask
        process.terminate()  # the end of its input is not enough: a forked loader may hold the pipe open


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_inputs(kind: str, outcomes: Callable[[str], list[Outcome]]) -> None:
    found = outcomes(kind)
    whole = [outcome for outcome in found if outcome.seed < 0]
    assert whole
    assert [(outcome.case, outcome.fault) for outcome in whole if outcome.fault or set(outcome.codes) != {0}] == []
    assert len(found) - len(whole) == RUNS
    faults = [f"python tests/fuzz {kind} --seed {outcome.seed}: {outcome.fault}" for outcome in found if outcome.fault]
    assert faults == []
