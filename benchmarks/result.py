"""What a benchmark found: JSON, and a table in Markdown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from benchmarks.timing import Spread

__all__ = ["Result", "Row", "machine"]


@dataclass(frozen=True)
class Row:
    """One number.

    Attributes:
        what: In words.
        value: The median, or the only measurement.
        unit: Of the value; ``×`` for a ratio.
        low: Lower end of the range or interval, None without one.
        high: Upper end.
        target: What it should be, in words; empty for none.
        met: Whether it is; None without a target.
    """

    what: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    target: str = ""
    met: bool | None = None

    @classmethod
    def of(cls, what: str, found: Spread, unit: str) -> Row:
        """A number with its spread and no target."""
        return cls(what, found.median, unit, found.low, found.high)

    @classmethod
    def at_least(cls, what: str, found: Spread | float, unit: str, least: float) -> Row:
        """A number that should be large; the median counts."""
        return cls._judged(what, found, unit, f"≥ {least:g}", lambda value: value >= least)

    @classmethod
    def at_most(cls, what: str, found: Spread | float, unit: str, most: float) -> Row:
        """A number that should be small; the median counts."""
        return cls._judged(what, found, unit, f"≤ {most:g}", lambda value: value <= most)

    @classmethod
    def _judged(cls, what: str, found: Spread | float, unit: str, target: str, meets: Any) -> Row:
        if isinstance(found, Spread):
            return cls(what, found.median, unit, found.low, found.high, target, bool(meets(found.median)))
        return cls(what, found, unit, target=target, met=bool(meets(found)))


@dataclass(frozen=True)
class Result:
    """A benchmark's outcome.

    Attributes:
        name: Of the benchmark.
        title: A sentence: what is compared.
        agreed: What was asserted before timing, in words.
        rows: The numbers.
        notes: What a reader has to know.
        seconds: How long it all took.
        machine: Where, in words.
    """

    name: str
    title: str
    agreed: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    seconds: float
    machine: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write ``NAME.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Result:
        """The reverse of `write`."""
        values = json.loads(path.read_text(encoding="utf-8"))
        values["rows"] = tuple(Row(**row) for row in values["rows"])
        return cls(**{**values, "agreed": tuple(values["agreed"]), "notes": tuple(values["notes"])})

    def table(self) -> str:
        """A section of Markdown: agreement, the table, notes, the machine."""
        lines = [f"## {self.title}", "", *(f"- Agreed before timing: {said}" for said in self.agreed), ""]
        lines += ["| | median | range | target | met |", "|---|---:|---:|---:|---|"]
        for row in self.rows:
            held = "" if row.met is None else ("yes" if row.met else "**no**")
            between = "" if row.low is None or row.high is None else f"{_short(row.low)} – {_short(row.high)}"
            lines.append(f"| {row.what} | {_short(row.value)} {row.unit} | {between} | {row.target} | {held} |")
        lines += ["", *(f"- {note}" for note in self.notes)]
        where = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        return "\n".join([*lines, f"- Machine: {where}. Took {self.seconds:.0f} s.", ""])


def machine(threads: int, packages: Sequence[str] = ()) -> dict[str, Any]:
    """The machine in words: no host name, no path."""
    found = {
        "CPUs": os.cpu_count(),
        "architecture": platform.machine(),
        "threads": threads,
        "Python": platform.python_version(),
        "torch": torch.__version__,
    }
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
