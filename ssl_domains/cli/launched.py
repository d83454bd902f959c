"""A command line that ``torchrun`` started in several processes: the first one prints, all end with one exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.failures import INTERRUPTED, guarded
from ssl_domains.errors import SslDomainsError, UsageError

if TYPE_CHECKING:
    from ssl_domains.engine.processes.distributed import World

__all__ = ["among_processes", "launched"]

_COMMANDS = ("pretrain", "finetune")


def launched() -> bool:
    """Whether ``torchrun`` started several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def among_processes(act: Callable[[], Any], words: list[str], debug: Callable[[], bool]) -> int:
    """Run a command line as one of several processes and return its exit code.

    Only the first process prints; another process prints only its error when it fails alone. After a shared failure,
    processes end when the first one has printed the error, because ``torchrun`` kills all others once one has ended.

    Args:
        act: Runs the command line.
        words: The command line.
        debug: Whether tracebacks are shown.
    """
    from ssl_domains.engine.processes.distributed import processes

    with contextlib.ExitStack() as stack:
        joined: list[World] = []
        code = guarded(lambda: joined.append(stack.enter_context(processes())), debug)
        if not joined:
            return code
        world = joined[0]
        code = (
            guarded(lambda: _act(act, words, world), debug, words)
            if world.first
            else _quietly(act, words, world, debug)
        )
        if code and not world.agreed:
            # The others wait for this process in a training step; leaving the process group would wait for them.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        if code:
            world.wait()
        return code


def _act(act: Callable[[], Any], words: list[str], world: World) -> Any:
    try:
        if not set(_COMMANDS).intersection(words):
            cause = f"only {' and '.join(_COMMANDS)} run in several processes"
            raise UsageError(cause, "start this command without torchrun")
        return act()
    except BaseException as error:
        world.send_error(error)
        raise


def _quietly(act: Callable[[], Any], words: list[str], world: World, debug: Callable[[], bool]) -> int:
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            code = _act(act, words, world)
        return code if isinstance(code, int) else 0
    except BaseException as error:
        if world.agreed:
            return INTERRUPTED if isinstance(error, KeyboardInterrupt) else int(getattr(error, "exit_code", 1))
        failure = error
        if isinstance(error, SslDomainsError):
            failure = type(error)(f"process {world.rank}: {error.message}", error.hint)
            failure.__cause__ = error

    def fail() -> None:
        raise failure

    return guarded(fail, debug)
