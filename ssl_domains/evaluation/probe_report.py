"""The report of a probe: scores stored as JSON, and the table that is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import stdev
from typing import Any

from ssl_domains.evaluation.report_files import read_reports, report_path, write_report
from ssl_domains.probes import HEADLINE, DenseResult, ProbeResult
from ssl_domains.probes.overlap import POOLED
from ssl_domains.probes.transcripts import CER, OF_TRANSCRIPTS, TranscriptResult
from ssl_domains.quantities import plural

__all__ = ["SHOWN", "ProbeReport", "ProbeRow", "probe_path", "read_probe_reports"]

SHOWN: Mapping[str, tuple[str, ...]] = {
    "classification": ("balanced accuracy", "macro-F1", "AUROC", "accuracy"),
    "multilabel": ("average precision", "AUROC", "macro-F1", "exact sets"),
    "regression": ("R²", "MAE"),
    "segmentation": ("mean Dice", "mean IoU", *POOLED),
    "transcription": (*OF_TRANSCRIPTS, CER),
    "retrieval": ("mAP", "nDCG@10", "recall@1", "recall@10", "hit@1", "hit@10"),
}
"""Scores that a table shows for each task, the leading one first."""


@dataclass(frozen=True)
class ProbeRow:
    """Scores of one arm with one probe at one fraction of the labels.

    Attributes:
        arm: Where the features come from, such as ``frozen encoder``.
        probe: Name of the probe that was fitted on them.
        fraction: Requested share of labelled training groups.
        used: Share of labelled training groups that was used.
        draw: Number of the draw; the same groups for every arm.
        groups: Number of labelled training groups.
        labels: Number of labelled training rows.
        tested: Number of labelled test rows.
        values: Name of a score → its value, None where undefined.
        reasons: Name of a score → why it is None, or what it leaves out.
        per_class: Class → recall, average precision or Dice.
        chosen: Hyper-parameters, chosen inside the training groups.
        notes: Remarks.
        per_group: For ``segmentation``, Dice of each test group and class, None where undefined; for ``transcription``
            the character, line and word accuracy of each test group. The order of the groups does not identify them.
        fold: Number of the fold whose groups are tested, from 0.
    """

    arm: str
    probe: str
    fraction: float
    used: float
    draw: int
    groups: int
    labels: int
    tested: int
    values: dict[str, float | None]
    reasons: dict[str, str] = field(default_factory=dict)
    per_class: dict[str, float | None] = field(default_factory=dict)
    chosen: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    per_group: tuple[tuple[float | None, ...], ...] = ()
    fold: int = 0

    @classmethod
    def of(
        cls,
        arm: str,
        probe: str,
        result: ProbeResult,
        fraction: float,
        used: float,
        draw: int,
        note: str = "",
        fold: int = 0,
    ) -> ProbeRow:
        """A row from a probe's result."""
        scores = result.scores
        notes = tuple(one for one in (note, *result.notes) if one)
        return cls(
            arm, probe, fraction, used, draw, result.groups, result.labels, result.tested,
            scores.values, scores.reasons, scores.per_class, result.chosen, notes, fold=fold,
        )  # fmt: skip

    @classmethod
    def of_dense(
        cls, arm: str, probe: str, result: DenseResult, fraction: float, used: float, draw: int, note: str = ""
    ) -> ProbeRow:
        """A row from a dense probe's result; labelled and tested rows are pictures."""
        values, reasons = result.values(), result.reasons()
        per_group = tuple(tuple(None if value != value else float(value) for value in row) for row in result.dice)
        notes = tuple(one for one in (note, *result.remarks()) if one)
        return cls(
            arm, probe, fraction, used, draw, result.trained_groups, result.labels, result.tested,
            values, reasons, result.per_class, result.chosen, notes, per_group,
        )  # fmt: skip

    @classmethod
    def of_transcripts(
        cls, arm: str, probe: str, result: TranscriptResult, fraction: float, used: float, draw: int, note: str = ""
    ) -> ProbeRow:
        """A row from the result of a probe of transcripts."""
        scores, notes = result.scores, tuple(one for one in (note, *result.remarks()) if one)
        return cls(
            arm, probe, fraction, used, draw, result.trained_groups, result.labels, result.tested,
            scores.values, scores.reasons, {}, result.chosen, notes, result.per_group,
        )  # fmt: skip


