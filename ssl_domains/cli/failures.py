"""Turn errors into one line, a hint, and an exit code."""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

import typer

from ssl_domains.cli import console
from ssl_domains.cli.command_line import typed
from ssl_domains.errors import SslDomainsError, UsageError, exhausted

__all__ = ["guarded"]

INTERRUPTED = 130

# How hints of other rooms write the command line that was typed, with --debug.
_AGAIN = "ssl-domains --debug …"


def guarded(act: Callable[[], Any], debug: Callable[[], bool], words: Sequence[str] = ()) -> int:
    """Run a command line and return its exit code. Tracebacks are printed only when ``debug()`` is true.

    Args:
        act: Runs the command line; may return an exit code.
        debug: Whether a traceback is wanted; called after the error.
        words: The command line, for hints that repeat it with ``--debug``.

    Exit codes: 0 success, 1 bug, 2 usage, 3 plugin, 4 data, 5 out of disk or memory, 130 interrupted, by Ctrl-C or
    SIGTERM.
    """
    try:
        with _sigterm_as_interrupt():
            code = act()
            sys.stdout.flush()  # so that a full disk is an error here, and not after the process has ended
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException as error:
        if debug():
            traceback.print_exc(file=sys.stderr)
        return _report(error, words)
    if code == INTERRUPTED:
        console.error("error", "interrupted", "run it again: it goes on where it stopped, a training with --resume")
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """A block in which SIGTERM, of a batch system or a container, is what Ctrl-C is: an orderly end."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _report(error: BaseException, words: Sequence[str]) -> int:
    if isinstance(error, SslDomainsError):
        console.error("error", error.message, error.hint.replace(_AGAIN, _with_debug(words)))
        return error.exit_code
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        name = str(error.filename or "")
        console.error("error", f"a path of {len(name):,} characters is too long: {name[:60]}…", "give a shorter one")
        return UsageError.exit_code
    if isinstance(error, typer.TyperException):  # typer's errors for a wrong command line
        return _usage(error)
    if isinstance(error, typer.Abort):
        console.error("error", "interrupted", "")
        return INTERRUPTED
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    known = exhausted(error)
    if known is not None:
        console.error("error", known.message, known.hint)
        return known.exit_code
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].name}, line {frames[-1].lineno} of {frames[-1].filename})" if frames else ""
    console.error("bug", f"{type(error).__name__}: {error}{place}", f"{_with_debug(words)} shows the traceback")
    return 1


def _with_debug(words: Sequence[str]) -> str:
    return typed(["--debug", *words]) if words else _AGAIN


def _usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message(), file=sys.stderr)
    else:
        hint = f"see {context.command_path} --help" if context is not None else ""
        console.error("error", error.format_message(), hint)
    return error.exit_code
