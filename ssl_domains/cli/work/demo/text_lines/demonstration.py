"""The demonstration of text lines: find planted faults, train with SeqCLR, fine-tune with few transcripts, read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.console import table
from ssl_domains.cli.work.demo.demonstration import Demonstration
from ssl_domains.cli.work.demo.steps import Invoke, Steps
from ssl_domains.cli.work.demo.text_lines.lines import ARMS, EFFORT, LABELS, RANDOM, READ, SCRATCH, LineLines
from ssl_domains.cli.work.demo.text_lines.scores import LineScores
from ssl_domains.cli.work.demo.workers import ExitCode, Job

__all__ = ["LinesDemonstration"]

TITLE = "A demonstration, not evidence: one seed of simulated strips."

_SCANNED = ("note: num-samples", "note: 1,522 labels", "note: outside", "left out", "    ")
_PAIRS = ("samples", "batches", "relations")
"""Starts of the lines of a report that are repeated; the others are there for the one who types it."""


@dataclass(frozen=True)
class LinesDemonstration(Demonstration):
    """The demonstration of text lines in a folder."""

    WRITTEN: ClassVar[tuple[str, ...]] = (
        "data",
        *(f"{name}{end}" for name in ("samples", "test") for end in (".parquet", ".parquet.json", ".store")),
        *("samples.problems.csv", "pairs.html", "runs", "tuned", "read", "strips.html", "logs"),
    )
    lines: LineLines

    def play(self, invoke: Invoke, run: ExitCode) -> str:
        """Run the whole demonstration; every step is a command line that a user can type.

        Args:
            invoke: Runs one command line.
            run: Runs one command line in another process and returns its exit code.

        Returns:
            The table of character errors, which of the arms wins, and the page, as text.

        Raises:
            UsageError: When the folder holds other files.
            DataError: When a step fails.
        """
        lines, steps = self.lines, Steps(invoke, run)
        self.start("1. Strips of handwritten digits in an LMDB database, with four faults; the scan names three", [])
        self.write_commands(self.script())
        steps.show(lines.demo_data())
        steps.show(lines.scan(), _SCANNED)
        steps.show(lines.test_strips())
        self.say("2. Pairs of SeqCLR: two views of a strip, place by place")
        steps.show(lines.pairs(), _PAIRS)
        jobs = self.jobs()
        self.say(f"3. {len(ARMS) - 1} pre-trainings, and fine-tunings with {_listed()} transcripts beside scratch, "
                 f"{self.processes} processes of one thread")  # fmt: skip
        self.decode(lines.samples, lines.test)
        lines.read_file(READ[0]).parent.mkdir(exist_ok=True)
        self.train(jobs, run)
        scores = LineScores.read(lines)
        self.say("4. The fourth fault was found by the fine-tuning, as it depends on the frames of the encoder")
        for note in scores.left_out:
            self.say(note)
        headings, rows = scores.table()
        return "\n".join(
            [
                f"{TITLE}\n{scores.CAPTION}\n\n{table(headings, rows)}\n",
                *scores.sentences,
                f"\npage with strips and what the models read: {self._page(scores)}",
                f"command lines: {self.commands}",
            ]
        )

    def jobs(self) -> list[Job]:
        """Trainings and fine-tunings; random weights come first, as scratch starts from them."""
        lines = self.lines
        arms = {arm.name: arm for arm in ARMS}
        made = [self._job(RANDOM, arms[RANDOM].about, lines.pretrain(arms[RANDOM]))]
        made += [
            self._job(name, arm.about, lines.pretrain(arm), lines.finetune(name))
            for name, arm in arms.items()
            if name != RANDOM
        ]
        for count in LABELS:
            about = f"scratch, equal effort, {count} transcripts"
            made.append(self._job(f"{EFFORT}-{count}", about, lines.scratch_effort(count), after=RANDOM))
        return [*made, self._job(SCRATCH, "scratch, equal steps", lines.scratch(), after=RANDOM)]

    def _job(self, name: str, about: str, *words: list[str], after: str = "") -> Job:
        predicted = [self.lines.predict(name)] if name in READ else []
        return Job(name, about, tuple(map(tuple, [*words, *predicted])), after)

    def script(self) -> list[Sequence[str]]:
        """All command lines; typed in an empty folder of the same name they give the same files."""
        lines = self.lines
        return [
            *(lines.demo_data(), lines.scan(), lines.test_strips(), lines.pairs()),
            *(words for job in self.jobs() for words in job.lines),
        ]

    def _page(self, scores: LineScores) -> Path:
        from ssl_domains.cli.work.demo.text_lines.page import write_page

        return write_page(self.lines, self.domain, scores, TITLE)


def _listed() -> str:
    return " and ".join(map(str, LABELS))
