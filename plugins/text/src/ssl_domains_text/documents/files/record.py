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
        grade: How relevant that document is. 0: it was judged, or shown, and is not relevant; below 0: the pair is
            neither relevant nor irrelevant.
    """

    id: str
    text: str
    line: int
    side: str
    other: str | None = None
    grade: float = 1.0


class Fault(NamedTuple):
    """An entry of a file that could not be read.

    Attributes:
        line: Its line, or number, from 1 on.
        cause: Why, without the line.
    """

    line: int
    cause: str


def joined(*parts: str | None, strip_titles: bool = False) -> str:
    """Title and text in one, with a space between; parts that are missing or blank are left out.

    Args:
        parts: The parts, in order.
        strip_titles: Whether a part that begins with the words of the part before stands for both.
    """
    texts: list[str] = []
    for part in parts:
        text = "" if part is None else part.strip()
        if not text:
            continue
        if strip_titles and texts and text.split()[: len(texts[-1].split())] == texts[-1].split():
            texts.pop()
        texts.append(text)
    return " ".join(texts)
