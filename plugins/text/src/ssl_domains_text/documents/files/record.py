"""What a reader of a file yields: a text with its id, or why an entry of the file could not be read."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Fault", "Record", "joined"]


class Record(NamedTuple):
    """A text of a file.

    Attributes:
        id: Its id in the file, as text.
        text: The text; title and body are joined by a space. May be blank.
        line: Line of the file, or number of the entry, from 1 on.
        side: ``"document"`` or ``"query"``.
        other: Of a query in a file of clicks or pairs: the id of the document that belongs to it; else None.
    """

    id: str
    text: str
    line: int
    side: str
    other: str | None = None


class Fault(NamedTuple):
    """An entry of a file that could not be read.

    Attributes:
        line: Its line, or number, from 1 on.
        cause: Why, without the line.
    """

    line: int
    cause: str


def joined(*parts: object) -> str:
    """Title and text in one, with a space between; parts that are missing or blank are left out."""
    return " ".join(str(part).strip() for part in parts if part is not None and str(part).strip())
