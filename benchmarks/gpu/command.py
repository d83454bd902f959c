"""The command line: which parts run, with which sizes and how much time."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu import engine, equality, loss
from benchmarks.gpu.budget import Budget
from benchmarks.gpu.card import describe
from benchmarks.gpu.marked_tests import run_marked
from benchmarks.gpu.report import Report
from benchmarks.result import Result, Row

__all__ = ["PARTS", "main"]

PARTS = ("equality", "loss", "engine", "tests")
_SECONDS = 285.0  # of the whole, so that start and end fit in five minutes
_SHARES = {"equality": 15.0, "loss": 130.0, "engine": 80.0, "tests": 60.0}

_SMALL_LOSS = loss.Sizes(rows=(64,), widths=(8,), agree=64, rounds=3, backend="aot_eager")
_SMALL_ENGINE = engine.Sizes(("small_conv",), 16, pictures=16, batch=8, window=2, windows=2, workers=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the JSON and print the tables.

    Returns:
        0 when all is measured, 1 when numbers of the device are wrong or a test failed, 2 without a card.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the JSON goes")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"), help="'cpu' only together with --small")
    parser.add_argument("--small", action="store_true", help="tiny sizes that run everything and measure nothing")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}, with commas; all by default")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help=f"time of the whole, {_SECONDS:g} by default")
    options = parser.parse_args(arguments)
    parts = options.parts.split(",")
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    if options.device == "cpu" and not options.small:
        parser.error("--device cpu only runs the tiny sizes: add --small")
    if options.device == "cuda" and not torch.cuda.is_available():
        print("there is no CUDA device here; --device cpu --small runs everything in tiny sizes", file=sys.stderr)
        return 2
    return _measure(torch.device(options.device), parts, options.small, options.seconds, options.out)


def _measure(device: torch.device, parts: Sequence[str], small: bool, seconds: float, out: Path) -> int:
    started = time.perf_counter()
    whole = Budget(seconds)
    scale = seconds / _SECONDS
    machine = describe(device)
    results: list[Result] = []
    left_out: list[str] = [f"part {part}: not requested" for part in PARTS if part not in parts]
    tests: dict[str, Any] = {"not run": "not requested"}
    wrong: list[str] = []
    for part in parts:
        # What earlier parts did not use is there for the later ones; the tests, which come last, keep their share.
        kept = _SHARES["tests"] * scale if "tests" in parts and part != "tests" else 0.0
        budget = Budget(min(whole.left - kept, max(_SHARES[part] * scale, whole.left - _later(part, parts) * scale)))
        print(f"{part}: at most {budget.seconds:.0f} s", file=sys.stderr, flush=True)
        if part == "tests":
            if device.type == "cuda":
                torch.cuda.empty_cache()
            tests = run_marked(Path(__file__).parents[2], budget.seconds)
            continue
        try:
            results.append(_part(part, device, budget, small, machine))
        except Exception as error:  # what the other parts measured must not be lost
            cause = f"{part}: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            wrong.append(cause)
            left_out.append(cause)
        left_out += budget.left_out
        wrong += budget.failures
    wrong += [f"{row.what}: {row.value:.1e}, not {row.target}" for row in _comparisons(results) if not row.met]
    report = Report(machine, small, tuple(results), tuple(left_out), tests, time.perf_counter() - started)
    report.write(out)
    print(report.text(), flush=True)
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    return 1 if wrong or tests.get("failed") or tests.get("errors") else 0


def _comparisons(results: Sequence[Result]) -> list[Row]:
    return [row for result in results if result.name == "gpu_equality" for row in result.rows]


def _later(part: str, parts: Sequence[str]) -> float:
    return sum(_SHARES[other] for other in parts if PARTS.index(other) > PARTS.index(part))


def _part(part: str, device: torch.device, budget: Budget, small: bool, machine: dict[str, Any]) -> Result:
    if part == "equality":
        return equality.run(device, *((128, 32) if small else (4096, 224)), machine)
    if part == "loss":
        return loss.run(device, budget, _SMALL_LOSS if small else loss.Sizes(), machine)
    return engine.run(device, budget, _SMALL_ENGINE if small else engine.Sizes(), machine)
