"""The base of the demonstrations: a folder, its command lines, and trainings side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.command_line import typed
from ssl_domains.cli.console import note
from ssl_domains.cli.work.demo.folder import COMMANDS, make_room
from ssl_domains.cli.work.demo.lines import DemoLines
from ssl_domains.cli.work.demo.workers import ExitCode, Job, run_jobs
from ssl_domains.extending import Domain

__all__ = ["Demonstration"]


@dataclass(frozen=True)
class Demonstration:
    """A demonstration in a folder.

    Attributes:
        WRITTEN: Names of the files and folders that it writes, beside the list of its command lines.
        lines: Its command lines; their ``out`` is the folder.
        domain: The domain.
        processes: Number of processes that train side by side.
    """

    WRITTEN: ClassVar[tuple[str, ...]]
    lines: DemoLines
    domain: Domain
    processes: int = 2

    def start(self, title: str, steps: Sequence[Sequence[str] | str]) -> None:
        """Make the folder, or remove what an earlier demonstration wrote, and say what the first step is.

        Args:
            title: What the first step is.
            steps: Command lines that are known by now, see `write_commands`; their file marks the folder.

        Raises:
            UsageError: When the folder holds other files.
        """
        make_room(self.lines.out, self.WRITTEN)
        self.write_commands(steps)
        self.say(title)

    def say(self, text: str) -> None:
        """Say what the next steps do."""
        note(f"\n{text}")

    @property
    def commands(self) -> Path:
        """The file of the command lines."""
        return self.lines.out / COMMANDS

    def write_commands(self, steps: Sequence[Sequence[str] | str]) -> None:
        """Write the command lines for typing by hand.

        Args:
            steps: Words of each, or a remark as text.
        """
        lines = [f"# {step}" if isinstance(step, str) else typed(step) for step in steps]
        self.commands.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def train(self, jobs: Sequence[Job], run: ExitCode) -> None:
        """Run jobs side by side, and say after each that it is done.

        Raises:
            DataError: When a command line fails.
        """
        logs = self.lines.out / "logs"
        run_jobs(jobs, logs, self.processes, run, lambda n, job: note(f"[{n}/{len(jobs)}] {job.about}"))

    def decode(self, *tables: Path) -> None:
        """Fill the stores of arrays and masks of tables once, before several processes read them."""
        from ssl_domains.cli.work.tables import fill_masks, fill_store, open_table
        from ssl_domains.stores import default_store, names_masks

        for path in tables:
            table = open_table(self.domain, path)
            fill_store(self.domain, table, default_store(path))
            if names_masks(table):
                fill_masks(self.domain, table, path)
