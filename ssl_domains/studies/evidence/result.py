"""What a study found: every arm's evidence, as kept in ``results.json``; report and page are made of nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, ResourceError
from ssl_domains.samples import write_whole
from ssl_domains.studies.design.measures import measure_named
from ssl_domains.studies.evidence.statistics import Evidence

__all__ = [
    "ArmKind",
    "ArmResult",
    "ContrastSpec",
    "InformationRow",
    "NuisanceRow",
    "Score",
    "StudyResult",
    "read_study_result",
]

ArmKind = Literal["random", "supervised", "simclr", "composed", "rule", "shuffled", "floor", "pretrained", "handmade"]
"""What an arm is for: its place in the table and its line in the figures follow from it."""


@dataclass(frozen=True)
class ArmResult:
    """One arm, control or floor.

    Attributes:
        name: As the table prints it; unique in a study.
        about: One line: what it is.
        kind: What it is for.
        rule: Text of the rule; empty without one.
        labels_read: Whether the rule reads the probed column or a function of it (supervised contrastive).
        chosen: The grid point that was chosen, by setting.
        primary: Whether it is one side of the primary contrast.
    """

    name: str
    about: str
    kind: ArmKind
    rule: str = ""
    labels_read: bool = False
    chosen: dict[str, Any] = field(default_factory=dict)
    primary: bool = False

    def __post_init__(self) -> None:
        """Check the kind.

        Raises:
            ValueError: When it is none of `ArmKind`.
        """
        if self.kind not in get_args(ArmKind):
            raise ValueError(f"{self.kind!r} is no kind of arm: {', '.join(get_args(ArmKind))}")


@dataclass(frozen=True)
class Score:
    """What one arm scored under one probe at one fraction of labelled groups.

    Attributes:
        arm: Name of the arm.
        probe: Name of the probe.
        fraction: Share of labelled training groups, in (0, 1].
        labels: Mean number of labels the probe saw.
        evidence: By name of the measure.
        plain: Scores that do not add over groups (AUROC), mean over cells, without an interval; None when undefined.
    """

    arm: str
    probe: str
    fraction: float
    labels: int
    evidence: dict[str, Evidence]
    plain: dict[str, float | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON values only; measures of the same sums share them."""
        kept: list[dict[str, Any]] = []
        shared: list[NDArray[np.float64]] = []
        for name, one in self.evidence.items():
            for entry, sums in zip(kept, shared, strict=True):
                same = entry["groups"] == list(one.groups) and entry["seeds"] == list(one.seeds)
                if same and np.array_equal(sums, one.sums, equal_nan=True):
                    entry["measures"].append(name)
                    break
            else:
                shared.append(one.sums)
                kept.append(
                    {
                        "measures": [name],
                        "seeds": list(one.seeds),
                        "groups": list(one.groups),
                        "sums": _compact(one.sums.tolist()),
                    }
                )
        return {
            "arm": self.arm, "probe": self.probe, "fraction": self.fraction, "labels": self.labels,
            "evidence": kept, "plain": {name: _numbers(value) for name, value in self.plain.items()},
        }  # fmt: skip

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Score:
        """What `to_dict` gave.

        Raises:
            UsageError: When a measure is not known.
        """
        evidence = {}
        for entry in stored["evidence"]:
            shape = (len(entry["seeds"]), len(entry["groups"]), -1)
            sums = np.array(entry["sums"], dtype=np.float64).reshape(shape)
            for name in entry["measures"]:
                evidence[name] = Evidence(measure_named(name), sums, tuple(entry["groups"]), tuple(entry["seeds"]))
        plain = dict(stored.get("plain", {}))
        return cls(stored["arm"], stored["probe"], stored["fraction"], stored["labels"], evidence, plain)


@dataclass(frozen=True)
class ContrastSpec:
    """A question put before running: does a differ from b?

    Attributes:
        a: Name of the arm whose gain is asked for.
        b: Name of the arm it is compared with.
        probe: Name of the probe.
        fraction: Share of labelled groups.
        measure: Name of the measure.
    """

    a: str
    b: str
    probe: str
    fraction: float
    measure: str


@dataclass(frozen=True)
class NuisanceRow:
    """How much of a nuisance column the features of an arm tell.

    Attributes:
        arm: Name of the arm.
        column: The nuisance column.
        measure: Name of the score.
        value: Mean over cells; None when undefined.
    """

    arm: str
    column: str
    measure: str
    value: float | None


