"""What file names say: speakers, folds, sources and times of known data sets and recorders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["NAMES", "NamedBy", "name_columns"]

_ENOUGH = 0.9
_STAMPED = re.compile(r"^(?:(?P<site>.+?)[_-])??(?P<date>\d{8})[_T](?P<time>\d{6})(?:[TZ]|[+-]\d{4})?$")
_HEX = re.compile(r"^[0-9A-F]{8}$")
_FIRST_S, _LAST_S = datetime(2000, 1, 1, tzinfo=UTC).timestamp(), datetime(2050, 1, 1, tzinfo=UTC).timestamp()
Values = Mapping[str, str | float]


@dataclass(frozen=True)
class NamePattern:
    """One way of naming files.

    Attributes:
        read: The values of a name, given as the parts of its path with the suffix of the last taken off; None where the
            name is none of these.
        words: What the names are, for the note.
        group: Column by which a split keeps together what belongs together; empty for none.
        folds: Column of the folds with which the data set was published; empty for none.
    """

    read: Callable[[Sequence[str]], Values | None]
    words: str
    group: str = ""
    folds: str = ""


@dataclass(frozen=True)
class NamedBy:
    """What the names of a set of files say.

    Attributes:
        columns: Column → value of each file, None where its name doesn't say it.
        note: Which names were recognised; empty for none.
        folds: Column of the folds with which the data set was published; empty for none.
    """

    columns: dict[str, list[str | float | None]]
    note: str = ""
    folds: str = ""


def _by(pattern: str) -> Callable[[Sequence[str]], Values | None]:
    compiled = re.compile(pattern)

    def read(parts: Sequence[str]) -> Values | None:
        match = compiled.match(parts[-1])
        return match.groupdict() if match else None

    return read


def _librispeech(parts: Sequence[str]) -> Values | None:
    """``84/121123/84-121123-0000``: the folders repeat speaker and chapter, which tells it from other numbers."""
    match = re.match(r"^(\d+)-(\d+)-(\d{4,})$", parts[-1])
    if not match or list(parts[-3:-1]) != [match[1], match[2]]:
        return None
    return {"speaker": match[1], "session": match[2]}


def _stamped(parts: Sequence[str]) -> Values | None:
    """``20230101_120000``, also behind the name of a recorder, or seconds since 1970 in 8 hexadecimal digits."""
    stem = parts[-1]
    if _HEX.match(stem):
        seconds = float(int(stem, 16))
        return {"recorded_at_s": seconds} if _FIRST_S <= seconds <= _LAST_S else None
    match = _STAMPED.match(stem)
    if not match:
        return None
    try:
        moment = datetime.strptime(match["date"] + match["time"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    site: Values = {"site": match["site"]} if match["site"] else {}
    return {**site, "recorded_at_s": moment.timestamp()}


NAMES: Mapping[str, NamePattern] = {
    "fsdd": NamePattern(
        _by(r"^(?P<label>\d)_(?P<speaker>[a-z]+)_(?P<take>\d+)$"),
        "DIGIT_SPEAKER_INDEX, as in FSDD: label, speaker and take",
        "speaker",
    ),
    "esc50": NamePattern(
        _by(r"^(?P<fold>\d)-(?P<source>\d+)-(?P<take>[A-Z])-(?P<label>\d+)$"),
        "FOLD-SOURCE-TAKE-CLASS, as in ESC-50: fold, source, take and label",
        folds="fold",
    ),
    "librispeech": NamePattern(
        _librispeech, "SPEAKER/CHAPTER/…, as in LibriSpeech: speaker, and the chapter as session", "speaker"
    ),
    "time": NamePattern(_stamped, "times, as those of AudioMoth: recorded_at_s, seconds since 1970, taken as UTC"),
}
"""The ways of naming files that are recognised, by the name that ``--names`` takes."""


def name_columns(names: Sequence[str], how: str = "auto") -> NamedBy:
    """Read the columns that the names of files give.

    Args:
        names: Paths relative to the scanned folder, with ``/``.
        how: A key of `NAMES`, ``none``, or ``auto``: the first that at least nine tenths of the names follow.

    Raises:
        UsageError: For another word, or names that none of the files follow.
    """
    if how not in (*NAMES, "auto", "none"):
        raise UsageError(f"--names {how!r} is not known", did_you_mean(how, (*NAMES, "auto", "none")))
    if how == "none" or not names:
        return NamedBy({})
    parts = [_parts(name) for name in names]
    for word in NAMES if how == "auto" else (how,):
        found = [NAMES[word].read(one) for one in parts]
        known = sum(one is not None for one in found)
        if not known and how != "auto":
            raise UsageError(f"no file is named as --names {how} says", "leave --names out, or say --names none")
        if known >= (_ENOUGH * len(names) if how == "auto" else 1):
            return _columns(word, found, known)
    return NamedBy({})


def _columns(word: str, found: Sequence[Values | None], known: int) -> NamedBy:
    columns = dict.fromkeys(column for one in found if one for column in one)
    pattern = NAMES[word]
    note = f"names are {pattern.words} (--names none passes over them)"
    note += f"; {len(found) - known:,} names are not" if known < len(found) else ""
    note += f"; --split-by {pattern.group} keeps each {pattern.group} on one side" if pattern.group else ""
    values = {column: [one.get(column) if one else None for one in found] for column in columns}
    return NamedBy(values, note, pattern.folds)


def _parts(name: str) -> list[str]:
    *folders, last = name.split("/")
    stem, dot, _ = last.rpartition(".")
    return [*folders, stem if dot and stem else last]
