"""What came of one damaged input, and whether that is a fault."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Outcome", "Step", "judge"]

_TRACEBACK = re.compile(r"^(Traceback \(most recent call last\)|bug: )", re.MULTILINE)
_MEMORY = re.compile(r"MemoryError|asks for more memory than there is|can't allocate memory|Unable to allocate")
_TIME = {signal.SIGXCPU: "20 s of processor time", signal.SIGALRM: "120 s"}


@dataclass(frozen=True)
class Step:
    """One command line that ended.

    Attributes:
        words: The command line.
        code: Its exit code.
        allowed: Exit codes that are no fault.
        missing: Undamaged neighbours that it did not read, though it ended with 0.
    """

    words: str
    code: int
    allowed: tuple[int, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of one input.

    Attributes:
        kind: Name of the kind.
        seed: Seed of the mutation; −1 for an input that was left as it is.
        case: The valid input.
        damage: File and mutations.
        commands: Command lines that ran.
        codes: Their exit codes.
        fault: What is wrong, with the last line of the command; empty when nothing is.
        seconds: Processor time.
    """

    kind: str
    seed: int
    case: str
    damage: str
    commands: tuple[str, ...]
    codes: tuple[int, ...]
    fault: str
    seconds: float

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Outcome:
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(line)
        return cls(**{**values, "commands": tuple(values["commands"]), "codes": tuple(values["codes"])})


def judge(status: int, steps: Sequence[Step], started: str, text: str) -> str:
    """The fault of one input; empty for none.

    Args:
        status: Exit status of its process, as `os.waitpid` gives it.
        steps: The command lines that ended.
        started: The command line that was running when the process ended; empty when all had ended.
        text: Output of all command lines, both streams.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("error: ", "bug: "))] or lines
    last = errors[-1] if errors else "no output"
    if os.WIFSIGNALED(status):
        number = signal.Signals(os.WTERMSIG(status))
        if number in _TIME:
            return f"time-out: more than {_TIME[number]} [{started}]"
        return f"killed by {number.name} [{started}]"
    for step in steps:
        if step.code == 1:
            return f"exit 1: {last} [{step.words}]"
    if _TRACEBACK.search(text):
        return f"traceback: {last} [{steps[-1].words if steps else started}]"
    for step in steps:
        if step.code == 5 and 5 not in step.allowed:
            return f"over memory: exit 5: {last} [{step.words}]"
    memory = next((line for line in lines if _MEMORY.search(line)), None)
    if memory is not None and not any(5 in step.allowed for step in steps):
        return f"over memory: {memory.strip()} [{steps[-1].words if steps else started}]"
    for step in steps:
        if step.code not in step.allowed:
            return f"exit {step.code}, allowed {' '.join(map(str, step.allowed))}: {last} [{step.words}]"
        if step.missing:
            return f"not read: {', '.join(step.missing)} [{step.words}]"
    return f"ended without an exit code: {last} [{started}]" if started else ""
