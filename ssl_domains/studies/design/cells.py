"""Cells: one training and its measurement, kept as one file, so that a study can stop anywhere and go on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ssl_domains.samples import write_whole
from ssl_domains.studies.design.arms import Arm

__all__ = ["TUNING", "TUNING_SEED", "Cell", "CellResult", "CellScore", "read_result", "write_result"]

TUNING = -1
"""Number of the fold that grid points are chosen on."""
TUNING_SEED = 10_000
"""Its seed, which no reported cell has."""


@dataclass(frozen=True)
class Cell:
    """One training and its measurement.

    Attributes:
        arm: What is trained.
        fold: Which groups are held out; `TUNING` for choosing a grid point.
        seed: Of weights, batches, views, and the number of the label draw.
        fraction: Share of labelled groups whose labels the training itself sees; None for arms that see none.
        point: Grid point, by dotted key.
        steps: Updates; the same for every arm that is trained.
    """

    arm: Arm
    fold: int
    seed: int
    fraction: float | None
    point: Mapping[str, Any]
    steps: int

    @property
    def folder(self) -> Path:
        """Where it is kept, relative to the study."""
        parts = [f"fold{self.fold}" if self.fold != TUNING else "tuning", f"seed{self.seed}"]
        if self.fraction is not None:
            parts.append(f"labels{self.fraction:g}")
        if self.fold == TUNING:
            text = json.dumps(dict(self.point), sort_keys=True)
            parts = ["tuning", *parts[2:], hashlib.sha256(text.encode()).hexdigest()[:8]]
        return Path("cells") / re.sub(r"[^0-9A-Za-z_.-]+", "-", self.arm.name) / "-".join(parts)

    @property
    def title(self) -> str:
        """How progress lines call it."""
        where = "tuning" if self.fold == TUNING else f"fold {self.fold}, seed {self.seed}"
        seen = "" if self.fraction is None else f", {self.fraction:g} of the labels"
        return f"{self.arm.name} ({where}{seen})"

    def fingerprint(self, shared: str) -> str:
        """Changes with everything that could change the result; ``shared`` stands for what all cells have in common."""
        arm = {**asdict(self.arm), "reads": sorted(self.arm.reads), "about": ""}
        own = [arm, self.fold, self.seed, self.fraction, dict(self.point), self.steps, shared]
        return hashlib.sha256(json.dumps(own, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class CellScore:
    """One probe at one fraction.

    Attributes:
        probe: Its name.
        fraction: Share of labelled groups that was asked for.
        labels: Labelled rows it saw.
        groups: Codes of the tested groups, ascending.
        sums: By measure, what is added up over groups: ``[groups, K]``.
        values: Scores that no sums give (AUROC), over the whole fold; None where undefined.
        note: A remark.
    """

    probe: str
    fraction: float
    labels: int
    groups: list[int]
    sums: dict[str, list[list[float]]]
    values: dict[str, float | None] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class CellResult:
    """What a cell found.

    Attributes:
        fingerprint: Of the cell; see `Cell.fingerprint`.
        scores: One a probe and fraction.
        nuisance: Column → [name of the score, its value or None, remark].
        seconds: Training, measuring.
    """

    fingerprint: str
    scores: list[CellScore]
    nuisance: dict[str, list[Any]] = field(default_factory=dict)
    seconds: tuple[float, float] = (0.0, 0.0)


def read_result(study: Path, cell: Cell, shared: str) -> CellResult | None:
    """The result of a cell when it is there and was made of the very same things."""
    try:
        stored = json.loads((study / cell.folder / "result.json").read_text(encoding="utf-8"))
        if stored["fingerprint"] != cell.fingerprint(shared):
            return None
        scores = [CellScore(**score) for score in stored.pop("scores")]
        return CellResult(scores=scores, seconds=tuple(stored.pop("seconds")), **stored)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a cell whose result can't be read is done again


def write_result(study: Path, cell: Cell, result: CellResult) -> None:
    """Keep a result, whole or not at all."""
    path = study / cell.folder / "result.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda part: part.write_text(json.dumps(asdict(result)), encoding="utf-8"))
