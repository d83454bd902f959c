"""The scores of the demonstration of text lines, read from the reports of its fine-tunings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ssl_domains.cli.work.demo.text_lines.lines import ARMS, EFFORT, LABELS, RANDOM, SCRATCH, LineLines

if TYPE_CHECKING:
    from ssl_domains.finetuning.report import FineTuneReport, FineTuneRow

__all__ = ["METRIC", "LineScores", "ScoreRow"]

METRIC = "CER"


@dataclass(frozen=True)
class ScoreRow:
    """A line of the table.

    Attributes:
        about: What was trained.
        errors: Character error rate for each number of labels, in the order of `LABELS`.
        pretrained: Whether the encoder was pre-trained.
        levelled: Whether the training's loss had levelled off, likewise; None for a frozen encoder.
        steps: Steps with labels, likewise; 0 for a frozen encoder.
    """

    about: str
    errors: tuple[float, ...]
    pretrained: bool
    levelled: tuple[bool | None, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True)
class LineScores:
    """The lines of the table, and what the fine-tuning said of the labels."""

    CAPTION: ClassVar[str] = (
        "Character error rate (CER, less is better) on strips of 8 writers whom no training saw. All trainings see the "
        "views of the recipe.\nEqual effort: as many views as pre-training and fine-tuning together"
    )
    rows: tuple[ScoreRow, ...]
    left_out: tuple[str, ...] = ()

    @classmethod
    def read(cls, lines: LineLines) -> LineScores:
        """Read the reports in the folders of the fine-tunings.

        Args:
            lines: The command lines, which know the folders.
        """
        from ssl_domains.finetuning.report import FINE_TUNED, FROZEN

        pretrained = [arm for arm in ARMS if arm.name != RANDOM]
        reports = {arm.name: _report(lines, arm.name) for arm in pretrained}
        scratch = _report(lines, SCRATCH)
        whole = {count: _report(lines, f"{EFFORT}-{count}") for count in LABELS}
        frozen = [_score(f"{arm.about}: frozen", _rows(reports[arm.name], FROZEN), True) for arm in pretrained]
        tuned = [_score(f"{arm.about}: fine-tuned", _rows(reports[arm.name], FINE_TUNED), True) for arm in pretrained]
        effort = [row for report in whole.values() for row in _rows(report, FINE_TUNED)]
        first = reports[pretrained[0].name]
        return cls(
            (
                *frozen,
                _score("random weights: frozen", _rows(scratch, FROZEN), False),
                *tuned,
                _score("scratch, equal steps", _rows(scratch, FINE_TUNED), False),
                _score("scratch, equal effort", effort, False),
            ),
            tuple(note for note in first.notes if note.startswith("left out")),
        )

    @property
    def sentences(self) -> list[str]:
        """Which line wins with each number of labels, and which trainings were stopped early, in words."""
        said = [self._winner(place, count) for place, count in enumerate(LABELS)]
        early = [
            f"{row.about} with {count} ({row.steps[place]} steps)"
            for row in self.rows
            for place, count in enumerate(LABELS)
            if row.levelled[place] is False
        ]
        if early:
            said.append(f"The loss had not levelled off, and more steps may help: {'; '.join(early)}.")
        return [*said, "One seed of simulated strips: another seed may order close lines otherwise."]

    def _winner(self, place: int, count: int) -> str:
        best = min(self.rows, key=lambda row: row.errors[place])
        other = min((row for row in self.rows if row.pretrained != best.pretrained), key=lambda row: row.errors[place])
        is_pretrained = "is" if best.pretrained else "is not"
        what = "with pre-training" if other.pretrained else "without pre-training"
        return (
            f"Fewest errors with {count} labels: {best.about} ({best.errors[place]:.3f}), which {is_pretrained} "
            f"pre-trained; {what} the fewest are those of {other.about} ({other.errors[place]:.3f})."
        )

    def table(self) -> tuple[list[str], list[list[str]]]:
        """(headings, lines of text) of the printed table."""
        headings = ["encoder", *(f"CER, {count} labels" for count in LABELS), "steps with labels"]
        return headings, [
            [row.about, *(f"{value:.3f}" for value in row.errors), _steps(row.steps)] for row in self.rows
        ]


def _report(lines: LineLines, name: str) -> FineTuneReport:
    from ssl_domains.finetuning.report import read_finetune_reports

    return read_finetune_reports(lines.tuned_folder(name))[0]


def _rows(report: FineTuneReport, arm: str) -> list[FineTuneRow]:
    """The rows of an arm, from the smallest share of the labels."""
    return sorted((row for row in report.rows if row.arm == arm), key=lambda row: row.fraction)


def _score(about: str, rows: list[FineTuneRow], pretrained: bool) -> ScoreRow:
    assert [row.labels for row in rows] == list(LABELS)
    errors = [row.values[METRIC] for row in rows]
    known = tuple(value for value in errors if value is not None)
    assert len(known) == len(errors), "every test strip has a transcript"
    return ScoreRow(about, known, pretrained, tuple(row.levelled for row in rows), tuple(row.steps for row in rows))


def _steps(steps: tuple[int, ...]) -> str:
    different = list(dict.fromkeys(steps))
    return " and ".join(map(str, different)) if any(different) else "–"