@dataclass(frozen=True)
class InformationRow:
    """What the positives of a rule tell of a column.

    Attributes:
        rule: Text of the rule.
        column: Label or nuisance.
        role: ``label`` or ``nuisance``.
        agreement: Share of positive pairs that agree on the column.
        chance: Share of all pairs that do.
        nmi: Normalised mutual information, 0 … 1.
    """

    rule: str
    column: str
    role: str
    agreement: float | None
    chance: float | None
    nmi: float | None


@dataclass(frozen=True)
class StudyResult:
    """A whole study.

    Attributes:
        name: Short name, as of files.
        title: One line.
        about: What is real and what is simulated; what is and is not claimed.
        command: The command that made it.
        label: The probed column.
        task: ``classification``, ``regression`` or ``segmentation``.
        group: Column of the groups, the unit of evidence.
        folds: Number of folds over the groups.
        seeds: The reported seeds.
        fractions: Shares of labelled training groups, ascending.
        probe: Name of the leading probe.
        measure: Name of the leading measure.
        transductive: Whether the held-out groups were pre-trained on, in every arm alike.
        arms: In the order of the table.
        scores: One an arm, probe and fraction.
        primary: The one contrast named before running.
        secondary: The others, Holm-corrected together.
        nuisance: Nuisance probes.
        information: Mutual information of the rules with label and nuisance.
        notes: Remarks on the whole.
        environment: Versions and kind of machine; no user, host or path.
        seconds: Wall clock of all cells together.
    """

    name: str
    title: str
    about: str
    command: str
    label: str
    task: str
    group: str
    folds: int
    seeds: tuple[int, ...]
    fractions: tuple[float, ...]
    probe: str
    measure: str
    transductive: bool
    arms: tuple[ArmResult, ...]
    scores: tuple[Score, ...]
    primary: ContrastSpec
    secondary: tuple[ContrastSpec, ...] = ()
    nuisance: tuple[NuisanceRow, ...] = ()
    information: tuple[InformationRow, ...] = ()
    notes: tuple[str, ...] = ()
    environment: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def arm(self, name: str) -> ArmResult:
        """The arm of that name.

        Raises:
            KeyError: When there is none.
        """
        for one in self.arms:
            if one.name == name:
                return one
        raise KeyError(name)

    def score(self, arm: str, probe: str, fraction: float) -> Score | None:
        """The score of an arm, None when it was not measured. Fractions agree to 9 digits."""
        for one in self.scores:
            if (one.arm, one.probe) == (arm, probe) and math.isclose(one.fraction, fraction, rel_tol=1e-9):
                return one
        return None

    def to_dict(self) -> dict[str, Any]:
        """JSON values only; NaN is null."""
        values = {key: _numbers(_plain(getattr(self, key))) for key in self.__dataclass_fields__ if key != "scores"}
        return {**values, "scores": [one.to_dict() for one in self.scores]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> StudyResult:
        """What `to_dict` gave.

        Raises:
            KeyError: When a field is missing.
            UsageError: When a measure is not known.
        """
        values = dict(stored)
        for key, kind in _ROWS.items():
            values[key] = tuple(kind(**row) for row in values[key])
        values["scores"] = tuple(Score.from_dict(row) for row in values["scores"])
        values["primary"] = ContrastSpec(**values["primary"])
        for key in ("seeds", "fractions", "notes"):
            values[key] = tuple(values[key])
        return cls(**values)

    def write(self, path: Path) -> Path:
        """Write as JSON, whole or not at all.

        Raises:
            ResourceError: When it can't be written.
        """
        text = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        try:
            write_whole(path, lambda part: part.write_text(text + "\n", encoding="utf-8"))
        except OSError as error:
            raise ResourceError(f"the result can't be written: {error.strerror or error}", "free some space") from error
        return path


_ROWS: dict[str, type[Any]] = {
    "arms": ArmResult,
    "secondary": ContrastSpec,
    "nuisance": NuisanceRow,
    "information": InformationRow,
}


def read_study_result(path: Path) -> StudyResult:
    """What `StudyResult.write` wrote.

    Raises:
        DataError: When it can't be read.
    """
    try:
        return StudyResult.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path.name} can't be read: {error}", "run the study again") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value


def _numbers(value: Any) -> Any:
    """Nested values with NaN as null."""
    if isinstance(value, Mapping):
        return {key: _numbers(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _compact(value: Any) -> Any:
    """As `_numbers`, with whole numbers without a point: nearly all sums are counts, and the file is half as long."""
    if isinstance(value, list):
        return [_compact(one) for one in value]
    return int(value) if math.isfinite(value) and value.is_integer() else _numbers(value)
