"""The report of a fine-tuning: scores of each arm, fraction and draw stored as JSON, and the table of their means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ssl_domains.evaluation.probe_report import SHOWN
from ssl_domains.evaluation.report_files import read_reports, report_path, write_report
from ssl_domains.finetuning.measuring.means import Mean, mean_of
from ssl_domains.probes import HEADLINE
from ssl_domains.quantities import plural

__all__ = [
    "EQUAL_EFFORT",
    "EQUAL_STEPS",
    "FINE_TUNED",
    "FROZEN",
    "FineTuneReport",
    "FineTuneRow",
    "finetune_path",
    "read_finetune_reports",
]

FROZEN = "frozen probe"
FINE_TUNED = "fine-tuned"
EQUAL_STEPS = "scratch, equal steps"
EQUAL_EFFORT = "scratch, equal effort"


@dataclass(frozen=True)
class FineTuneRow:
    """Scores of one arm on one draw of labelled groups.

    Attributes:
        arm: ``frozen probe``, ``fine-tuned``, ``scratch, equal steps`` or ``scratch, equal effort``.
        fraction: Requested share of labelled training groups.
        used: Share of labelled training groups that was used.
        draw: Number of the draw; the same groups for every arm.
        groups: Number of labelled training groups.
        labels: Number of labelled training rows.
        tested: Number of labelled test rows.
        steps: Steps of the training with labels; 0 for the frozen probe.
        values: Name of a score → its value, None where undefined.
        reasons: Name of a score → why it is None, or what it leaves out.
        per_class: Class → recall, average precision or Dice.
        per_group: For ``segmentation``, Dice of each test group and class, None where undefined; for ``transcription``
            the character, line and word accuracy of each test group. The order of the groups does not identify them.
        chosen: Hyper-parameters of the frozen probe, chosen inside the training groups.
        views: ``recipe`` or ``none``: whether the training changes pictures by the recipe of the pre-training; empty
            for the frozen probe.
        levelled: Whether the loss of the training had levelled off; None for the frozen probe.
        notes: Remarks.
    """

    arm: str
    fraction: float
    used: float
    draw: int
    groups: int
    labels: int
    tested: int
    steps: int
    values: dict[str, float | None]
    reasons: dict[str, str] = field(default_factory=dict)
    per_class: dict[str, float | None] = field(default_factory=dict)
    per_group: tuple[tuple[float | None, ...], ...] = ()
    chosen: dict[str, float] = field(default_factory=dict)
    views: str = ""
    levelled: bool | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> FineTuneRow:
        """The inverse of `dataclasses.asdict`, after JSON."""
        known = {one.name for one in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        values["notes"] = tuple(values["notes"])
        values["per_group"] = tuple(tuple(row) for row in values["per_group"])
        return cls(**values)


@dataclass(frozen=True)
class FineTuneReport:
    """Fine-tuned beside its own frozen probe and training from scratch. One run of pre-training is not evidence.

    Attributes:
        label: The column, or ``masks``.
        task: ``classification``, ``multilabel``, ``regression``, ``segmentation`` or ``transcription``.
        classes: Text of the classes.
        group: Column of the groups that the split keeps whole.
        test_groups: Number of held-out groups.
        transductive: Sentence that says how many test groups were in pre-training; empty when none was.
        supervised: Number of labels that the rule of the pre-training read; 0 when it does not read the column.
        pretraining_views: Views that the encoder was pre-trained on; None when this is not known.
        dropped: Number of rows of the split without a label.
        rows: One for each arm, fraction and draw.
        notes: Remarks on the report as a whole.
    """

    label: str
    task: str
    classes: tuple[str, ...]
    group: str
    test_groups: int
    transductive: str
    supervised: int
    pretraining_views: int | None
    dropped: int
    rows: tuple[FineTuneRow, ...]
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Title of the table; says that one run is not evidence, and whether pre-training saw test groups."""
        groups = plural(self.test_groups, "held-out group")
        suffix = "; transductive: " + self.transductive if self.transductive else ""
        what = f"{self.label!r} ({self.task}, {groups} of {self.group!r})"
        return f"Fine-tuning for {what} · one run, not evidence{suffix}"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the scores in the table, the leading one first."""
        if self.task == "segmentation":
            return (*SHOWN[self.task], *(f"Dice {name}" for name in self.classes))
        return SHOWN[self.task]

    @property
    def headings(self) -> list[str]:
        """Headings of the table, in order."""
        return ["fraction", "arm", "draws", "groups", "labels", "steps", *self.metrics]

    def table(self) -> list[dict[str, str]]:
        """One row for each fraction and arm, as heading → text: means over draws ± standard deviation.

        A score that is undefined in any draw is ``–``, and `remarks` says why.
        """
        out = []
        for rows in self._cells():
            first = rows[0]
            cells = {
                "fraction": f"{first.used:.3g}",
                "arm": first.arm,
                "draws": str(len(rows)),
                "groups": str(first.groups),
                "labels": _range([row.labels for row in rows]),
                "steps": _range([row.steps for row in rows]) if first.steps else "–",
            }
            cells |= {name: str(self._mean(rows, name)) for name in self.metrics}
            out.append(cells)
        return out

    def mean(self, arm: str, fraction: float, name: str | None = None) -> Mean:
        """Mean of a score over the draws of a fraction, by default of the leading score of the task."""
        rows = [row for row in self.rows if (row.arm, row.fraction) == (arm, fraction)]
        return self._mean(rows, name or HEADLINE[self.task])

    def remarks(self) -> list[str]:
        """Remarks on the table, each once: warnings, settings, undefined scores, raised fractions, left-out rows."""
        lines = [*self._below_probe(), *self._not_levelled(), *self.notes]
        if self.dropped:
            lines.append(f"left out: {plural(self.dropped, 'row')} of the split without {self.label!r}")
        for row in self.rows:
            lines += row.notes
            lines += [f"{name}{'' if row.values.get(name) is not None else ' undefined'}: {why}"
                      for name, why in row.reasons.items()]  # fmt: skip
        return list(dict.fromkeys(lines))

    def _cells(self) -> list[list[FineTuneRow]]:
        """The rows of each fraction and arm, in the order in which they first appear."""
        cells: dict[tuple[float, str], list[FineTuneRow]] = {}
        for row in self.rows:
            cells.setdefault((row.fraction, row.arm), []).append(row)
        return list(cells.values())

    def _mean(self, rows: list[FineTuneRow], name: str) -> Mean:
        return mean_of([{**{f"Dice {k}": v for k, v in row.per_class.items()}, **row.values}.get(name) for row in rows])

    def _below_probe(self) -> list[str]:
        lines, name = [], HEADLINE[self.task]
        for fraction in dict.fromkeys(row.fraction for row in self.rows):
            tuned, frozen = self.mean(FINE_TUNED, fraction), self.mean(FROZEN, fraction)
            if tuned.value is not None and frozen.value is not None and tuned.value < frozen.value:
                lines.append(
                    f"warning: at {_share(fraction)}, fine-tuned is below its own frozen probe: {name} "
                    f"{tuned.value:.3f} against {frozen.value:.3f}; prefer the frozen probe there, or move less of the "
                    "encoder (--layers head, a smaller train.lr)"
                )
        return lines

    def _not_levelled(self) -> list[str]:
        lines = []
        for rows in self._cells():
            count = sum(row.levelled is False for row in rows)
            if not count:
                continue
            arm, draws = rows[0].arm, "" if len(rows) == 1 else f" in {count} of {len(rows)} draws"
            why = "more steps may raise it" if arm == FINE_TUNED else "it may score higher with more, and is no control"
            lines.append(
                f"warning: at {_share(rows[0].fraction)}, the training loss of {arm!r} has not levelled off after "
                f"{plural(rows[0].steps, 'step')}{draws}: {why}"
            )
        return lines

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, with the title, the warnings among the remarks, and the means over draws."""
        means = [
            {
                "arm": rows[0].arm, "fraction": rows[0].fraction, "draws": len(rows),
                **{name: asdict(self._mean(rows, name)) for name in self.metrics},
            }
            for rows in self._cells()
        ]  # fmt: skip
        return {"title": self.title, **asdict(self), "means": means, "remarks": self.remarks()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> FineTuneReport:
        """The inverse of `to_dict`."""
        values = {one.name: stored[one.name] for one in fields(cls)}
        values["rows"] = tuple(FineTuneRow.from_dict(row) for row in values["rows"])
        values["classes"], values["notes"] = tuple(values["classes"]), tuple(values["notes"])
        return cls(**values)

    def write(self, folder: str | Path) -> Path:
        """Write ``finetune-LABEL.json`` into the run's folder.

        Raises:
            ResourceError: When the disk is full.
            UsageError: When the folder can't be written to.
        """
        return write_report(finetune_path(folder, self.label), self.to_dict())


def finetune_path(folder: str | Path, label: str) -> Path:
    """Path of the report on a label in a fine-tuned run's folder."""
    return report_path(folder, "finetune", label)


def read_finetune_reports(folder: str | Path) -> list[FineTuneReport]:
    """Read all reports of fine-tuning in a run's folder, sorted by file name.

    Raises:
        DataError: When a file can't be read.
    """
    return read_reports(folder, "finetune", FineTuneReport.from_dict, "fine-tune again, to another --out")


def _share(fraction: float) -> str:
    return "all labelled groups" if fraction == 1 else f"{100 * fraction:.3g} % of the labelled groups"


def _range(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}–{high}"
