"""The recordings of a folder, by the first bytes of its files and their headers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ssl_domains.samples import Problems, each_file, walk
from ssl_domains_audio.files import SoundHeader, sound_header

__all__ = ["SHORTEST_S", "SUFFIXES", "Sound", "Sounds", "find_sounds", "read_sounds"]

SHORTEST_S = 0.032
"""Seconds of one analysis window: a shorter recording has no spectrum."""

_LOWEST_HZ = 20

SUFFIXES = frozenset(
    {".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd"}
    | {".w64", ".sph", ".m4a", ".aac", ".wma", ".mp4", ".bwf", ".rf64"}
)
"""Suffixes of sound: a file with one of them that is no recording is a problem; others are passed over."""


@dataclass(frozen=True)
class Sound:
    """A recording.

    Attributes:
        path: The file.
        name: Its path relative to the scanned folder, with ``/``.
        header: Its header.
    """

    path: Path
    name: str
    header: SoundHeader


@dataclass
class Sounds:
    """The recordings of a source, in the order of the walk.

    Attributes:
        sounds: Those that can be used.
        passed: Suffix → number of files that are no recordings, nor called so.
    """

    sounds: list[Sound] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)


def find_sounds(source: Path, problems: Problems) -> Sounds:
    """Read the header of every recording below a folder, or of one file.

    Without samples, or shorter than `SHORTEST_S`, a recording is left out. One that can be read although its file is
    cut short, or its header states another size, is kept. Both are problems.

    Args:
        source: Folder or file.
        problems: Takes what is wrong.
    """
    root = str(source if source.is_dir() else source.parent).rstrip("/") + "/"
    files = list(walk(source, problems))
    return read_sounds(files, lambda path: str(path).removeprefix(root), problems, {source})


def read_sounds(
    files: Sequence[Path], name: Callable[[Path], str], problems: Problems, named: Container[Path] = ()
) -> Sounds:
    """Read the headers of files; as `find_sounds`.

    Args:
        files: The files.
        name: Gives the name of a file.
        problems: Takes what is wrong.
        named: Files that the user names as recordings: one that is none is a problem whatever its suffix.
    """
    found = Sounds()
    for path, value in each_file(files, _header, problems, "headers"):
        if len(value) == 1:
            if path.suffix.lower() in SUFFIXES or path in named:
                problems.add(path, f"no recording: the file is {value[0]}")
            else:
                found.passed[path.suffix.lower()] += 1
            continue
        header = SoundHeader(*value)
        cause = _unusable(header)
        if cause:
            problems.add(path, cause)
            continue
        if header.remark:
            problems.add(path, f"read nevertheless: {header.remark}")
        found.sounds.append(Sound(path, name(path), header))
    return found


def _header(path: Path) -> list[Any]:
    """The fields of the header, as JSON holds them; what the file is instead, for one that is no recording."""
    header = sound_header(path)
    return list(header) if isinstance(header, SoundHeader) else [header.words]


def _unusable(header: SoundHeader) -> str:
    if not header.frames:
        return "no samples"
    if header.rate < _LOWEST_HZ:
        return f"the header gives {header.rate} samples a second, which no recording has"
    if header.seconds < SHORTEST_S:
        return f"{1000 * header.seconds:.3g} ms, shorter than one {1000 * SHORTEST_S:g}-ms window"
    return ""
