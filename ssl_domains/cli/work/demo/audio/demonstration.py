"""The audio demonstration: find planted faults, show and play pairs, train six arms, and say what each keeps."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ssl_domains.cli.command_line import typed
from ssl_domains.cli.console import note, table
from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.audio.lines import ARMS, FLOORS_BY, RULE, AudioLines
from ssl_domains.cli.work.demo.audio.scores import AudioScores
from ssl_domains.cli.work.demo.folder import COMMANDS, make_room
from ssl_domains.cli.work.demo.workers import ExitCode, Job, run_jobs
from ssl_domains.errors import DataError
from ssl_domains.extending import Domain

__all__ = ["AudioDemonstration", "near_copies"]

Invoke = Callable[[Sequence[str]], None]
"""Runs one command line of ``ssl-domains`` in this process."""

TITLE = "A demonstration, not evidence: one seed of simulated data."

_WRITTEN = (
    *("data", "scanned.parquet", "scanned.parquet.json", "scanned.problems.csv", "samples.parquet", "samples.store"),
    *("samples.parquet.json", "unseen.parquet", "unseen.parquet.json", "unseen.store", "pairs.html", "runs", "logs"),
)
_SCANNED = ("note: mixed", "note: stereo", "note: 4 samples", "in the table", "left out", "    ")
_AUDITED = ("leak", "good")
_PAIRS = ("relation", "  anchors", "  nuisance", "ignored")
"""Starts of the lines of a report that are repeated; the others are there for the one who types it."""

_FOUND = 4


@dataclass(frozen=True)
class AudioDemonstration:
    """The demonstration in a folder.

    Attributes:
        lines: Its command lines; their ``out`` is the folder.
        domain: The audio domain.
        processes: Number of processes that train side by side.
    """

    lines: AudioLines
    domain: Domain
    processes: int = 2

    def play(self, invoke: Invoke, run: ExitCode) -> str:
        """Run the whole demonstration; every step is a command line that a user can type.

        Args:
            invoke: Runs one command line.
            run: Runs one command line, also in other processes, and returns its exit code.

        Returns:
            The table of scores, and the page of pairs, as text.

        Raises:
            UsageError: When the folder holds other files.
            DataError: When a step fails, or the audit doesn't find the near copies.
        """
        out, lines = self.lines.out, self.lines
        make_room(out, _WRITTEN)
        note("\n1. Words of 12 simulated speakers in three sessions each, and a few faults")
        note(f"$ {typed(lines.demo_data())}")
        invoke(lines.demo_data())
        self._shown(invoke, lines.scan(), _SCANNED)
        note("\n2. The split holds speakers out; the audit looks for copies all the same")
        twin, speaker, copies = self._audited(run)
        note(f"   {copies} clips of {twin} (test) are near copies of clips of {speaker} (train): one speaker, two ids")
        words = self.script_lines(twin)
        (out / COMMANDS).write_text("\n".join(map(typed, words)) + "\n", encoding="utf-8")
        for step in (lines.clean(twin), lines.unseen_speakers()):
            self._shown(invoke, step, ("",))
        note(f"\n3. Pairs to look at and listen to: {RULE}")
        self._shown(invoke, lines.pairs(), _PAIRS)
        jobs = self.jobs()
        note(f"\n4. {len(ARMS)} arms and their probes, {self.processes} processes of one thread")
        for step in self.first():
            self._shown(invoke, step, ("run:",))
        run_jobs(jobs, out / "logs", self.processes, run, lambda n, job: note(f"[{n}/{len(jobs)}] {job.about}"))
        scores = AudioScores.read(lines)
        headings, rows = scores.table()
        return "\n".join(
            [
                f"{TITLE}\n{AudioScores.CAPTION}\n\n{table(headings, rows)}\n",
                *scores.sentences,
                f"\npairs with players: {lines.page}",
                f"command lines: {out / COMMANDS}",
            ]
        )

    def first(self) -> list[list[str]]:
        """The steps that fill the array stores of both tables, which one process does for all others."""
        arm = next(arm for arm in ARMS if arm.name == FLOORS_BY)
        return [self.lines.pretrain(arm), self.lines.probes(arm)[-1]]

    def jobs(self) -> list[Job]:
        """Training and probes of each arm, but for the steps that come first."""
        done = self.first()
        steps = {arm: [tuple(words) for words in self._of(arm) if words not in done] for arm in ARMS}
        return [Job(arm.name, arm.about, tuple(steps[arm])) for arm in ARMS]

    def _of(self, arm: Arm) -> list[list[str]]:
        return [self.lines.pretrain(arm), *self.lines.probes(arm)]

    def script_lines(self, twin: str) -> list[list[str]]:
        """All command lines; typed in an empty folder of the same name they give the same files.

        Args:
            twin: The second id of a speaker, which the audit found.
        """
        lines = self.lines
        steps = [lines.demo_data(), lines.scan(), lines.audit(), lines.clean(twin), lines.unseen_speakers()]
        return [*steps, lines.pairs(), *self.first(), *(list(words) for job in self.jobs() for words in job.lines)]

    def _audited(self, run: ExitCode) -> tuple[str, str, int]:
        """Run the audit, which has to fail; (second id, speaker, number of near copies)."""
        words = self.lines.audit()
        note(f"$ {typed(words)}")
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            code = run(words)
        if code != _FOUND:
            raise DataError(f"the split was not refused (exit code {code})", "this is a fault of the demonstration")
        print("\n".join(line for line in text.getvalue().splitlines() if line.startswith(_AUDITED)))
        text = io.StringIO()
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
            run(self.lines.audit(as_json=True))
        return near_copies(json.loads(text.getvalue()), self._speakers())

    def _speakers(self) -> dict[str, str]:
        from ssl_domains.samples import read_table

        frame = read_table(self.lines.scanned).frame.drop_nulls("speaker")
        return dict(frame.select("sample", "speaker").iter_rows())

    def _shown(self, invoke: Invoke, words: Sequence[str], starts: tuple[str, ...]) -> None:
        note(f"$ {typed(words)}")
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            invoke(words)
        print("\n".join(line for line in text.getvalue().splitlines() if line.startswith(starts)))


def near_copies(audit: Mapping[str, Any], speaker: Mapping[str, str]) -> tuple[str, str, int]:
    """(speaker of the copies in test, their speaker in training, number of copies) that an audit found.

    Args:
        audit: The document of ``splits audit --json``.
        speaker: Sample → speaker.

    Raises:
        DataError: When it found no near copies.
    """
    found = [one for one in audit["findings"] if one["check"] == "near" and one["leak"]]
    if not found:
        raise DataError("the audit found no near copies", "this is a fault of the demonstration")
    pairs = Counter((speaker[one["b"]], speaker[one["a"]]) for one in found[0]["examples"])
    (twin, original), _ = pairs.most_common(1)[0]
    return twin, original, int(found[0]["found"])
