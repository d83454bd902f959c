"""The audio demonstration: find planted faults, show and play pairs, train seven arms, and say what each keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ssl_domains.cli.console import table
from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.audio.lines import ARMS, LONGEST, RULE, AudioLines
from ssl_domains.cli.work.demo.audio.scores import AudioScores
from ssl_domains.cli.work.demo.audio.twin import Twin, find_twin
from ssl_domains.cli.work.demo.demonstration import Demonstration
from ssl_domains.cli.work.demo.steps import Invoke, Steps
from ssl_domains.cli.work.demo.workers import ExitCode, Job

__all__ = ["AudioDemonstration"]

TITLE = "A demonstration, not evidence: one seed of simulated data."

_TABLES = ("samples", "earlier", "known")
_SCANNED = ("note: mixed", "note: stereo", "note: 4 samples", "in the table", "left out", "    ")
_AUDITED = ("leak", "good")
_PAIRS = ("relation", "  anchors", "  nuisance", "ignored")
"""Starts of the lines of a report that are repeated; the others are there for the one who types it."""


@dataclass(frozen=True)
class AudioDemonstration(Demonstration):
    """The audio demonstration in a folder."""

    WRITTEN: ClassVar[tuple[str, ...]] = (
        "data",
        *(f"{name}.parquet{end}" for name in ("scanned", "united", *_TABLES) for end in ("", ".json")),
        *(f"{name}.store" for name in _TABLES),
        *("scanned.problems.csv", "pairs.html", "runs", "logs"),
    )
    lines: AudioLines

    def play(self, invoke: Invoke, run: ExitCode) -> str:
        """Run the whole demonstration; every step is a command line that a user can type.

        Args:
            invoke: Runs one command line.
            run: Runs one command line, also in other processes, and returns its exit code.

        Returns:
            The table of scores, and the pages, as text.

        Raises:
            UsageError: When the folder holds other files.
            DataError: When a step fails, or the audit doesn't find the near copies.
        """
        lines, steps = self.lines, Steps(invoke, run)
        self.start("1. Words of 12 simulated speakers in three sessions each, and a few faults", [lines.demo_data()])
        steps.show(lines.demo_data())
        steps.show(lines.scan(), _SCANNED)
        self.say("2. The split holds speakers out; the audit looks for copies all the same")
        steps.refused(lines.audit(lines.scanned), _AUDITED)
        twin = self._twin(steps)
        self.say(f"   {twin.sentence()}")
        self.write_commands(self.script(twin))
        steps.show(lines.unite(twin.ids))
        steps.show(lines.audit(lines.united), _AUDITED)
        for words in self._tables():
            steps.show(words)
        self.say(f"3. Pairs to look at and listen to: {RULE}")
        steps.show(lines.pairs(), _PAIRS)
        self.say(f"4. {len(ARMS)} arms and their probes, {self.processes} processes of one thread")
        self.decode(lines.samples, lines.earlier, lines.known)
        self.train(self.jobs(), run)
        scores = AudioScores.read(lines)
        headings, rows = scores.table()
        return "\n".join(
            [
                f"{TITLE}\n{AudioScores.CAPTION}\n\n{table(headings, rows)}\n",
                *scores.sentences,
                f"\npairs with players: {lines.page}",
                f"report with players: {lines.run_folder(RULE) / 'report.html'}",
                f"command lines: {self.commands}",
            ]
        )

    def jobs(self) -> list[Job]:
        """Training and probes of each arm; two networks take longest, and so begin first."""
        longest = sorted(ARMS, key=lambda arm: arm.name != LONGEST)
        return [Job(arm.name, arm.about, tuple(map(tuple, self._of(arm)))) for arm in longest]

    def _of(self, arm: Arm) -> list[list[str]]:
        report = [self.lines.report()] if arm.name == RULE else []
        return [self.lines.pretrain(arm), *self.lines.probes(arm), *report]

    def _tables(self) -> list[list[str]]:
        """The steps that make the tables of trainings and probes."""
        return [self.lines.clean(), self.lines.earlier_days(), *self.lines.known_speakers()]

    def script(self, twin: Twin) -> list[Sequence[str]]:
        """All command lines; typed in an empty folder of the same name they give the same files.

        Args:
            twin: The two ids of a speaker, which the audit found.
        """
        lines = self.lines
        return [
            *(lines.demo_data(), lines.scan(), lines.audit(lines.scanned), lines.unite(twin.ids)),
            *(lines.audit(lines.united), *self._tables(), lines.pairs()),
            *(words for job in self.jobs() for words in job.lines),
        ]

    def _twin(self, steps: Steps) -> Twin:
        """The two ids that the near copies show to be one speaker."""
        document = json.loads(steps.answer(self.lines.audit(self.lines.scanned, as_json=True)))
        return find_twin(document, self._rows())

    def _rows(self) -> Mapping[str, Mapping[str, str]]:
        from ssl_domains.samples import read_table

        frame = read_table(self.lines.scanned).frame.select("sample", "speaker", "session")
        return {row["sample"]: row for row in frame.iter_rows(named=True)}