@dataclass(frozen=True)
class ProbeReport:
    """Scores of a frozen probe on one label column. One run is not evidence (`study` is for that); the title says so.

    Attributes:
        label: The column.
        task: ``classification``, ``multilabel``, ``regression``, ``segmentation`` of a dense probe, ``transcription``,
            or ``retrieval``; then ``labels`` of a row is the number of items in the gallery, and ``tested`` that of
            scored queries.
        classes: Text of the classes.
        group: Column of the groups that the split keeps whole.
        test_groups: Number of held-out groups.
        transductive: Sentence that says how many test groups were in pre-training; empty when none was.
        supervised: Number of labels of this column that the rule of the run read; 0 when it does not read the column.
        dropped: Number of rows of the split without a label.
        rows: One for each arm, probe, fraction and draw.
        notes: Remarks on the report as a whole.
        folds: Number of folds in which the groups are held out in turn; 0 for the split of the table.
    """

    label: str
    task: str
    classes: tuple[str, ...]
    group: str
    test_groups: int
    transductive: str
    supervised: int
    dropped: int
    rows: tuple[ProbeRow, ...]
    notes: tuple[str, ...] = ()
    folds: int = 0

    @property
    def title(self) -> str:
        """Title of the table; says that one run is not evidence."""
        groups = f"{self.test_groups} held-out groups of {self.group!r}"
        if self.folds:
            groups = f"{self.test_groups} groups of {self.group!r}, held out in {self.folds} folds"
        suffix = "; transductive: " + self.transductive if self.transductive else ""
        if self.task == "retrieval":
            return f"{self.label[:1].upper()}{self.label[1:]} ({groups}) · one run, not evidence{suffix}"
        return f"Frozen probe of {self.label!r} ({self.task}, {groups}) · one run, not evidence{suffix}"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the scores in the table, the leading one first."""
        if self.task == "segmentation":
            return (*SHOWN[self.task], *(f"Dice {name}" for name in self.classes))
        if self.task == "retrieval":
            return tuple(name for name in SHOWN[self.task] if name in self.rows[0].values)
        return SHOWN[self.task]

    @property
    def headings(self) -> list[str]:
        """Headings of the table, in order."""
        if self.task == "retrieval":
            return ["features", "probe", "gallery", "queries", *self.metrics]
        draws = ["folds"] if self.folds else []
        draws += ["draws"] if len({row.draw for row in self.rows}) > 1 else []
        return ["features", "probe", "fraction", *draws, "groups", "labels", *self.metrics]

    def table(self) -> list[dict[str, str]]:
        """One line for each arm, probe and fraction, as heading → text: the mean over folds and draws of groups.

        With several of them ``± s`` is the standard deviation of the leading score over them. An undefined score is
        ``–``, and `remarks` says why.
        """
        lines: dict[tuple[str, str, float], list[ProbeRow]] = {}
        for row in self.rows:
            lines.setdefault((row.arm, row.probe, row.fraction), []).append(row)
        return [self._line(rows) for rows in lines.values()]

    def _line(self, rows: Sequence[ProbeRow]) -> dict[str, str]:
        first = rows[0]
        cells = {
            "features": first.arm,
            "probe": first.probe,
            "fraction": f"{first.used:.3g}",
            "folds": str(self.folds),
            "draws": str(len({row.draw for row in rows})),
            "groups": _range([row.groups for row in rows]),
            "labels": _range([row.labels for row in rows]),
            "gallery": _range([row.labels for row in rows]),
            "queries": _range([row.tested for row in rows]),
        }
        for name in self.metrics:
            values = [{**{f"Dice {key}": value for key, value in row.per_class.items()}, **row.values}.get(name)
                      for row in rows]  # fmt: skip
            cells[name] = _number(mean_of(values))
            if name == self.metrics[0] and len(rows) > 1 and cells[name] != "–":
                cells[name] += f" ± {stdev([value for value in values if value is not None]):.3f}"
        return {heading: cells[heading] for heading in self.headings}

    def remarks(self) -> list[str]:
        """Remarks on the table, each once: undefined scores, raised fractions, left-out rows."""
        lines = list(self.notes)
        if self.dropped:
            lines.append(f"left out: {plural(self.dropped, 'row')} of the split without {self.label!r}")
        for row in self.rows:
            lines += row.notes
            lines += [f"{name}{'' if row.values.get(name) is not None else ' undefined'}: {why}"
                      for name, why in row.reasons.items()]  # fmt: skip
        return list(dict.fromkeys(lines))

    def headline(self, arm: str, probe: str) -> float | None:
        """The leading score of an arm at its largest fraction, mean over draws; None when it is not defined."""
        rows = [row for row in self.rows if row.arm == arm and row.probe == probe]
        largest = max((row.used for row in rows), default=0.0)
        values = [row.values.get(HEADLINE[self.task]) for row in rows if row.used == largest]
        return mean_of(values)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, the title included."""
        return {"title": self.title, **asdict(self)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ProbeReport:
        """The inverse of `to_dict`."""
        values = {key: value for key, value in stored.items() if key != "title"}
        rows = tuple(
            ProbeRow(**{**row, "notes": tuple(row["notes"]), "per_group": tuple(map(tuple, row.get("per_group", ())))})
            for row in values.pop("rows")
        )
        values["classes"], values["notes"] = tuple(values["classes"]), tuple(values["notes"])
        return cls(rows=rows, **values)

    def write(self, folder: str | Path) -> Path:
        """Write ``probe-LABEL.json``, or ``probe-LABEL-folds-of-GROUP.json``, into the run's folder.

        Raises:
            ResourceError: When the disk is full.
            UsageError: When the folder can't be written to.
        """
        group = self.group if self.folds else None
        return write_report(probe_path(folder, self.label, folds_of=group), self.to_dict())


def probe_path(folder: str | Path, label: str, *, folds_of: str | None = None) -> Path:
    """Path of the report on a label in a run's folder.

    Args:
        folder: The run folder.
        label: The label column.
        folds_of: Column of the groups that are held out in folds; a report of folds stands beside that of the split.
    """
    return report_path(folder, "probe", label if folds_of is None else f"{label}-folds-of-{folds_of}")


def read_probe_reports(folder: str | Path) -> list[ProbeReport]:
    """Read all probe reports of a run's folder, sorted by file name.

    Raises:
        DataError: When a file can't be read.
    """
    return read_reports(folder, "probe", ProbeReport.from_dict, "probe the run again")


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean; None when there is no value or one of them is undefined."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}–{high}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
