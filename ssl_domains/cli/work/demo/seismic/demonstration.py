"""The seismic demonstration: find planted faults, judge pairs, train four arms, and write predictions back as SEG-Y."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ssl_domains.cli.command_line import typed
from ssl_domains.cli.console import note, table
from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.folder import COMMANDS, make_room
from ssl_domains.cli.work.demo.seismic.lines import ARMS, DISGUISE, PICTURED, RULE, TUNED, SeismicLines
from ssl_domains.cli.work.demo.seismic.scores import SeismicScores, trained_lines
from ssl_domains.cli.work.demo.workers import ExitCode, Job, run_jobs
from ssl_domains.errors import DataError
from ssl_domains.extending import Domain

__all__ = ["SeismicDemonstration"]

Invoke = Callable[[Sequence[str]], None]
"""Runs one command line of ``ssl-domains`` in this process."""

TITLE = "A demonstration, not evidence: one seed, one held-out block of simulated data."

_WRITTEN = (
    *("data", "scanned.parquet", "samples.parquet", "crossed.parquet", "twins.parquet", "scanned.labels"),
    *("scanned.masks", "samples.store", "samples.masks", "map.svg", "pairs.html", "slice.html", "runs", "tuned"),
    *("predicted", "logs"),
)
_HEADER = ("format", "lines", "grid", "vertical", "bins")
_LEFT_OUT = ("left out", "nothing", "files", "─", "    ")
_PAIRS = ("relation", "  anchors", "  voxels", "  nuisance depth", "  nuisance amplitude")
"""Starts of the lines of a report that are repeated; the others are there for the one who types it."""


@dataclass(frozen=True)
class SeismicDemonstration:
    """The demonstration in a folder.

    Attributes:
        lines: Its command lines; their ``out`` is the folder.
        domain: The seismic domain.
        processes: Number of processes that train side by side.
    """

    lines: SeismicLines
    domain: Domain
    processes: int = 2

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
        out, lines = self.lines.out, self.lines
        make_room(out, _WRITTEN)
        (out / COMMANDS).write_text(self.script(), encoding="utf-8")
        note("\n1. A simulated survey whose line numbers stand at unusual bytes, and five twins with one fault each")
        self._run(invoke, lines.demo_data())
        self._shown(invoke, lines.header(lines.survey), _HEADER)
        self._shown(invoke, lines.scan_twins(), _LEFT_OUT)
        self._shown(invoke, lines.scan(), _LEFT_OUT)
        self._run(invoke, lines.split())
        note("\n2. A split of inlines and crosslines that cross each other: refused")
        self._quiet(invoke, lines.scan_crossed())
        self._refused(run, lines.audit())
        note(f"\n3. A rule that is the depth: {DISGUISE}")
        self._shown(invoke, lines.pairs(DISGUISE), _PAIRS)
        note(f"\n   The rule of this demonstration: {RULE}")
        self._shown(invoke, lines.pairs(RULE), _PAIRS)
        jobs = self.jobs()
        note(f"\n4. {len(ARMS)} trainings, their probes and fine-tunings, {self.processes} processes of one thread")
        run_jobs(jobs, out / "logs", self.processes, run, lambda n, job: note(f"[{n}/{len(jobs)}] {job.about}"))
        note("\n5. The survey as one interpreted line tells it, and the picture")
        words = lines.slice_page(trained_lines(lines))
        with (out / COMMANDS).open("a", encoding="utf-8") as file:
            file.write(typed(words) + "\n")
        self._run(invoke, words)
        headings, rows = SeismicScores.read(lines).table()
        scores = f"{TITLE}\n{SeismicScores.CAPTION}\n\n{table(headings, rows)}"
        note(f"\n{scores}\n\npage: {lines.page}\ncommand lines: {out / COMMANDS}\n")
        return self._said(invoke, lines.same_headers(PICTURED[-1]))

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

    def script(self) -> str:
        """All command lines as text; typed in an empty folder of the same name they give the same files."""
        lines = self.lines
        steps = [
            lines.demo_data(), lines.header(lines.survey), lines.scan_twins(), lines.scan(), lines.split(),
            lines.scan_crossed(), lines.audit(), lines.pairs(DISGUISE), lines.pairs(RULE),
            *(list(words) for job in self.jobs() for words in job.lines),
            lines.same_headers(PICTURED[-1]),
        ]  # fmt: skip
        return "\n".join(map(typed, steps)) + "\n"

    def _run(self, invoke: Invoke, words: Sequence[str]) -> None:
        note(f"$ {typed(words)}")
        invoke(words)

    def _quiet(self, invoke: Invoke, words: Sequence[str]) -> None:
        note(f"$ {typed(words)}")
        self._captured(invoke, words)

    def _shown(self, invoke: Invoke, words: Sequence[str], starts: tuple[str, ...]) -> None:
        note(f"$ {typed(words)}")
        text = self._captured(invoke, words)
        print("\n".join(line for line in text.splitlines() if line.startswith(starts)))

    def _said(self, invoke: Invoke, words: Sequence[str]) -> str:
        note(f"$ {typed(words)}")
        return self._captured(invoke, words).strip()

    def _captured(self, invoke: Invoke, words: Sequence[str]) -> str:
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            invoke(words)
        return text.getvalue()

    def _refused(self, run: ExitCode, words: Sequence[str]) -> None:
        """Run a command line that has to fail with the exit code of a check that found something."""
        note(f"$ {typed(words)}")
        code = run(words)
        if code != _FOUND:
            raise DataError(f"the split was not refused (exit code {code})", "this is a fault of the demonstration")
        print(f"exit code {code}")


_FOUND = 4
