"""Columns from the names of folders, by an option such as ``--folders site/session``."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from ssl_domains.errors import UsageError

__all__ = ["folder_columns", "folder_note"]

_WORD = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = frozenset({"sample", "path", "array", "region", "split"})
_SHOWN = 3


def folder_columns(
    names: Sequence[str], levels: str | None, taken: Collection[str] = ()
) -> dict[str, list[str | None]]:
    """Columns from the folders of each file, such as site and session from ``north/night1/a.wav``.

    Args:
        names: Paths relative to the scanned folder, with ``/``.
        levels: Names of the columns from the top folder on, with ``/``; ``-`` passes a level over. None for none.
        taken: Further names that no column can have, as the reader gives them to columns of its own.

    Raises:
        UsageError: For a name that no column can have, or when no file lies so deep.
    """
    if levels is None:
        return {}
    words = [word.strip() for word in levels.split("/")]
    for word in words:
        if word != "-" and (not _WORD.fullmatch(word) or word in {*_TAKEN, *taken} or words.count(word) > 1):
            raise UsageError(f"--folders can't make a column {word!r}", "name the levels, as --folders site/session")
    folders = [name.split("/")[:-1] for name in names]
    deepest = max((len(one) for one in folders), default=0)
    if names and deepest < len(words):
        raise UsageError(
            f"--folders {levels} names {len(words)} levels, and the files lie {deepest} deep", "name fewer levels"
        )
    return {
        word: [one[level] if level < len(one) else None for one in folders]
        for level, word in enumerate(words)
        if word != "-"
    }


def folder_note(
    names: Sequence[str],
    levels: str | None,
    known: Collection[str],
    groups: Sequence[str] = ("site",),
    other: str = "label",
) -> str:
    """A note that offers ``--folders`` where files lie in several folders and no group is known; else empty.

    Args:
        names: Paths relative to the scanned folder, with ``/``.
        levels: The option, if it is given.
        known: Names of the columns that are known.
        groups: Names of the groups of the domain; the first is offered.
        other: Another column that is offered.
    """
    if levels is not None or {*groups} & {*known}:
        return ""
    tops = dict.fromkeys(name.split("/")[0] for name in names if "/" in name)
    if len(tops) < 2:
        return ""
    shown = ", ".join(list(tops)[:_SHOWN]) + (", …" if len(tops) > _SHOWN else "")
    return f"the files lie in {len(tops):,} folders ({shown}): --folders {groups[0]}, or {other}, makes them a column"
