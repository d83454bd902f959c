"""The result of a study as stored in ``results.json``: the sums of every arm. Report and page use nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import write_errors, write_whole
from ssl_domains.studies.design.measures import measure_named
from ssl_domains.studies.evidence.sums import Evidence

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

ArmKind = Literal[
    "random", "supervised", "simclr", "composed", "rule", "shuffled", "floor", "pretrained", "handmade", "scratch"
]
"""Role of an arm; decides its place in the table and its line in the figures."""


@dataclass(frozen=True)
class ArmResult:
    """One arm, control or floor.

    Attributes:
        name: Name in the table; unique in a study.
        about: Description of one line.
        kind: Role of the arm.
        rule: Text of the rule; empty without one.
        labels_read: Whether the rule reads the probed column or a function of it (supervised contrastive).
        chosen: The chosen grid point: configuration key → value.
        primary: Whether it is one side of the primary contrast.
        of: Of a control, the name of the arm that it controls; otherwise empty.
    """

    name: str
    about: str
    kind: ArmKind
    rule: str = ""
    labels_read: bool = False
    chosen: dict[str, Any] = field(default_factory=dict)
    primary: bool = False
    of: str = ""

    def __post_init__(self) -> None:
        """Check the kind.

        Raises:
            ValueError: When ``kind`` is none of `ArmKind`.
        """
        if self.kind not in get_args(ArmKind):
            raise ValueError(f"{self.kind!r} is no kind of arm: {', '.join(get_args(ArmKind))}")


@dataclass(frozen=True)
class Score:
    """Scores of one arm with one probe at one fraction of labelled groups.

    Attributes:
        arm: Name of the arm.
        probe: Name of the probe.
        fraction: Share of labelled training groups, in (0, 1].
        labels: Number of labelled rows that the probe was fitted on, mean over cells.
        evidence: Name of a measure → its sums by seed and group.
        plain: Scores that can't be summed over groups (AUROC): mean over cells, without interval; None when undefined.
    """

    arm: str
    probe: str
    fraction: float
    labels: int
    evidence: dict[str, Evidence]
    plain: dict[str, float | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; sums that several measures share are stored once."""
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
                        "sums": _compact(one.sums),
                    }
                )
        return {
            "arm": self.arm, "probe": self.probe, "fraction": self.fraction, "labels": self.labels,
            "evidence": kept, "plain": {name: _numbers(value) for name, value in self.plain.items()},
        }  # fmt: skip

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Score:
        """The inverse of `to_dict`.

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
    """A comparison of two arms, named before the study runs: the difference a − b.

    Attributes:
        a: Name of the first arm, which is expected to be better.
        b: Name of the arm that it is compared with.
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
    """How well a probe predicts a nuisance column from the features of an arm.

    Attributes:
        arm: Name of the arm.
        column: The nuisance column, with a remark in brackets on how its rows were split where that is not by group.
        measure: Name of the score.
        value: Mean over cells; None when undefined.
    """

    arm: str
    column: str
    measure: str
    value: float | None

    def is_of(self, column: str | None) -> bool:
        """Whether it is the score of a column, whatever the remark beside its name."""
        return self.column == column or self.column.startswith(f"{column} (")


@dataclass(frozen=True)
class InformationRow:
    """How much the positives of a rule agree on a column.

    Attributes:
        rule: Text of the rule.
        column: Name of the label column or of a nuisance column.
        role: ``label`` or ``nuisance``.
        agreement: Share of positive pairs with equal values in the column.
        chance: Share of all pairs with equal values.
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
    """The result of a whole study.

    Attributes:
        name: Short name, used for files.
        title: Heading of the page.
        about: What of the data is real and what is simulated; what is and is not claimed.
        command: The command that reproduces it.
        label: The probed column.
        task: ``classification``, ``multilabel``, ``regression`` or ``segmentation``.
        group: Column of the groups, the unit of evidence.
        folds: Number of folds over the groups.
        seeds: The reported seeds.
        fractions: Shares of labelled training groups, ascending.
        probe: Name of the leading probe.
        measure: Name of the leading measure.
        transductive: Whether every arm was pre-trained on the held-out groups too.
        arms: In the order of the table.
        scores: One for each arm, probe and fraction.
        primary: The primary contrast.
        secondary: The secondary contrasts, Holm-corrected together.
        nuisance: Scores of the nuisance probes.
        information: Agreement of the rules' positives on label and nuisance.
        notes: Remarks on the study as a whole.
        environment: Versions and kind of machine; no user, host or path.
        seconds: Wall clock of all cells together.
        margin: Smallest difference of the leading measure that matters in practice; None when the study names none.
        kept_beside: Nuisance column over whose score the page draws that of the label; None when the study names none.
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
    margin: float | None = None
    kept_beside: str | None = None

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
        """As JSON values; NaN becomes null."""
        values = {key: _numbers(_plain(getattr(self, key))) for key in self.__dataclass_fields__ if key != "scores"}
        return {**values, "scores": [one.to_dict() for one in self.scores]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> StudyResult:
        """The inverse of `to_dict`.

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

    def write(self, path: str | Path) -> Path:
        """Write the result as JSON, atomically.

        Raises:
            ResourceError: When the disk is full.
            UsageError: When the folder can't be written to.
        """
        path = Path(path)
        text = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        with write_errors(f"the result {str(path)!r}"):
            write_whole(path, lambda part: part.write_text(text + "\n", encoding="utf-8"))
        return path


_ROWS: dict[str, type[Any]] = {
    "arms": ArmResult,
    "secondary": ContrastSpec,
    "nuisance": NuisanceRow,
    "information": InformationRow,
}


def read_study_result(path: str | Path) -> StudyResult:
    """Read a file that `StudyResult.write` wrote.

    Raises:
        DataError: When the file can't be read.
    """
    path = Path(path)
    try:
        return StudyResult.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
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


def _compact(sums: NDArray[np.float64]) -> Any:
    """As `_numbers`, with 3.0 written as 3: nearly all sums are counts, and the file is half as long."""
    finite = np.isfinite(sums)
    whole = finite & (np.abs(sums) < 2**53) & (sums == np.round(sums))
    if whole.all():
        return sums.astype(np.int64).tolist()
    values = sums.astype(object)
    values[whole] = sums[whole].astype(np.int64).astype(object)
    values[~finite] = None
    return values.tolist()
