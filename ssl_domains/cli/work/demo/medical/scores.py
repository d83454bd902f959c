"""The scores of the medical demonstration, read from the reports of its probes, and its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.work.demo.medical.lines import ARMS, LABEL, NUISANCE, MedicalLines

if TYPE_CHECKING:
    from ssl_domains.evaluation import ProbeReport, ProbeRow
    from ssl_domains.finetuning import FineTuneRow

__all__ = ["CLAIM", "ORDER", "Row", "Scores"]

METRIC = "balanced accuracy"
ORDER = (("cst",), ("simclr", "composed"), ("shuffled", "random", "patient", "scanner"))
"""The claim: every arm of a group scores more on the label than every arm of the groups behind it."""

CLAIM = "cst > {SimCLR, the rule's batches} > {shuffled, random, patient, scanner}"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: Name of the arm, or of the floor.
        about: Description.
        label: Scores on the label with 3, 10 and all labelled patients, mean over draws and seeds.
        scanner: Score on the scanner with 10 labelled patients; None for a floor.
        each: Scores on the label with 10 labelled patients of each seed, mean over draws.
    """

    name: str
    about: str
    label: tuple[float, ...]
    scanner: float | None
    each: tuple[float, ...]


@dataclass(frozen=True)
class Scores:
    """All lines of the table: arms, then floors.

    Attributes:
        arms: Lines of the trainings.
        floors: Lines of the floors.
        tuned: Lines of the fine-tuning: arm, and scores on the label with 3, 10 and all labelled patients.
        patients: Numbers of labelled patients, in words, such as ``3``.
        test: Number of held-out patients.
    """

    arms: tuple[Row, ...]
    floors: tuple[Row, ...]
    tuned: tuple[tuple[str, tuple[float, ...]], ...]
    patients: tuple[str, ...]
    test: int

    @classmethod
    def read(cls, lines: MedicalLines, seeds: Sequence[int]) -> Scores:
        """Read the reports in the run folders.

        Args:
            lines: The command lines, which know the folders.
            seeds: Seeds of the trainings.
        """
        arms = []
        for arm in ARMS:
            runs = [lines.trained(arm.name, seed) for seed in seeds]
            label = [_curve(_report(run, LABEL), "frozen encoder") for run in runs]
            scanner = [_curve(_report(run, NUISANCE), "frozen encoder")[0] for run in runs]
            curve = tuple(_mean(values) for values in zip(*label, strict=True))
            arms.append(Row(arm.name, arm.about, curve, _mean(scanner), tuple(values[1] for values in label)))
        report = _report(lines.trained("random", seeds[0]), LABEL)
        floors = []
        for name in dict.fromkeys(row.arm for row in report.rows if not row.arm.startswith("frozen encoder")):
            curve = _curve(report, name)
            floors.append(Row(name, name.removesuffix(" (cst)"), curve, None, curve[1:2]))
        return cls(tuple(arms), tuple(floors), _tuned(lines.finetuned()), _patients(report), report.test_groups)

    def arm(self, name: str) -> Row:
        """The line of an arm."""
        return next(row for row in self.arms if row.name == name)

    def broken(self) -> list[str]:
        """Where the claimed order does not hold with 10 labelled patients, in words; empty where it holds."""
        out = []
        for above, below in pairwise(ORDER):
            for better in map(self.arm, above):
                for worse in map(self.arm, below):
                    if better.label[1] <= worse.label[1]:
                        out.append(
                            f"{better.name} {better.label[1]:.3f} is not above {worse.name} {worse.label[1]:.3f}"
                        )
        return out

    def table(self) -> tuple[list[str], list[list[str]]]:
        """(headings, lines of text) of the printed table."""
        few = [f"{LABEL}, {number} patients" for number in self.patients]
        headings = ["features", *few, f"{NUISANCE}, {self.patients[1]} patients"]
        lines = [
            [row.about, *(f"{value:.3f}" for value in row.label), "–" if row.scanner is None else f"{row.scanner:.3f}"]
            for row in (*self.arms, *self.floors)
        ]
        return headings, lines

    def tuned_table(self) -> tuple[list[str], list[list[str]]]:
        """(headings, lines of text) of the printed table of the fine-tuning."""
        headings = ["with labels", *(f"{LABEL}, {number} patients" for number in self.patients)]
        return headings, [[arm, *(f"{value:.3f}" for value in values)] for arm, values in self.tuned]


def _tuned(folder: Path) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """(arm, scores) of a fine-tuning; one draw of each fraction."""
    from ssl_domains.finetuning import read_finetune_reports

    report = next(report for report in read_finetune_reports(folder) if report.label == LABEL)
    arms: dict[str, list[float]] = {}
    for row in report.rows:
        arms.setdefault(row.arm, []).append(_value(row))
    return tuple((arm, tuple(values)) for arm, values in arms.items())


def _report(run: Path, label: str) -> ProbeReport:
    from ssl_domains.evaluation import read_probe_reports

    return next(report for report in read_probe_reports(run) if report.label == label)


def _curve(report: ProbeReport, arm: str) -> tuple[float, ...]:
    """Mean over draws at each fraction, of the linear probe or of the floor's trees."""
    rows = [row for row in report.rows if row.arm.startswith(arm) and row.probe != "k-NN"]
    fractions = dict.fromkeys(row.fraction for row in rows)
    return tuple(_mean([_value(row) for row in rows if row.fraction == fraction]) for fraction in fractions)


def _value(row: ProbeRow | FineTuneRow) -> float:
    value = row.values[METRIC]
    assert value is not None  # every grade is in the test patients
    return value


def _patients(report: ProbeReport) -> tuple[str, ...]:
    counts: dict[float, set[int]] = {}
    for row in report.rows:
        counts.setdefault(row.fraction, set()).add(row.groups)
    return tuple("–".join(str(number) for number in sorted({min(each), max(each)})) for each in counts.values())


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
