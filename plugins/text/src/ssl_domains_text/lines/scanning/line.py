"""A line as a scan finds it, and all lines of a source."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["FLATTEST", "LOWEST", "Line", "Lines", "unusable"]

LOWEST = 4
"""Pixels: a picture that is lower holds no text."""

FLATTEST = 400
"""A picture more than so many times as wide as high is no line: at the usual height, it would fill the memory."""


@dataclass(slots=True)
class Line:
    """A line of text.

    Attributes:
        path: The file that holds its picture: a picture, the picture of its page, or a database.
        name: Its sample id.
        width: Width in pixels.
        height: Height in pixels.
        written: Its label as it is written; None for none.
        cause: Why its label can't be used; empty where it can.
        entry: Its number in a database; −1 elsewhere.
        outline: Its outline on the page, ``"x,y x,y …"`` in pixels; empty for a picture of its own.
        orientation: Orientation tag to apply when the picture is read, 1 for none; 0 for the picture's own.
        facts: Further columns, such as writer, book and page.
    """

    path: str
    name: str
    width: int
    height: int
    written: str | None
    cause: str = ""
    entry: int = -1
    outline: str = ""
    orientation: int = 0
    facts: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Lines:
    """The lines of a source.

    Attributes:
        lines: The lines, in the order of the files.
        notes: Remarks, in sentences.
    """

    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def unusable(width: int, height: int) -> str:
    """Why a picture of this size can be no line; empty for one that can."""
    if height < LOWEST or width < 1:
        return f"a line of {width} × {height} pixels: too small for text"
    if width > FLATTEST * height:
        return f"a line of {width:,} × {height} pixels: more than {FLATTEST} times as wide as high"
    return ""
