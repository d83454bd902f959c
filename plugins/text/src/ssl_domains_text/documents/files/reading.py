"""How texts are read from files: their encoding, what is done with titles, and which columns of a table are theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, urlencode

from ssl_domains_text.documents.files.fields import ID, field_of, text_fields

__all__ = ["Columns", "Reading"]


@dataclass(frozen=True)
class Columns:
    """The columns of a table that hold an id and a text, where they have other names than usual.

    Capitals and white space around a name don't count.

    Attributes:
        text: Columns that make up a text, in this order; empty for the usual ones, such as ``title`` and ``text``.
        id: Column of the ids; None for a usual one, such as ``_id`` or ``doc_id``.
    """

    text: tuple[str, ...] = ()
    id: str | None = None

    def names(self) -> list[str]:
        """All names that are given."""
        return [*self.text, *([] if self.id is None else [self.id])]

    def of_table(self, names: Iterable[str]) -> Columns:
        """Those that a table with columns of these names has; for what it lacks, the usual ones."""
        known = {_plain(name) for name in names}
        text = tuple(name for name in self.text if _plain(name) in known)
        return Columns(text, self.id if self.id is not None and _plain(self.id) in known else None)

    def texts_of(self, names: Iterable[str]) -> list[str]:
        """The fields of an entry that make up its text, in order; none of the usual ones where others are given."""
        given = {_plain(name): name for name in names}
        if not self.text:
            return text_fields(given.values())
        return [given[_plain(name)] for name in self.text if _plain(name) in given]

    def id_of(self, names: Iterable[str]) -> str | None:
        """The field of an entry's id; None without one."""
        return field_of(names, ID if self.id is None else (_plain(self.id),))


@dataclass(frozen=True)
class Reading:
    """How texts are read from files.

    Attributes:
        encoding: Encoding of text files.
        strip_titles: Whether a body that begins with its title stands for both; else the title is there twice.
        columns: Columns of tables that have other names than usual.
    """

    encoding: str = "utf-8"
    strip_titles: bool = False
    columns: Columns = field(default_factory=Columns)

    def code(self) -> str:
        """The values in one line, without white space within each: ``"utf-8 titles-once text=subject&id=ticket"``."""
        named = [("text", name) for name in self.columns.text]
        if self.columns.id is not None:
            named.append(("id", self.columns.id))
        titles = "titles-once" if self.strip_titles else "as-written"
        return " ".join(filter(None, (self.encoding, titles, urlencode(named))))

    @classmethod
    def of_code(cls, code: str) -> Self:
        """The reading with this code."""
        encoding, titles, *columns = code.split(" ")
        given = parse_qs(columns[0]) if columns else {}
        return cls(encoding, titles == "titles-once", Columns(tuple(given.get("text", ())), given.get("id", [None])[0]))


def _plain(name: str) -> str:
    return name.strip().lower()
