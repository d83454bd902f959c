"""The scores of the demonstration of documents, read from the files that ``text score`` wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.text_documents.lines import ARMS, COLUMN, NEGATIVES, OTHER, DocumentLines, arm_of

__all__ = ["CLAIM", "GAIN", "METRIC", "RECALL", "DocumentScores", "SearchRow", "Spread"]

METRIC, RECALL = "nDCG@10", "recall@30"

GAIN = 0.03
"""What ignoring copies gains at least in nDCG@10, with each kind of negatives."""

CLAIM = f"ignoring copies gains at least {GAIN:.2f} {METRIC} with in-batch and with refreshed negatives"


@dataclass(frozen=True)
class Spread:
    """A score of each seed."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return sum(self.values) / len(self.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.mean:.3f}"
        return f"{self.mean:.3f} ({min(self.values):.3f}–{max(self.values):.3f})"


@dataclass(frozen=True)
class SearchRow:
    """A line of the table: what an arm's vectors find.

    Attributes:
        arm: The arm.
        vectors: nDCG@10 of the search by vectors.
        both: Likewise of vectors and words together.
        other: Recall of tickets in the other wording, by vectors.
    """

    arm: Arm
    vectors: Spread
    both: Spread
    other: Spread


@dataclass(frozen=True)
class DocumentScores:
    """The lines of the table.

    Attributes:
        words: nDCG@10 of the search by words.
        words_other: Its recall of tickets in the other wording.
        rows: A line for each arm.
    """

    CAPTION: ClassVar[str] = (
        f"Queries for 24 faults that no training saw, worded by customers: {METRIC}, and {RECALL} of tickets that "
        "engineers worded.\nMean (lowest–highest) over trainings"
    )
    words: float
    words_other: float
    rows: tuple[SearchRow, ...]

    @classmethod
    def read(cls, lines: DocumentLines) -> DocumentScores:
        """Read the files of scores.

        Args:
            lines: The command lines, which know the folders.
        """
        by_words, other = _scores(lines.scores(lines.words, "words"))
        rows = []
        for arm in ARMS:
            runs = [lines.run_folder(lines.run_name(arm, seed)) for seed in lines.all_seeds]
            vectors = [_scores(lines.scores(run, "vectors")) for run in runs]
            both = [_scores(lines.scores(run, "both")) for run in runs]
            rows.append(
                SearchRow(
                    arm,
                    Spread(tuple(one for one, _ in vectors)),
                    Spread(tuple(one for one, _ in both)),
                    Spread(tuple(found for _, found in vectors)),
                )
            )
        return cls(by_words, other, tuple(rows))

    def row(self, arm: Arm) -> SearchRow:
        """The line of an arm."""
        return next(row for row in self.rows if row.arm.name == arm.name)

    @property
    def best(self) -> SearchRow:
        """The arm whose vectors find best."""
        return max(self.rows, key=lambda row: row.vectors.mean)

    def gain(self, where: str) -> float:
        """What ignoring copies gains in nDCG@10 with these negatives."""
        plain, ignored = (self.row(arm_of(where, what)).vectors.mean for what in ("plain", "ignored"))
        return ignored - plain

    def broken(self) -> list[str]:
        """Where the claim does not hold, in words; empty where it holds."""
        return [
            f"ignoring copies gains {self.gain(where):+.3f} with {name} negatives, less than {GAIN:.2f}"
            for where, name in NEGATIVES.items()
            if self.gain(where) < GAIN
        ]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """(headings, lines of text) of the printed table."""
        headings = ["search", METRIC, f"{METRIC} with words", f"{RECALL}, engineers' words"]
        words = ["words alone (BM25)", f"{self.words:.3f}", "–", f"{self.words_other:.3f}"]
        return headings, [
            words,
            *([row.arm.about, str(row.vectors), str(row.both), str(row.other)] for row in self.rows),
        ]

    @property
    def sentences(self) -> list[str]:
        """Which search wins, what ignoring copies gains, and what finds tickets in other words, whichever it is."""
        together = max(self.rows, key=lambda row: row.both.mean)
        searches = [
            (f"vectors of {self.best.arm.about}", self.best.vectors.mean),
            ("words alone (BM25)", self.words),
            (f"words and vectors of {together.arm.about}", together.both.mean),
        ]
        searches.sort(key=lambda one: -one[1])
        listed = ", then ".join(f"{name} {value:.3f}" for name, value in searches)
        gains = ", ".join(f"{self.gain(where):+.3f} with {name} negatives" for where, name in NEGATIVES.items())
        other = max(self.rows, key=lambda row: row.other.mean)
        return [
            f"{METRIC}: {listed}.",
            f"Ignoring copies instead of pushing them away: {gains}.",
            self._refreshing(),
            f"Tickets in engineers' words are found best by {other.arm.about} ({RECALL} {other.other.mean:.3f}; "
            f"by words {self.words_other:.3f}).",
            *(f"Not as usual: {sentence}." for sentence in self.broken()),
        ]

    def _refreshing(self) -> str:
        batch, refreshed = (
            [self.row(arm_of(where, what)).vectors.mean for what in ("plain", "ignored", "positives")]
            for where in NEGATIVES
        )
        differences = [after - before for before, after in zip(batch, refreshed, strict=True)]
        listed = ", ".join(f"{value:+.3f}" for value in differences)
        return f"Refreshed negatives against in-batch ones: {listed} (copies as negatives, ignored, as positives)."


def _scores(path: Path) -> tuple[float, float]:
    """(nDCG@10, recall of tickets in the other wording) of a file of scores."""
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["recall_by"]["column"] == COLUMN
    return float(document["values"][METRIC]), float(document["recall_by"]["values"][OTHER][RECALL])
