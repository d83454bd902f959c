"""Which files of a scan are stacks of one survey, from the option ``--stacks``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import Problems

__all__ = ["OPTIONS", "StackNames", "StackRequest", "Stacks", "stack_groups", "stacks_of"]

OPTIONS = ("stacks",)
"""Options of `stacks_of`."""

_EXAMPLE = "write --stacks near=near.sgy,far=far.sgy, or --stacks near,far for words in the names of files"


@dataclass(frozen=True)
class StackRequest:
    """What ``--stacks`` says.

    Attributes:
        words: Names of the stacks, in the order of the channels; empty without the option.
        files: File of each stack, as seen from the scanned folder; None when the names of files hold the words.
    """

    words: tuple[str, ...] = ()
    files: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Stacks:
    """The stacks of one survey.

    Attributes:
        name: Name of the survey: the names of its files, joined by ``+``.
        files: Its files, in the order of the channels.
    """

    name: str
    files: tuple[Path, ...]


StackNames = Mapping[Path, str]
"""Name of each file, relative to the scanned folder."""


def stacks_of(text: str | None) -> StackRequest:
    """Read the option.

    Raises:
        UsageError: For a value that can't be read, one stack only, or a name or file that stands there twice.
    """
    if text is None:
        return StackRequest()
    parts = [part.strip() for part in text.split(",")]
    words = tuple(part.partition("=")[0].strip() for part in parts)
    files = tuple(part.partition("=")[2].strip() for part in parts if "=" in part)
    if len(parts) < 2 or not all(words) or (files and (len(files) != len(parts) or not all(files))):
        raise UsageError(f"--stacks {text!r} names no stacks of one survey", _EXAMPLE)
    for given in (tuple(word.lower() for word in words), files):
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            raise UsageError(f"--stacks {text!r} has {twice[0]!r} twice", "give each stack once")
    return StackRequest(words, files or None)


def stack_groups(request: StackRequest, names: StackNames, problems: Problems) -> list[Stacks]:
    """The surveys of a scan: groups of files with ``--stacks``, else each file on its own.

    Args:
        request: What ``--stacks`` says.
        names: The files of the scan.
        problems: Takes files that are no stack of a whole group.

    Raises:
        UsageError: When the option names a file that is not among those of the scan.
    """
    if not request.words:
        return [Stacks(name, (path,)) for path, name in names.items()]
    if request.files is not None:
        group = tuple(_named(text, names) for text in request.files)
        for path in names:
            if path not in group:
                problems.add(path, "it is none of the files of --stacks")
        return [_stacks(group, names)]
    found: dict[str, dict[str, Path]] = {}
    for path, name in names.items():
        said = [word for word in request.words if _token(word).search(name)]
        if len(said) != 1:
            what = "several" if said else "none"
            problems.add(path, f"its name holds {what} of the words of --stacks: {', '.join(request.words)}")
            continue
        rest = _token(said[0]).sub("", name)
        if said[0] in found.setdefault(rest, {}):
            problems.add(path, f"the stack {said[0]!r} of its survey is {names[found[rest][said[0]]]}")
            continue
        found[rest][said[0]] = path
    made = []
    for files in found.values():
        missing = [word for word in request.words if word not in files]
        if missing:
            for path in files.values():
                problems.add(path, f"its survey has no stack {missing[0]!r}: no file has its name with that word")
        else:
            made.append(_stacks(tuple(files[word] for word in request.words), names))
    return made


def _stacks(files: Sequence[Path], names: StackNames) -> Stacks:
    return Stacks("+".join(names[path] for path in files), tuple(files))


def _named(text: str, names: StackNames) -> Path:
    for path, name in names.items():
        if text == name or Path(text).absolute() == path:
            return path
    raise UsageError(f"--stacks names {text!r}, which is no file of this scan", did_you_mean(text, names.values()))


def _token(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", re.IGNORECASE)
