"""The files of a folder that are volumes, by their names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from ssl_domains.samples import Problems, walk

__all__ = ["SUFFIXES", "volume_files"]

SUFFIXES = (".sgy", ".segy", ".seg")
_LABELS = re.compile(r"(^|[_-])(labels?|masks?)$")


def volume_files(source: Path, labels: set[Path], problems: Problems, notes: list[str]) -> list[Path]:
    """The files that are volumes, in a fixed order; the others are counted in a note."""
    found: list[Path] = []
    other: Counter[str] = Counter()
    for path in walk(source, problems):
        if path in labels:
            continue
        suffix = path.suffix.lower()
        if suffix in SUFFIXES or path == source:
            found.append(path)
        elif suffix == ".npy":
            other["label volumes (.npy; --labels FILE uses one)"] += _is_labels(path)
            found += [] if _is_labels(path) else [path]
        else:
            other[suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else "of another kind"] += 1
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(other.items()) if count)
    if kinds:
        notes.append(f"passed over as no SEG-Y file or .npy volume: {kinds}")
    return found


def _is_labels(path: Path) -> bool:
    """Whether a name ends in ``labels`` or ``masks`` and a file of the same name without that word is beside it."""
    word = _LABELS.search(path.stem.lower())
    if word is None:
        return False
    stem = path.stem[: word.start()]
    return any(path.with_name(f"{name}.npy").is_file() for name in (stem, f"{stem}_seismic") if name)
