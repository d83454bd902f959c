"""A cell is one training and its probes. Each result is one file, so that a stopped study continues where it was."""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ssl_domains.samples import write_errors, write_whole
from ssl_domains.studies.design.arms import Arm

__all__ = [
    "NOT_LEVELLED",
    "TUNING",
    "TUNING_SEED",
    "Cell",
    "CellResult",
    "CellScore",
    "StoredCell",
    "read_result",
    "tuned_fold",
    "tuning_of",
    "write_result",
]

NOT_LEVELLED = "the loss of a supervised training had not levelled"
"""Part of `CellScore.note` where a supervised training still learnt at its end, and is no fair control."""
TUNING = -1
"""``Cell.fold`` of the cells that choose a grid point for all folds; see `tuning_of` for those of one fold."""
TUNING_SEED = 10_000
"""Seed of the cells that choose a grid point; no reported cell has it."""


def tuning_of(fold: int) -> int:
    """``Cell.fold`` of the cells that choose a grid point for one fold alone."""
    return TUNING - 1 - fold


def tuned_fold(number: int) -> int:
    """The inverse of `tuning_of`."""
    return TUNING - 1 - number


@dataclass(frozen=True)
class Cell:
    """One training and its measurement.

    Attributes:
        arm: The arm.
        fold: Number of the fold whose groups are held out; `TUNING`, or `tuning_of` a fold, for choosing a grid point.
        seed: Seed of weights, batches and views, and number of the label draw.
        fraction: Share of the training groups whose labels the training reads; None for arms that read no label.
        point: Grid point, by dotted key.
        steps: Number of updates; the same for every trained arm.
    """

    arm: Arm
    fold: int
    seed: int
    fraction: float | None
    point: Mapping[str, Any]
    steps: int

    @property
    def chooses(self) -> bool:
        """Whether it helps to choose a grid point, and is not reported."""
        return self.fold <= TUNING

    @property
    def folder(self) -> Path:
        """Folder of the cell, relative to the folder of the study."""
        parts = [f"fold{self.fold}", f"seed{self.seed}"]
        if self.fraction is not None:
            parts.append(f"labels{self.fraction:g}")
        if self.chooses:
            text = json.dumps(dict(self.point), sort_keys=True)
            name = "tuning" if self.fold == TUNING else f"tuning{tuned_fold(self.fold)}"
            parts = [name, *parts[2:], hashlib.sha256(text.encode()).hexdigest()[:8]]
        return Path("cells") / re.sub(r"[^0-9A-Za-z_.-]+", "-", self.arm.name) / "-".join(parts)

    @property
    def title(self) -> str:
        """Name in progress lines and error messages."""
        where = f"fold {self.fold}, seed {self.seed}"
        if self.chooses:
            where = "tuning" if self.fold == TUNING else f"tuning of fold {tuned_fold(self.fold)}"
        labels = "" if self.fraction is None else f", {self.fraction:g} of the labels"
        return f"{self.arm.name} ({where}{labels})"

    def fingerprint(self, shared: str) -> str:
        """Hash of everything that can change the result; ``shared`` is the hash of what all cells have in common."""
        arm = {**asdict(self.arm), "reads": sorted(self.arm.reads), "about": ""}
        # Cells that were stored before arms had these stay valid.
        neutral = {"method": "", "members": 1, "branch": "", "components": 0, "fresh_head": False}
        for name, value in neutral.items():
            if arm[name] == value:
                del arm[name]
        values = [arm, self.fold, self.seed, self.fraction, dict(self.point), self.steps, shared]
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class CellScore:
    """One probe at one fraction.

    Attributes:
        probe: Name of the probe.
        fraction: Requested share of labelled groups.
        labels: Number of labelled rows that the probe was fitted on.
        groups: Codes of the tested groups, ascending.
        sums: Name of a measure → its sums for each group ``[groups, K]``; see `measures`. Equal rows are one list, as
            a study of thousands of small groups has few different ones.
        values: Scores that can't be computed from sums (AUROC), over the whole fold; None where undefined.
        note: A remark; may be empty.
    """

    probe: str
    fraction: float
    labels: int
    groups: list[int]
    sums: dict[str, list[list[float]]]
    values: dict[str, float | None] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        known: dict[bytes, list[float]] = {}
        shared = {
            name: [known.setdefault(array("d", row).tobytes(), row) for row in rows] for name, rows in self.sums.items()
        }
        object.__setattr__(self, "sums", shared)


@dataclass(frozen=True)
class CellResult:
    """The stored result of a cell.

    Attributes:
        fingerprint: See `Cell.fingerprint`.
        scores: One for each probe and fraction.
        nuisance: Nuisance column → [name of the score, its value or None, remark].
        seconds: Wall-clock seconds of training and of measuring.
    """

    fingerprint: str
    scores: list[CellScore]
    nuisance: dict[str, list[Any]] = field(default_factory=dict)
    seconds: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class StoredCell:
    """A finished cell: what it was, and its result.

    Attributes:
        folder: Folder of the cell, relative to the folder of the study; the key of the cell.
        arm: Name of its arm.
        fold: ``Cell.fold``.
        seed: Its seed.
        result: Its result.
    """

    folder: str
    arm: str
    fold: int
    seed: int
    result: CellResult

    @property
    def chooses(self) -> bool:
        """``Cell.chooses``."""
        return self.fold <= TUNING

    @classmethod
    def of(cls, cell: Cell, result: CellResult) -> StoredCell:
        """The finished form of a cell."""
        return cls(cell.folder.as_posix(), cell.arm.name, cell.fold, cell.seed, result)


def read_result(study: Path, cell: Cell) -> CellResult | None:
    """The stored result of a cell, whatever its fingerprint; None when there is none, or when it can't be read."""
    try:
        stored = json.loads((study / cell.folder / "result.json").read_text(encoding="utf-8"))
        scores = [CellScore(**score) for score in stored.pop("scores")]
        return CellResult(scores=scores, seconds=tuple(stored.pop("seconds")), **stored)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None  # a cell whose result can't be read is run again


def write_result(study: Path, cell: Cell, result: CellResult) -> None:
    """Write the result of a cell atomically: an interrupted write leaves no broken file."""
    path = study / cell.folder / "result.json"
    with write_errors(f"the result {str(path)!r}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda part: part.write_text(json.dumps(asdict(result)), encoding="utf-8"))
