"""The JSON document of a run on a GPU: the card, the parts, and what was left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.result import Result

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """What was measured on one card.

    Attributes:
        machine: The card, torch and CUDA, in words.
        small: Whether the tiny sizes were used, which measure nothing.
        parts: Outcome of each part, with its rows of numbers.
        left_out: What was not measured, and why.
        tests: Numbers of the tests marked ``gpu``; see `benchmarks.gpu.marked_tests`.
        seconds: Duration of the whole.
    """

    machine: Mapping[str, Any]
    small: bool
    parts: tuple[Result, ...]
    left_out: tuple[str, ...]
    tests: Mapping[str, Any]
    seconds: float

    def write(self, path: Path) -> None:
        """Write the document."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def text(self) -> str:
        """The tables of all parts in Markdown, then what was left out."""
        lines = [part.table() for part in self.parts]
        lines += ["## Tests marked gpu", "", ", ".join(f"{name} {value}" for name, value in self.tests.items()), ""]
        if self.left_out:
            lines += ["## Left out", "", *(f"- {what}" for what in self.left_out), ""]
        return "\n".join(lines)
