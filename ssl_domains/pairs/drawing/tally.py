"""What drawing cost, and what it gave up."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DrawCount"]


@dataclass
class DrawCount:
    """A tally over one or several draws.

    Attributes:
        anchors: Anchors that were drawn for.
        without: Of them, how many match nobody.
        proposed: Rows proposed by an index and put to the rule.
        scanned: Entries looked at one by one for anchors that proposals did not settle.
        given_up: Anchors left short because the scan would have cost too much: those with nothing drawn may match
            somebody all the same, those with less than they asked for have repeats.
    """

    anchors: int = 0
    without: int = 0
    proposed: int = 0
    scanned: int = 0
    given_up: int = 0

    def __str__(self) -> str:
        said = f"{self.anchors:,} anchors drew, {self.without:,} of which match nobody"
        return said if not self.given_up else f"{said}; {self.given_up:,} were given up"
