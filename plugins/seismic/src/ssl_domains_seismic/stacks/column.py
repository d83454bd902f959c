"""The column ``stacks`` of a sample table: the further files of a survey, found from its first file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from ssl_domains.samples import ReadError

__all__ = ["COLUMN", "other_stacks", "stacks_text"]

COLUMN = "stacks"


def stacks_text(first: Path, others: Sequence[tuple[Path, str | None]]) -> str | None:
    """The column's value: JSON of the files, each as seen from the folder of the first, with the name of its index.

    Args:
        first: The first stack, which the column ``path`` names.
        others: The further stacks, each with the file of its index, which lies beside that of the first.
    """
    if not others:
        return None
    written = [
        [Path(os.path.relpath(path, first.parent)).as_posix(), None if index is None else Path(index).name]
        for path, index in others
    ]
    return json.dumps(written, ensure_ascii=False)


def other_stacks(first: str, text: object, index: str | None) -> list[tuple[str, str | None]]:
    """The further stacks of a row, each with the file of its index.

    Args:
        first: The first stack.
        text: Value of the column ``stacks``; None for a survey of one stack.
        index: The index of the first stack; that of the others lies in its folder.

    Raises:
        ReadError: When the value is none that a scan writes.
    """
    if text is None:
        return []
    folder = Path(first).parent
    try:
        pairs = [(str(path), name) for path, name in json.loads(str(text))]
    except (ValueError, TypeError) as error:
        raise ReadError("the column 'stacks' does not name the files of the stacks") from error
    return [
        (os.path.normpath(folder / path), None if name is None or index is None else str(Path(index).with_name(name)))
        for path, name in pairs
    ]
