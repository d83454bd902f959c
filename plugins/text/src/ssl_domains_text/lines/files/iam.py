"""The lists of the IAM handwriting database: ``words.txt``, ``lines.txt`` and ``forms.txt``."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["IamEntry", "looks_like_iam", "read_iam", "writers_of_forms"]

_ID = re.compile(r"[a-z]\d\d-\d{3}[a-z]?(?:-\d\d){0,2}")
_WHOLE = re.compile(r"-?\d+")
_HEAD_LINES = 200


class IamEntry(NamedTuple):
    """One line of a list.

    Attributes:
        id: Id of the word or line, such as ``"a01-000u-00-00"``.
        segmentation: ``"ok"`` or ``"err"``.
        text: The transcript; a word may be ``#`` or ``"``, or have spaces.
    """

    id: str
    segmentation: str
    text: str

    @property
    def form(self) -> str:
        """Id of the form (page), such as ``"a01-000u"``."""
        return "-".join(self.id.split("-")[:2])


def looks_like_iam(text: str) -> bool:
    """Whether a text file is such a list: its first line that is no comment has an id, and ``ok`` or ``err``."""
    for line in text.splitlines()[:_HEAD_LINES]:
        if line.strip() and not line.startswith("#"):
            fields = line.split()
            return len(fields) > 2 and _ID.fullmatch(fields[0]) is not None and fields[1] in ("ok", "err")
    return False


def read_iam(text: str) -> tuple[list[IamEntry], list[int]]:
    """The entries of a list, and the numbers of lines that can't be read, counted from 1.

    Lines that begin with ``#`` are comments. A line is: id, ``ok`` or ``err``, grey level, the number of components
    (lines.txt, and some copies of words.txt), a box of four numbers, the tag of the word (words.txt), and the
    transcript. In lines.txt, ``|`` stands between words.
    """
    entries, faults = list[IamEntry](), list[int]()
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if not line.strip() or line.startswith("#"):
            continue
        entry = _entry(line)
        if entry is None:
            faults.append(number)
        else:
            entries.append(entry)
    return entries, faults


def _entry(line: str) -> IamEntry | None:
    fields = line.split()
    if len(fields) < 8 or not _ID.fullmatch(fields[0]) or fields[1] not in ("ok", "err"):
        return None
    parts = fields[0].count("-")
    if parts not in (2, 3):
        return None
    whole = 0
    while 2 + whole < len(fields) and whole < 6 and _WHOLE.fullmatch(fields[2 + whole]):
        whole += 1
    if parts == 2:  # a line: grey level, components, box
        before = 8
        if whole < 6:
            return None
    else:  # a word: the tag stands between the box and the transcript
        if whole < 5:
            return None
        before = 2 + whole + 1
    text = _behind(line, before)
    if text is None:
        return None
    return IamEntry(fields[0], fields[1], text.replace("|", " ") if parts == 2 else text)


def _behind(line: str, fields: int) -> str | None:
    """The text behind so many fields, with the spaces that it has inside; None where there is none."""
    match = re.match(rf"\s*(?:\S+\s+){{{fields}}}(.*\S)", line)
    return match[1] if match else None


def writers_of_forms(text: str) -> dict[str, str]:
    """Writer of each form, from ``forms.txt``: id of the form and id of the writer are the first two fields."""
    found = {}
    for line in text.splitlines():
        fields = line.split()
        if not line.startswith("#") and len(fields) >= 2 and _ID.fullmatch(fields[0]):
            found[fields[0]] = fields[1]
    return found
