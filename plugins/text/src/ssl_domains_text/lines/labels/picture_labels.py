"""The label and the further columns of each picture, from several tables and text files that name it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ssl_domains.quantities import plural

__all__ = ["PictureLabels"]


@dataclass
class PictureLabels:
    """What tables say of pictures; a table without a label leaves that of another one.

    Attributes:
        labels: Label of each picture that has one, as it is written.
        several: Pictures with labels that differ, but for spaces at their ends and the form of Unicode.
        facts: Further columns of each picture that a table names, such as writer.
        differing: Number of values by column that differ from another one of the same picture.
    """

    labels: dict[Path, str] = field(default_factory=dict)
    several: set[Path] = field(default_factory=set)
    facts: dict[Path, dict[str, str | None]] = field(default_factory=dict)
    differing: Counter[str] = field(default_factory=Counter)

    def add(self, picture: Path, label: str | None, columns: Mapping[str, str | None]) -> None:
        """Take what a row says of a picture. The first label and the first value of a column count.

        Args:
            picture: The picture.
            label: Its label; None for none.
            columns: Values of further columns; None for an empty field.
        """
        if label is not None:
            known = self.labels.setdefault(picture, label)
            if not known.strip():  # an empty text file
                self.labels[picture] = label
            elif _plain(known) != _plain(label):
                self.several.add(picture)
        facts = self.facts.setdefault(picture, {})
        for name, value in columns.items():
            before = facts.get(name)
            facts[name] = value if before is None else before
            self.differing[name] += None not in (before, value) and before != value

    def notes(self) -> list[str]:
        """A remark for each column whose values differ."""
        return [
            f"{plural(count, 'row has', 'rows have')} another {name} than a row before of the same picture: that counts"
            for name, count in self.differing.items()
            if count
        ]


def _plain(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip()
