"""Where measurements are kept: ``metrics.jsonl`` always, other trackers beside it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ssl_domains.errors import UsageError

__all__ = ["MetricsFile", "TensorboardTracker", "Tracker", "create_trackers"]


class Tracker(Protocol):
    """Takes one measurement at a time."""

    def log(self, values: Mapping[str, Any]) -> None:
        """Keep a measurement; ``values["step"]`` is its step."""
        ...

    def close(self) -> None:
        """Flush and let go."""
        ...


class MetricsFile:
    """One JSON object a line, in the order of steps.

    Args:
        path: The file; made at the first line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def log(self, values: Mapping[str, Any]) -> None:
        """Append a line; NaN and infinity become null, as JSON has neither."""
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(_finite(values), ensure_ascii=False, allow_nan=False) + "\n")

    def close(self) -> None:
        """Nothing is kept open."""

    def read(self) -> list[dict[str, Any]]:
        """Every whole line; a last one that a killed process left half-written is left out."""
        if not self.path.is_file():
            return []
        lines = []
        for text in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError:
                break
        return lines

    def trim(self, step: int) -> None:
        """Drop what was measured after ``step``: a resumed run measures it again."""
        kept = [values for values in self.read() if values["step"] <= step]
        temporary = self.path.with_name(f".{self.path.name}.writing")
        temporary.write_text(
            "".join(json.dumps(values, ensure_ascii=False) + "\n" for values in kept), encoding="utf-8"
        )
        os.replace(temporary, self.path)


class TensorboardTracker:
    """Writes every number to TensorBoard event files.

    Args:
        folder: Where the event files go.

    Raises:
        UsageError: When the package ``tensorboard`` isn't installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            message = "train.trackers names 'tensorboard', which is not installed"
            raise UsageError(message, "pip install 'ssl-domains[tensorboard]'") from None
        self.writer: Any = SummaryWriter(str(folder))

    def log(self, values: Mapping[str, Any]) -> None:
        """Write the numbers; those of a relation under ``name/relation``."""
        for name, value in values.items():
            inner = value if isinstance(value, Mapping) else {"": value}
            for part, number in inner.items():
                if isinstance(number, int | float) and name != "step":
                    self.writer.add_scalar(f"{name}/{part}" if part else name, number, values["step"])

    def close(self) -> None:
        """Flush the event file."""
        self.writer.close()


def create_trackers(names: Sequence[str], folder: Path) -> list[Tracker]:
    """The trackers a configuration names, beside ``metrics.jsonl``."""
    made: list[Tracker] = [MetricsFile(folder / "metrics.jsonl")]
    return made + [TensorboardTracker(folder / "tensorboard") for name in names if name == "tensorboard"]


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
