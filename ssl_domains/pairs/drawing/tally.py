"""Counts of a draw: its cost, and the anchors that were given up."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DrawCount"]


@dataclass
class DrawCount:
    """A tally over one or several draws.

    Attributes:
        anchors: Anchors that were drawn for.
        without: Of these, anchors without a match.
        proposed: Entries of an index that were drawn and checked by the rule.
        scanned: Entries that were checked one after another, for anchors that random entries did not give enough.
        given_up: Anchors that were given up because checking all their entries would take too long. Where nothing was
            drawn for one, it may still have a match; where fewer than ``k`` were drawn, these are repeated.
    """

    anchors: int = 0
    without: int = 0
    proposed: int = 0
    scanned: int = 0
    given_up: int = 0

    def __str__(self) -> str:
        text = f"{self.anchors:,} anchors drew, {self.without:,} of which have no match"
        return text if not self.given_up else f"{text}; {self.given_up:,} were given up"
