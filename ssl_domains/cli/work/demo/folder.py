"""The folder of a demonstration: made when it is missing, emptied when an earlier demonstration left it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ssl_domains.errors import UsageError

__all__ = ["COMMANDS", "make_room"]

COMMANDS = "commands.txt"
"""File with the command lines; it marks a folder as that of a demonstration."""


def make_room(out: Path, written: Sequence[str]) -> None:
    """Make the folder, and remove what an earlier demonstration wrote into it.

    Args:
        out: The folder.
        written: Names of files and folders that a demonstration writes; nothing else is removed.

    Raises:
        UsageError: When the folder holds files and no demonstration, or ``out`` is a file.
    """
    from ssl_domains.samples import require_folder

    require_folder(out)
    if out.is_dir() and any(out.iterdir()):
        if not (out / COMMANDS).is_file():
            raise UsageError(f"{out} is not empty and holds no demonstration", "give --out another folder")
        for name in written:
            path = out / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
