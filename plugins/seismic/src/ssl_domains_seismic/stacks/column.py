"""The column ``stacks`` of a sample table: the further files of a survey, found from its first file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ssl_domains.samples import ReadError

__all__ = ["COLUMN", "OtherStack", "other_stacks", "stacks_text"]

COLUMN = "stacks"


@dataclass(frozen=True)
class OtherStack:
    """A stack of a survey behind its first one.

    Attributes:
        path: The file.
        index: File with its header words; None where none was written.
        copy: Place of its depth-major copy, which need not be there; None for samples that read none.
    """

    path: str
    index: str | None = None
    copy: str | None = None


def stacks_text(first: Path, others: Sequence[OtherStack]) -> str | None:
    """The column's value: JSON of the files, each as seen from the folder of the first, with its index and copy.

    Args:
        first: The first stack, which the column ``path`` names.
        others: The further stacks. Indices lie in the folder of the first one's index, and copies likewise, so only
            their names are written.
    """
    if not others:
        return None
    written = []
    for one in others:
        name = None if one.index is None else Path(one.index).name
        entry = [Path(os.path.relpath(one.path, first.parent)).as_posix(), name]
        written.append(entry if one.copy is None else [*entry, Path(one.copy).name])
    return json.dumps(written, ensure_ascii=False)


def other_stacks(first: str, text: object, index: str | None, copy: str | None = None) -> list[OtherStack]:
    """The further stacks of a row.

    Args:
        first: The first stack.
        text: Value of the column ``stacks``; None for a survey of one stack.
        index: The index of the first stack; that of the others lies in its folder.
        copy: The copy of the first stack, likewise.

    Raises:
        ReadError: When the value is none that a scan writes.
    """
    if text is None:
        return []
    folder = Path(first).parent
    try:
        entries = [(str(path), *map(_name, names)) for path, *names in json.loads(str(text))]
        found = [(path, index_name, *(rest or (None,))) for path, index_name, *rest in entries]
        return [
            OtherStack(os.path.normpath(folder / path), _beside(index, index_name), _beside(copy, copy_name))
            for path, index_name, copy_name in found
        ]
    except (ValueError, TypeError) as error:
        raise ReadError("the column 'stacks' does not name the files of the stacks") from error


def _name(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} is no name")
    return value


def _beside(file: str | None, name: str | None) -> str | None:
    """The file of a name in the folder of another one."""
    return None if name is None or file is None else str(Path(file).with_name(name))
