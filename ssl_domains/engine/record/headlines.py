"""The main scores in a run's folder, of its probes (``probe-*.json``) and fine-tunings (``finetune-*.json``).

Read as plain JSON, without torch or the tables of a probe, so that many runs are listed quickly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssl_domains.errors import DataError

__all__ = ["LEADING", "Headline", "read_headlines"]

LEADING = {
    "classification": "balanced accuracy",
    "multilabel": "average precision",
    "regression": "R²",
    "segmentation": "mean Dice",
    "transcription": "character accuracy",
    "retrieval": "mAP",
    "ranking": "nDCG@10",
}
"""The score of each task that is taken; the first one in the tables of `probe` and `finetune`."""

_ARMS = {"probe": "frozen encoder", "finetune": "fine-tuned"}
"""How the name of the run's own arm starts, by the kind of the report."""


@dataclass(frozen=True)
class Headline:
    """The main score of a run on one label, at the largest fraction of labelled groups; the mean over its draws.

    Attributes:
        label: The label column, or ``masks``.
        measure: Name of the score.
        value: The score; None where it is undefined in a draw.
        fraction: Share of the labelled training groups.
    """

    label: str
    measure: str
    value: float | None
    fraction: float


def read_headlines(folder: Path, kind: str) -> list[Headline]:
    """The main scores in all reports of one kind, sorted by file name.

    Args:
        folder: A run folder.
        kind: ``"probe"`` or ``"finetune"``.

    Raises:
        DataError: When a report can't be read; the message names the file.
    """
    found = []
    for path in sorted(folder.glob(f"{kind}-*.json")):
        try:
            found.append(_headline(json.loads(path.read_text(encoding="utf-8")), _ARMS[kind]))
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"{path.name} can't be read: {type(error).__name__}: {error}", "make it again") from error
    return found


def _headline(report: Mapping[str, Any], arm: str) -> Headline:
    measure = LEADING[report["task"]]
    rows = [row for row in report["rows"] if row["arm"].startswith(arm)]
    # A frozen encoder is probed by several probes: the first one of the table counts.
    rows = [row for row in rows if row.get("probe") == rows[0].get("probe")]
    largest = max(float(row["used"]) for row in rows)
    values = [row["values"].get(measure) for row in rows if row["used"] == largest]
    known = [float(value) for value in values if value is not None]
    mean = sum(known) / len(known) if len(known) == len(values) else None
    return Headline(str(report["label"]), measure, mean, largest)
