"""Names of classes: ``--label-names "1=faults,2=channels"``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ssl_domains.errors import UsageError
from ssl_domains_seismic.labels import UNLABELLED

__all__ = ["BACKGROUND", "ClassNames", "parse_names"]

BACKGROUND = "background"
"""Name of class 0 where the user gives it none."""


@dataclass(frozen=True)
class ClassNames:
    """Names by class number.

    Attributes:
        given: Names that were given. Class 0 is the background unless it has one.
    """

    given: Mapping[int, str] = field(default_factory=dict)

    @property
    def background(self) -> bool:
        """Whether class 0 is the background, and no class like the others."""
        return 0 not in self.given

    def name(self, number: int) -> str:
        """The name of a class; its number where it has none."""
        if number == 0 and self.background and BACKGROUND not in self.given.values():
            return BACKGROUND
        return self.given.get(number, str(number))

    def numbers(self) -> dict[str, int]:
        """Class numbers by the given names."""
        return {name: number for number, name in self.given.items()}

    def recorded(self, present: Iterable[int]) -> str:
        """The option ``mask_names`` of the table: all classes that are named or occur, the background left out."""
        numbers = sorted({*self.given, *present} - ({0} if self.background else set()))
        return ",".join(f"{number}={self.name(number)}" for number in numbers)


def parse_names(text: str) -> ClassNames:
    """Read ``"1=faults,2=channels"``; class 0 may be named too.

    Raises:
        UsageError: When a part isn't ``NUMBER=NAME``, or a number or name appears twice.
    """
    names: dict[int, str] = {}
    for part in text.split(","):
        number, equals, name = (piece.strip() for piece in part.partition("="))
        if not (equals and name and re.fullmatch("[0-9]{1,3}", number) and int(number) < UNLABELLED):
            raise UsageError(
                f"--label-names: can't read {part.strip()!r}", 'write "1=faults,2=channels"; numbers are 0 to 254'
            )
        if int(number) in names or name in names.values():
            raise UsageError(f"--label-names names {part.strip()!r} twice", "each class needs one name of its own")
        names[int(number)] = name
    return ClassNames(names)
