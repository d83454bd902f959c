"""The seismic demonstration: find planted faults, judge pairs, train four arms, and write predictions back as SEG-Y."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ssl_domains.cli.console import table
from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.demonstration import Demonstration
from ssl_domains.cli.work.demo.seismic.lines import ARMS, DISGUISE, PICTURED, RULE, TUNED, SeismicLines
from ssl_domains.cli.work.demo.seismic.scores import SeismicScores, trained_lines
from ssl_domains.cli.work.demo.steps import Invoke, Steps
from ssl_domains.cli.work.demo.workers import ExitCode, Job

__all__ = ["SeismicDemonstration"]

TITLE = "A demonstration, not evidence: one seed, one held-out block of simulated data."

_HEADER = ("format", "lines", "grid", "vertical", "bins")
_LEFT_OUT = ("left out", "nothing", "files", "─", "    ")
_PAIRS = ("relation", "  anchors", "  voxels", "  nuisance depth", "  nuisance amplitude")
"""Starts of the lines of a report that are repeated; the others are there for the one who types it."""


@dataclass(frozen=True)
class SeismicDemonstration(Demonstration):
    """The seismic demonstration in a folder."""

    WRITTEN: ClassVar[tuple[str, ...]] = (
        *("data", "scanned.parquet", "samples.parquet", "crossed.parquet", "twins.parquet", "scanned.labels"),
        *("scanned.masks", "samples.store", "samples.masks", "map.svg", "pairs.html", "slice.html", "runs", "tuned"),
        *("predicted", "logs"),
    )
    lines: SeismicLines

    def play(self, invoke: Invoke, run: ExitCode) -> str:
        """Run the whole demonstration; every step is a command line that a user can type.

        Args:
            invoke: Runs one command line.
            run: Runs one command line in another process and returns its exit code.

        Returns:
            The table of scores, the page and the last check, as text.

        Raises:
            UsageError: When the folder holds other files.
            DataError: When a step fails, or the split of crossing lines is not refused.
        """
        lines, steps = self.lines, Steps(invoke, run)
        title = "1. A simulated survey whose line numbers stand at unusual bytes, and five twins with one fault each"
        self.start(title, self.script())
        steps.do(lines.demo_data())
        steps.show(lines.header(lines.survey), _HEADER)
        steps.show(lines.scan_twins(), _LEFT_OUT)
        steps.show(lines.scan(), _LEFT_OUT)
        steps.do(lines.split())
        self.say("2. A split of inlines and crosslines that cross each other: refused")
        steps.output(lines.scan_crossed())
        steps.refused(lines.audit())
        self.say(f"3. A rule that is the depth: {DISGUISE}")
        steps.show(lines.pairs(DISGUISE), _PAIRS)
        self.say(f"   The rule of this demonstration: {RULE}")
        steps.show(lines.pairs(RULE), _PAIRS)
        self.say(f"4. {len(ARMS)} trainings, their probes and fine-tunings, {self.processes} processes of one thread")
        self.decode(lines.samples)
        self.train(self.jobs(), run)
        self.say("5. The survey as one interpreted line tells it, and the picture")
        drawn = lines.slice_page(trained_lines(lines))
        self.write_commands([*self.script(), drawn])
        steps.do(drawn)
        headings, rows = SeismicScores.read(lines).table()
        scores = f"{TITLE}\n{SeismicScores.CAPTION}\n\n{table(headings, rows)}"
        self.say(f"{scores}\n\npage: {lines.page}\ncommand lines: {self.commands}\n")
        return steps.output(lines.same_headers(PICTURED[-1])).strip()

    def jobs(self) -> list[Job]:
        """Training, probe and fine-tuning of each arm, and the predictions from one line."""
        return [self._job(arm) for arm in ARMS]

    def _job(self, arm: Arm) -> Job:
        lines = self.lines
        run = lines.run_folder(arm.name)
        words = [lines.pretrain(arm, run)]
        # A fine-tuning reports the frozen probe too; a probe alone has the floor.
        words.append(lines.finetune(run, lines.tuned_folder(arm.name)) if arm.name in TUNED else lines.probe(run))
        if arm.name in PICTURED:
            tuned = lines.tuned_folder(arm.name, one_line=True)
            words += [lines.finetune_one_line(run, tuned), lines.predict(tuned, lines.predictions(arm.name))]
        return Job(arm.name, arm.about, tuple(map(tuple, words)))

    def script(self) -> list[list[str]]:
        """All command lines; typed in an empty folder of the same name they give the same files."""
        lines = self.lines
        return [
            lines.demo_data(), lines.header(lines.survey), lines.scan_twins(), lines.scan(), lines.split(),
            lines.scan_crossed(), lines.audit(), lines.pairs(DISGUISE), lines.pairs(RULE),
            *(list(words) for job in self.jobs() for words in job.lines),
            lines.same_headers(PICTURED[-1]),
        ]  # fmt: skip
