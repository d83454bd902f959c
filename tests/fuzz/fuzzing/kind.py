"""A kind of input: how a valid one is made, what damages it, which command lines read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

__all__ = ["READ", "REFUSED", "Command", "Kind", "Mutation", "Plan"]

Mutation = Callable[[bytes, Random], bytes]
"""Damages the contents of one file; raises ValueError when these contents are not what it damages."""

READ = frozenset({0})
"""Exit codes of a command that goes on without the damaged file."""

REFUSED = frozenset({0, 2, 4})
"""Exit codes of a command that may refuse the damaged file, as it is all that the command was given."""


@dataclass(frozen=True)
class Command:
    """A command line, run in the folder of the input.

    Attributes:
        words: Its words; ``{base}`` stands for the folder of the runs and tables that all kinds share.
        codes: Exit codes that are no fault.
        lists: Parquet file that must hold the undamaged neighbours after exit 0: a sample table, or embeddings of its
            samples. Empty for none.
    """

    words: str
    codes: frozenset[int] = REFUSED
    lists: str = ""


@dataclass(frozen=True)
class Plan:
    """Command lines that are run one after the other while they exit with 0.

    Attributes:
        commands: The command lines.
        weight: How often the plan is drawn, relative to the others of its kind.
        case: The only valid input that it is for; empty for all.
    """

    commands: tuple[Command, ...]
    weight: float = 1.0
    case: str = ""


@dataclass(frozen=True)
class Kind:
    """A format that the command line reads.

    Attributes:
        name: Its name.
        make: Writes valid inputs below a folder, one sub-folder each, in which the commands are run; the second
            argument is the folder of the run and table that all kinds share.
        targets: Patterns of the files that are damaged, relative to an input.
        mutations: What damages them.
        plans: What reads them.
        neighbours: Patterns of files that must be read however the others are damaged.
        whole: Also remove files, exchange them, or put a folder in their place.
    """

    name: str
    make: Callable[[Path, Path], None]
    targets: tuple[str, ...]
    mutations: Sequence[Mutation]
    plans: tuple[Plan, ...]
    neighbours: tuple[str, ...] = ()
    whole: bool = False

    def target_files(self, folder: Path) -> list[Path]:
        """The files of an input that may be damaged, in the order of their names."""
        found = {path for pattern in self.targets for path in folder.glob(pattern) if path.is_file()}
        return sorted(found)
