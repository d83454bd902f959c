"""The files of ``--labels``: what kind of labels each holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ssl_domains.errors import UsageError
from ssl_domains.samples import Problems, ReadError, Unreadable, read_guarded, walk
from ssl_domains_seismic.labels import lines_in, read_number_table, stored_array

__all__ = ["Kind", "LabelFile", "find_label_files", "horizon_file"]

Kind = Literal["volume", "segy", "section", "polygons", "horizon"]

_SEGY = (".sgy", ".segy", ".seg")
_TEXT = (".csv", ".txt", ".dat", ".xyz", ".ascii", ".asc", ".hor", ".ijxyz")
_SEVERAL = "an .npz file holds several arrays: save the array of class numbers with numpy.save and give that file"


@dataclass(frozen=True)
class LabelFile:
    """One file.

    Attributes:
        path: The file.
        kind: What it holds: a ``"volume"`` (``.npy`` of three axes) or ``"segy"`` volume of class numbers, a
            ``"section"`` whose name says its line, ``"polygons"`` (GeoJSON), or a ``"horizon"``.
        survey: Name of the survey that the user gave it to; None for the one that it fits.
    """

    path: Path
    kind: Kind
    survey: str | None = None


def find_label_files(given: Sequence[str], source: Path, problems: Problems, notes: list[str]) -> list[LabelFile]:
    """The label files that paths name; of a folder, all that it holds.

    Args:
        given: Files and folders; ``SURVEY=PATH`` says which survey a file belongs to.
        source: The folder or file that is scanned.
        problems: Takes files that can't be label files.
        notes: Takes what was passed over in folders.

    Raises:
        UsageError: When a path does not exist, or a folder holds the surveys too.
    """
    found: dict[Path, LabelFile] = {}
    passed: Counter[str] = Counter()
    for text in given:
        survey, path = _named(text)
        if not path.exists():
            raise UsageError(f"--labels: there is no {str(path)!r}", "give a file or a folder, as seen from here")
        if path.is_dir() and source.is_relative_to(path):
            raise UsageError(
                f"--labels {str(path)!r} is a folder that holds the surveys too",
                "give the label files one by one, or a folder of their own",
            )
        for file in walk(path, problems):
            kind = read_guarded(lambda file=file: _kind(file), file)  # type: ignore[misc]
            if isinstance(kind, Unreadable):
                problems.add(file, kind.cause)
            elif kind == "horizon" and file != path and not _holds_numbers(file):
                passed[f"{file.suffix.lower()} without a table of numbers"] += 1
            elif kind is not None:
                found[file] = LabelFile(file, kind, survey)
            elif file == path:
                problems.add(file, "it is no label file: those are .npy, SEG-Y, .png, .csv, .geojson and horizon text")
            else:
                passed[file.suffix.lower() or "without a suffix"] += 1
    if passed:
        kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(passed.items()))
        notes.append(f"passed over as no label files: {kinds}")
    return list(found.values())


def horizon_file(text: str) -> LabelFile:
    """The file of ``--horizon``.

    Raises:
        UsageError: When it does not exist.
    """
    survey, path = _named(text)
    if not path.is_file():
        raise UsageError(f"--horizon: there is no file {str(path)!r}", "give a text file of picks, as seen from here")
    return LabelFile(path, "horizon", survey)


def _named(text: str) -> tuple[str | None, Path]:
    """``SURVEY=PATH`` or ``PATH``."""
    name, equals, rest = text.partition("=")
    if equals and rest and not Path(text).exists():
        return name, Path(rest).resolve()
    return None, Path(text).resolve()


def _kind(path: Path) -> Kind | None:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        raise ReadError(_SEVERAL)
    if suffix == ".npy":
        return "volume" if stored_array(path).ndim == 3 else "section"
    if suffix in _SEGY:
        return "segy"
    if suffix == ".png":
        return "section"
    if suffix == ".geojson" or (suffix == ".json" and _says_geojson(path)):
        return "polygons"
    if suffix in _TEXT:
        return "section" if lines_in(path.name) else "horizon"
    return None


def _holds_numbers(path: Path) -> bool:
    return not isinstance(read_guarded(lambda: read_number_table(path), path), Unreadable)


def _says_geojson(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(4096).decode("utf-8", "replace")
    return re.search(r'"type"\s*:\s*"Feature(Collection)?"', head) is not None
