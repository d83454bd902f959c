"""Names of written files: those of the source files again, and never two alike."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath

__all__ = ["distinct_names", "mirrored_names"]


def mirrored_names(paths: Sequence[str], root: Path | None, suffix: str) -> list[str]:
    """For each sample a file name that follows the path of its source file: ``left/a.png`` for ``DATA/left/a.jpg``.

    Source files that differ only in their suffix keep it (``a.jpg.png``, ``a.tif.png``). Several samples of one file
    are numbered (``a-1.png``, ``a-2.png``).

    Args:
        paths: Source file of each sample.
        root: Folder that the names count from; None takes the folder that all files share.
        suffix: Suffix of the written files, such as ``".png"``.

    Returns:
        Names with ``/`` between folders, distinct also where file systems ignore case.
    """
    below = _below(paths, root)
    bare = {path: str(name.with_suffix("")) for path, name in below.items()}
    shared = Counter(_key(name) for name in bare.values())
    samples = Counter(paths)
    numbers: defaultdict[str, int] = defaultdict(int)
    names = []
    for path in paths:
        name = bare[path] if shared[_key(bare[path])] == 1 else str(below[path])
        if samples[path] > 1:
            numbers[path] += 1
            name = f"{name}-{numbers[path]}"
        names.append(name)
    return distinct_names(names, suffix)


def distinct_names(names: Sequence[str], suffix: str) -> list[str]:
    """The names with their suffix; one that is taken already gets a number: ``a.png``, ``a-2.png``.

    Names are alike when they differ in case or in the Unicode form of a letter only, as some file systems can't hold
    both. A name that is a folder of another name is taken, too.

    Example:
        >>> distinct_names(["a", "A", "b"], ".png")
        ['a.png', 'A-2.png', 'b.png']
    """
    taken = {_key(str(folder)) for name in names for folder in PurePosixPath(name).parents}
    made = []
    for name in names:
        candidate, number = f"{name}{suffix}", 1
        while _key(candidate) in taken:
            number += 1
            candidate = f"{name}-{number}{suffix}"
        taken.add(_key(candidate))
        made.append(candidate)
    return made


def _below(paths: Sequence[str], root: Path | None) -> dict[str, PurePosixPath]:
    """Each distinct path, counted from the root; of a file that lies elsewhere the name alone."""
    distinct = list(dict.fromkeys(paths))
    absolute = {path: Path(os.path.abspath(path)) for path in distinct}
    if root is None:
        try:
            root = Path(os.path.commonpath([file.parent for file in absolute.values()]))
        except ValueError:  # no path at all, or drives of Windows
            root = None
    # A scan may follow links of the root and write the paths of the files that they lead to.
    roots = [] if root is None else [Path(os.path.abspath(root)), root.resolve()]
    below = {}
    for path, file in absolute.items():
        base = next((base for base in roots if file.is_relative_to(base) and file != base), file.parent)
        below[path] = _posix(file.relative_to(base))
    return below


def _posix(path: PurePath) -> PurePosixPath:
    return PurePosixPath(path.as_posix())


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
