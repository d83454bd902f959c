"""The command: many damaged inputs of each kind, or one of them again."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fuzzing.warm import ENVIRONMENT, import_everything

if TYPE_CHECKING:
    from fuzzing.kind import Kind
    from fuzzing.session import Session

__all__ = ["main"]

os.environ.update(ENVIRONMENT)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 without a fault, 1 with one, 2 when a seed is asked for without its kind."""
    given = _arguments(words)
    import_everything()
    from fuzzing.kinds import KINDS, make_shared
    from fuzzing.record import Record, summary
    from fuzzing.session import Session

    names = given.kinds or list(KINDS)
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        print(f"no kind {unknown[0]!r}; there are {', '.join(KINDS)}", file=sys.stderr)
        return 2
    if given.serve:
        with Session(make_shared) as session:
            _serve(session, KINDS)
        return 0
    if given.seed is not None:
        with Session(make_shared, given.keep) as session:
            for name in names:
                outcome = session.outcome(KINDS[name], given.seed)
                print(outcome.to_json())
                print(outcome.fault or "no fault")
        return int(bool(outcome.fault))
    record = Record(given.record, given.process)
    others = [
        subprocess.Popen([sys.executable, *_again(given, number)])
        for number in range(1, given.jobs)
        if given.process == 0
    ]
    done = {(outcome.kind, outcome.seed) for outcome in record.outcomes()}
    with Session(make_shared) as session:
        for name in names:
            kind = KINDS[name]
            if given.process == 0 and (name, -1) not in done:
                for outcome in session.baselines(kind):
                    record.add(outcome)
            for seed in range(given.process, given.runs, given.jobs):
                if (name, seed) not in done:
                    record.add(session.outcome(kind, seed))
            print(f"{name}: done by process {given.process}", file=sys.stderr, flush=True)
    if given.process:
        return 0
    for other in others:
        other.wait()
    outcomes = [outcome for outcome in record.outcomes() if outcome.seed < given.runs]
    print(summary(outcomes, names))
    return int(any(outcome.fault for outcome in outcomes) or any(other.returncode for other in others))


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description="Damaged inputs for the command line.")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="kinds of input; all without one")
    parser.add_argument("--runs", type=int, default=2000, help="damaged inputs of each kind (2000)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--seed", type=int, help="run this one again, and print what came of it")
    parser.add_argument("--keep", type=Path, help="with --seed: leave the damaged input below this folder")
    parser.add_argument(
        "--record", type=Path, default=Path("build/fuzz"), help="results, from which a stopped run goes on"
    )
    parser.add_argument("--process", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(words)


def _again(given: argparse.Namespace, process: int) -> list[str]:
    """The words that start another process of the same run."""
    options = [f"--{name}={getattr(given, name)}" for name in ("runs", "jobs", "record")]
    return [str(Path(__file__).parents[1]), *given.kinds, *options, f"--process={process}"]


def _serve(session: Session, kinds: dict[str, Kind]) -> None:
    """Answer requests on standard input, ``KIND RUNS``: outcomes as lines of JSON, then an empty line."""
    for line in sys.stdin:
        name, runs = line.split()
        kind = kinds[name]
        for outcome in session.baselines(kind):
            print(outcome.to_json(), flush=True)
        for seed in range(int(runs)):
            print(session.outcome(kind, seed).to_json(), flush=True)
        print(flush=True)
