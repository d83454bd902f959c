"""The medical demonstration: find planted faults, judge pairs, train seven arms, and print one table."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.command_line import typed
from ssl_domains.cli.console import note, table
from ssl_domains.cli.work.demo.demonstration import Demonstration
from ssl_domains.cli.work.demo.medical.lines import ARMS, LABEL, NUISANCE, REFUSED, RULE, SCANNER_RULE, MedicalLines
from ssl_domains.cli.work.demo.medical.scores import CLAIM, Scores
from ssl_domains.cli.work.demo.steps import Invoke, Steps
from ssl_domains.cli.work.demo.workers import ExitCode, Job
from ssl_domains.errors import DataError
from ssl_domains.quantities import plural

__all__ = ["TITLE", "MedicalDemonstration"]

TITLE = "A demonstration, not evidence; its data was made to have a known truth."
_SHOWN = ("anchors without", f"label {LABEL}", f"nuisance {NUISANCE}")
"""Starts of the lines of a report on pairs that are repeated; the others are there for the one who types it."""


@dataclass(frozen=True)
class MedicalDemonstration(Demonstration):
    """The medical demonstration in a folder.

    Attributes:
        seeds: Number of trainings of each arm, with seeds from ``lines.seed`` on.
    """

    WRITTEN: ClassVar[tuple[str, ...]] = (
        *("data", "samples.parquet", "samples.store", "pairs.html", "runs", "finetuned", "logs", "summary.html"),
        *("by-hand", "by-hand-finetuned"),
    )
    lines: MedicalLines
    seeds: int = 2

    @property
    def all_seeds(self) -> range:
        """Seeds of the trainings."""
        return range(self.lines.seed, self.lines.seed + self.seeds)

    def play(self, invoke: Invoke, run: ExitCode) -> str:
        """Run the whole demonstration; every step is a command line that a user can type.

        Args:
            invoke: Runs one command line.
            run: Runs one command line in another process and returns its exit code.

        Returns:
            The table of scores and the path of the page, as text.

        Raises:
            UsageError: When the folder holds other files.
            DataError: When a step fails, or the pairs that equal SimCLR are not refused.
        """
        lines, steps = self.lines, Steps(invoke, run)
        self.start("1. Simulated B-scans as real DICOM files, with faults planted; the scan finds them", self.script())
        steps.do(lines.demo_data())
        steps.do(lines.scan())
        self.say(f"2. A rule that is the scanner: {SCANNER_RULE}")
        self._pairs(steps, SCANNER_RULE)
        self.say(f"   A rule that sounds sensible and equals SimCLR: {REFUSED}")
        self._refuse(invoke)
        self.say(f"   The rule of this demonstration: {RULE}")
        self._pairs(steps, RULE)
        self.decode(lines.samples)
        self.say(f"3. {len(ARMS)} arms, {plural(self.seeds, 'seed')}, {self.processes} processes of one thread")
        self.train(self.jobs(), run)
        self.say("4. Scores")
        scores = Scores.read(lines, self.all_seeds)
        return f"{self.results(scores)}\n\npage: {self._page(scores)}\ncommand lines: {self.commands}"

    def jobs(self) -> list[Job]:
        """Trainings and probes of every arm and seed, and the fine-tuning, which takes longest and so begins early."""
        jobs = [self._job(arm.name, seed, "runs") for arm in ARMS for seed in self.all_seeds]
        tuning = Job("finetune", "fine-tuning and scratch", (tuple(self.lines.finetune()),), after=jobs[0].name)
        return [jobs[0], tuning, *jobs[1:]]

    def script(self) -> list[Sequence[str] | str]:
        """All command lines. Their run folders are other ones, so that typing them overwrites nothing."""
        steps: list[Sequence[str] | str] = [
            "What the demonstration ran, for typing by hand. Run folders are by-hand/… instead of runs/…;",
            "each gives the same row of the table.",
            self.lines.demo_data(),
            self.lines.scan(),
            self.lines.pairs(SCANNER_RULE),
            "refused",
            self.lines.pairs(REFUSED),
            self.lines.pairs(RULE),
        ]
        for arm in ARMS:
            for seed in self.all_seeds:
                steps += [f"{arm.about}, seed {seed}", *self._job(arm.name, seed, "by-hand").lines]
        return [*steps, "fine-tuning, beside the frozen probe and scratch", self.lines.finetune("by-hand")]

    def results(self, scores: Scores) -> str:
        """The title, the table, and whether the claimed order holds."""
        headings, lines = scores.table()
        broken = scores.broken()
        verdict = "holds here" if not broken else f"does not hold here: {'; '.join(broken)}"
        return "\n".join(
            [
                TITLE,
                f"Balanced accuracy on {scores.test} held-out patients (chance 0.333), linear probe of the frozen "
                f"encoder, mean over {self.lines.draws} draws of labelled patients and {plural(self.seeds, 'seed')}:",
                "",
                table(headings, lines),
                "",
                f"Order that the data was made for, on the label with {scores.patients[1]} labelled patients: {CLAIM}; "
                f"it {verdict}.",
                "",
                "Does pre-training help? The rule's first training, fine-tuned, beside scratch; one draw of patients:",
                "",
                table(*scores.tuned_table()),
            ]
        )

    def _job(self, name: str, seed: int, folder: str) -> Job:
        arm = next(arm for arm in ARMS if arm.name == name)
        run = self.lines.out / folder / f"{name}-{seed}"
        lines = [self.lines.pretrain(arm, seed, run), *self.lines.probes(arm, seed, run)]
        return Job(f"{name}-{seed}", f"{arm.about}, seed {seed}", tuple(map(tuple, lines)))

    def _pairs(self, steps: Steps, rule: str) -> None:
        shown = [line for line in steps.output(self.lines.pairs(rule)).splitlines() if line.strip().startswith(_SHOWN)]
        print("\n".join(shown))

    def _refuse(self, invoke: Invoke) -> None:
        words = self.lines.pairs(REFUSED)
        note(f"$ {typed(words)}")
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                invoke(words)
        except DataError as error:
            print(f"refused: {error.message}")
            return
        raise DataError(f"the pairs of {REFUSED} were not refused", "this is a fault of the demonstration's data")

    def _page(self, scores: Scores) -> Path:
        from ssl_domains.cli.work.demo.medical.page import write_page

        return write_page(self.lines, self.domain, scores, TITLE)
