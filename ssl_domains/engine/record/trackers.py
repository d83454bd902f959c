"""Trackers write measurements: always to ``metrics.jsonl``, and to TensorBoard when configured."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ssl_domains.errors import UsageError
from ssl_domains.samples import write_errors, write_whole

__all__ = ["MetricsFile", "TensorboardTracker", "Tracker", "create_trackers"]


class Tracker(Protocol):
    """Writes measurements, one at a time."""

    def log(self, values: Mapping[str, Any]) -> None:
        """Write a measurement; ``values["step"]`` is its step."""
        ...

    def close(self) -> None:
        """Flush and close files."""
        ...


class MetricsFile:
    """Writes ``metrics.jsonl``: one JSON object for each line, in the order of steps.

    Args:
        path: The file; created with the first line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def log(self, values: Mapping[str, Any]) -> None:
        """Append a line; NaN and infinity become null, as JSON has neither.

        Raises:
            ResourceError: When the disk is full.
        """
        line = json.dumps(_finite(values), ensure_ascii=False, allow_nan=False) + "\n"
        with write_errors(str(self.path), "go on with --resume"), open(self.path, "a", encoding="utf-8") as file:
            file.write(line)

    def close(self) -> None:
        """Do nothing: the file is opened for each line."""

    def read(self) -> list[dict[str, Any]]:
        """All complete lines; the unfinished line of a killed process, and what is no measurement, is left out."""
        if not self.path.is_file():
            return []
        lines = []
        for text in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                values = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(values, dict) and type(values.get("step")) is int:
                lines.append(values)
        return lines

    def trim(self, step: int) -> None:
        """Remove measurements after ``step``: a resumed run makes them again."""
        kept = [values for values in self.read() if values["step"] <= step]
        text = "".join(json.dumps(values, ensure_ascii=False) + "\n" for values in kept)
        with write_errors(str(self.path), "go on with --resume"):
            write_whole(self.path, lambda part: part.write_text(text, encoding="utf-8"))


class TensorboardTracker:
    """Writes every number to TensorBoard event files.

    Args:
        folder: Folder of the event files.

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
        """Write all numbers; values of a relation are named ``name/relation``."""
        for name, value in values.items():
            inner = value if isinstance(value, Mapping) else {"": value}
            for part, number in inner.items():
                if isinstance(number, int | float) and name != "step":
                    self.writer.add_scalar(f"{name}/{part}" if part else name, number, values["step"])

    def close(self) -> None:
        """Flush the event file."""
        self.writer.close()


def create_trackers(names: Sequence[str], folder: Path) -> list[Tracker]:
    """The trackers of a configuration; the first one writes ``metrics.jsonl``."""
    trackers: list[Tracker] = [MetricsFile(folder / "metrics.jsonl")]
    return trackers + [TensorboardTracker(folder / "tensorboard") for name in names if name == "tensorboard"]


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
