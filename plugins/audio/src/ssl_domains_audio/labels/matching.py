"""Which recording a table of segments means, by the name that it writes, or by its own name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Recordings"]

_LONGEST = 4096
_OF_TABLE = re.compile(
    r"([._ -](table|selections?|labels?|segments?|annotations?|audacity|raven|rttm|results?|\d+))+$", re.IGNORECASE
)


@dataclass(frozen=True)
class Recordings:
    """Looks up recordings by name.

    Attributes:
        names: Paths of the recordings relative to the scanned folder, with ``/``.
    """

    names: Sequence[str]
    _keys: dict[str, int | None] = field(init=False, repr=False, default_factory=dict)
    _bases: dict[str, int | None] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for number, name in enumerate(self.names):
            base = name.rpartition("/")[2].lower()
            _enter(self._keys, (name, _stem(name)), number)
            _enter(self._bases, (base, _stem(base)), number)

    def named(self, written: str) -> int | None:
        """Number of the recording that a table names; None for none.

        A table names it by its path, base name or stem, and AudioSet without the ``Y`` that stands before the name of
        the file. A base name or stem that several recordings share names none of them. Of a path from another machine,
        the longest end that is known counts: ``/data/2023/north/a.wav`` is ``north/a.wav``.
        """
        if len(written) > _LONGEST:  # no path of any system; its many ends would each be looked up
            return None
        parts = written.replace("\\", "/").strip("/").split("/")
        for place in range(len(parts)):
            key = "/".join(parts[place:])
            for one in (key, _stem(key)):
                number = self._keys.get(one)
                if number is not None:
                    return number
        base = parts[-1].lower()
        for one in (base, _stem(base), f"y{base}", f"y{_stem(base)}"):
            number = self._bases.get(one)
            if number is not None:
                return number
        return None

    def of_table(self, table: str) -> int | None:
        """Number of the recording that a table without names belongs to: the one of its own name, or the only one.

        ``night1/rec1.Table.1.selections.txt`` belongs to ``night1/rec1.wav``, else to the only ``rec1`` anywhere.

        Args:
            table: Path of the table relative to the scanned folder, or its name.
        """
        stem = _stem(table)
        for name in dict.fromkeys((stem, _OF_TABLE.sub("", stem))):
            number = self.named(name)
            if number is not None:
                return number
        return 0 if len(self.names) == 1 else None


def _enter(keys: dict[str, int | None], names: Sequence[str], number: int) -> None:
    """Enter a recording under its names; a name that another recording has too gets None."""
    for key in dict.fromkeys(names):
        keys[key] = number if keys.get(key, number) == number else None


def _stem(name: str) -> str:
    head, dot, suffix = name.rpartition(".")
    return head if dot and head and not head.endswith("/") and "/" not in suffix else name
