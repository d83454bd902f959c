"""Names of files that were passed over, so short that they fit a note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ssl_domains_fisheye.annotations.foreign import foreign_formats

__all__ = ["summary"]

_FEW = 4


def summary(files: Sequence[Path], base: Path) -> list[str]:
    """Notes on text, XML and JSON files in which no annotation of a picture was found; none when there are none.

    Boxes of a format that is not read are named as such; everything else is no annotation.

    Example:
        >>> summary([Path("d/README.txt"), Path("d/poses.txt")], Path("d"))
        ['passed over, as they are no annotations: README.txt, poses.txt']
    """
    files, notes = foreign_formats(files)
    if not files:
        return notes
    folders = Counter(file.parent for file in files)
    parts = [file.name for file in files if folders[file.parent] <= _FEW]
    many = [f"{n} files in {folder.relative_to(base).as_posix()}" for folder, n in folders.items() if n > _FEW]
    parts = [*parts, *many]
    more = [f"and {len(parts) - 2 * _FEW} more"] if len(parts) > 2 * _FEW else []
    return [*notes, f"passed over, as they are no annotations: {', '.join([*parts[: 2 * _FEW], *more])}"]
