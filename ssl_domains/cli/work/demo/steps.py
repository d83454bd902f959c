"""The steps of a demonstration: each command line is printed, run, and its output repeated as far as it matters."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ssl_domains.cli.command_line import typed
from ssl_domains.cli.console import note
from ssl_domains.cli.work.demo.workers import ExitCode
from ssl_domains.errors import DataError

__all__ = ["Invoke", "Steps"]

Invoke = Callable[[Sequence[str]], None]
"""Runs one command line of ``ssl-domains`` in this process."""

_FOUND = 4
"""Exit code of a check that found something."""


@dataclass(frozen=True)
class Steps:
    """Runs command lines and says which.

    Attributes:
        invoke: Runs one command line in this process.
        run: Runs one command line, also in other processes, and returns its exit code.
    """

    invoke: Invoke
    run: ExitCode

    def do(self, words: Sequence[str]) -> None:
        """Run a command line; all that it prints is shown."""
        note(f"$ {typed(words)}")
        self.invoke(words)

    def show(self, words: Sequence[str], starts: tuple[str, ...] = ("",)) -> None:
        """Run a command line and repeat the lines of its output that begin with one of ``starts``."""
        print("\n".join(line for line in self.output(words).splitlines() if line.startswith(starts)))

    def output(self, words: Sequence[str]) -> str:
        """Run a command line and return what it prints on standard output."""
        note(f"$ {typed(words)}")
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            self.invoke(words)
        return text.getvalue()

    def refused(self, words: Sequence[str], starts: tuple[str, ...] = ()) -> None:
        """Run a check that has to find something, and repeat the lines that begin with one of ``starts``.

        Raises:
            DataError: When the check doesn't end with the exit code 4.
        """
        note(f"$ {typed(words)}")
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            code = self.run(words)
        if code != _FOUND:
            raise DataError(f"the split was not refused (exit code {code})", "this is a fault of the demonstration")
        shown = [line for line in text.getvalue().splitlines() if line.startswith(starts)] if starts else []
        print("\n".join([*shown, f"exit code {code}"]))

    def answer(self, words: Sequence[str]) -> str:
        """Run a command line without a word, and return what it prints on standard output."""
        text = io.StringIO()
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
            self.run(words)
        return text.getvalue()
