"""List the files of a folder, and say which folders could not be listed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ssl_domains.samples.scanning.guard import SPECIAL, is_special
from ssl_domains.samples.scanning.problems import Problems
from ssl_domains.samples.scanning.results import is_result
from ssl_domains.samples.tables.metadata import is_sidecar

__all__ = ["walk"]


def walk(source: str | Path, problems: Problems, skip: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Yield every file below a folder, in the order of the names at each level; a file as source yields itself.

    Names that begin with a dot are passed over, folders too, and sidecars of tables. So are folders that ssl-domains
    itself wrote (`is_result`), unless one of them is the source. A folder that can't be listed, a link to a folder
    (which is not followed), a pipe, socket or device (which is not opened) and a name that is not UTF-8 become
    problems.

    Args:
        source: Folder or file.
        problems: Takes what can't be listed.
        skip: Folders for which it is true are not entered; without it, all are.
    """
    source = Path(source)
    if source.is_file():
        yield source
        return
    if is_special(source):
        problems.add(source, SPECIAL)
        return
    yield from _walk(source, problems, skip)


def _walk(top: Path, problems: Problems, skip: Callable[[Path], bool] | None) -> Iterator[Path]:
    # A list of the folders that are open, and no function that calls itself: folders may be a thousand deep.
    opened = [(top, iter(_entries(top, problems)))]
    while opened:
        folder, entries = opened[-1]
        entry = next(entries, None)
        if entry is None:
            opened.pop()
            continue
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        try:
            entry.name.encode("utf-8")
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except UnicodeEncodeError:
            problems.add(path, "its name is not UTF-8 text: rename it")
            continue
        except OSError as error:
            problems.add(path, f"it can't be looked at: {error.strerror}")
            continue
        if is_folder and entry.is_symlink():
            problems.add(path, "a link to a folder, which is not followed: scan that folder itself")
        elif is_folder:
            if not is_result(path) and (skip is None or not skip(path)):
                opened.append((path, iter(_entries(path, problems))))
        elif is_file:
            if not is_sidecar(path):
                yield path
        elif is_special(path):
            problems.add(path, SPECIAL)
        elif entry.is_symlink():
            problems.add(path, "a link to a file that is not there")


def _entries(folder: Path, problems: Problems) -> list[os.DirEntry[str]]:
    """What is in a folder, in the order of the names; nothing, and a problem, when it can't be listed."""
    try:
        with os.scandir(folder) as listed:
            return sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        problems.add(folder, f"the folder can't be listed: {error.strerror}")
        return []
