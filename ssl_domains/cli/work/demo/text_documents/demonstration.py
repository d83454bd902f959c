"""The demonstration of documents: find faults and false negatives, train six arms, search, and export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.console import table
from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.demonstration import Demonstration
from ssl_domains.cli.work.demo.steps import Invoke, Steps
from ssl_domains.cli.work.demo.text_documents.lines import ARMS, DocumentLines, arm_of
from ssl_domains.cli.work.demo.text_documents.scores import DocumentScores
from ssl_domains.cli.work.demo.workers import ExitCode, Job

__all__ = ["SHOWN_ARM", "DocumentsDemonstration"]

TITLE = "A demonstration, not evidence: one draw of made-up tickets."

SHOWN_ARM = arm_of("batch", "positives")
"""The arm whose first training is asked and exported, whatever wins."""

_SCANNED = ("note: 3", "note: 1", "note: 2", "note: j", "note: d", "left out", "    ")
"""Starts of the lines of a report that are repeated; the others are there for the one who types it."""


@dataclass(frozen=True)
class DocumentsDemonstration(Demonstration):
    """The demonstration of documents in a folder."""

    WRITTEN: ClassVar[tuple[str, ...]] = (
        *("data", "samples.parquet", "samples.parquet.json", "samples.store", "samples.texts", "samples.problems.csv"),
        *(f"samples.{name}.parquet" for name in ("relevance", "duplicates", "links")),
        *("mined.parquet", "mined-no-copies.parquet", "pairs.html", "words", "runs", "logs", "search.html", "exported"),
    )
    lines: DocumentLines

    def play(self, invoke: Invoke, run: ExitCode) -> str:
        """Run the whole demonstration; every step is a command line that a user can type.

        Args:
            invoke: Runs one command line.
            run: Runs one command line in another process and returns its exit code.

        Returns:
            The last line: that the export has the vectors of the run.

        Raises:
            UsageError: When the folder holds other files, or sentence-transformers is not installed.
            DataError: When a step fails.
        """
        from ssl_domains.evaluation.sentence_models import require_sentence_transformers

        require_sentence_transformers()
        lines, steps = self.lines, Steps(invoke, run)
        self.start(
            "1. Service tickets, worded by customers and engineers; the scan names what is planted", self.script()
        )
        steps.show(lines.demo_data())
        steps.show(lines.scan(), _SCANNED)
        self.say("2. The ten worst false negatives of planned batches")
        shown = steps.output(lines.pairs())
        print(false_negatives(shown))
        steps.show(lines.link(), ("documents", "1", "2", "3", "4", "5", "6", "7", "8", "9"))
        self.say(
            "3. The search by words, and the negatives that it mines for the first quarter of a refreshed training"
        )
        for words in (lines.index_words(), *self._by_words(), lines.mine("plain"), lines.mine("ignored")):
            steps.output(words)
        jobs = self.jobs()
        self.say(f"4. {len(jobs)} trainings of {lines.steps} steps: {len(ARMS)} arms, {lines.seeds} seeds; "
                 f"{self.processes} processes of one thread")  # fmt: skip
        self.decode(lines.samples)
        self.train(jobs, run)
        scores = DocumentScores.read(lines)
        headings, rows = scores.table()
        print("\n".join(["", f"{TITLE}\n{scores.CAPTION}\n", table(headings, rows), "", *scores.sentences]))
        self.say(f"5. A search with words and vectors of {SHOWN_ARM.about}")
        steps.show(lines.ask(SHOWN_ARM))
        self.say(f"page: {self._page(scores)}\ncommand lines: {self.commands}\n")
        steps.output(lines.export(SHOWN_ARM))
        return self._compared()

    def jobs(self) -> list[Job]:
        """Trainings with their searches and scores, a seed after another."""
        return [self._job(arm, seed) for seed in self.lines.all_seeds for arm in ARMS]

    def _job(self, arm: Arm, seed: int) -> Job:
        words = [self.lines.pretrain(arm, seed), *self.lines.evaluate(arm, seed)]
        return Job(self.lines.run_name(arm, seed), f"{arm.about}, seed {seed}", tuple(map(tuple, words)))

    def _by_words(self) -> list[list[str]]:
        lines = self.lines
        return [lines.search_queries(lines.words, "words"), lines.score(lines.words, "words")]

    def script(self) -> list[Sequence[str] | str]:
        """All command lines; typed in an empty folder of the same name they give the same files."""
        lines = self.lines
        return [
            *(lines.demo_data(), lines.scan(), lines.pairs(), lines.link(), lines.index_words(), *self._by_words()),
            *(lines.mine("plain"), lines.mine("ignored")),
            *(list(words) for job in self.jobs() for words in job.lines),
            *(lines.ask(SHOWN_ARM), lines.export(SHOWN_ARM)),
            f"in Python: sentence_transformers.SentenceTransformer({str(lines.exported)!r}).encode([…])",
        ]

    def _page(self, scores: DocumentScores) -> Path:
        from ssl_domains.cli.work.demo.text_documents.page import write_page

        return write_page(self.lines, self.domain, scores, TITLE)

    def _compared(self) -> str:
        from ssl_domains.cli.work.demo.text_documents.vectors import compare_vectors

        lines = self.lines
        found = compare_vectors(lines, self.domain, lines.run_folder(lines.run_name(SHOWN_ARM, lines.seed)))
        return (
            f"{lines.exported} loaded in sentence-transformers: the vectors of {found.texts:,} texts are equal to "
            f"those of the run (largest difference {found.largest:.0e})"
        )


def false_negatives(report: str) -> str:
    """The false negatives of what ``text pairs --false-negatives`` prints, without the report on the pairs before."""
    lines = report.splitlines()
    start = next((place for place, line in enumerate(lines) if "say the same as the positive" in line), 0)
    return "\n".join(line for line in lines[start:] if not line.startswith("page: "))
