"""Judged pairs of a file (qrels), and links between documents (tables of duplicates)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ssl_domains_text.documents.files.cranfield import cranfield_judgements
from ssl_domains_text.documents.files.fields import DOCUMENT, GRADE, QUERY, field_of, id_text
from ssl_domains_text.documents.files.lines import numbered_lines
from ssl_domains_text.documents.files.record import Fault
from ssl_domains_text.documents.files.tables import entries_of

__all__ = ["Judged", "judgements_of", "links_of"]


class Judged(NamedTuple):
    """A document judged for a query.

    Attributes:
        query: Id of the query.
        document: Id of the document.
        grade: How relevant it is; 0 for not at all.
        ignored: Whether the pair is neither relevant nor irrelevant (a negative grade).
    """

    query: str
    document: str
    grade: float
    ignored: bool


def judgements_of(path: Path, form: str, encoding: str = "utf-8") -> Iterator[Judged | Fault]:
    """Yield the judged pairs of a file.

    Args:
        path: The file.
        form: ``"cranfield"``, ``"parquet"``, ``"csv"``, ``"jsonl"`` or ``"tsv"``; the last one also stands for the
            format of TREC, with white space between its four fields.
        encoding: Encoding of a text file.
    """
    if form == "cranfield":
        for one in cranfield_judgements(path):
            yield one if isinstance(one, Fault) else Judged(*one)
    elif form == "tsv":
        yield from _lines(path, encoding)
    else:
        for entry in entries_of(path, form, encoding):
            if isinstance(entry, Fault):
                yield entry
                continue
            line, values = entry
            names = [field_of(values, known) for known in (QUERY, DOCUMENT)]
            if None in names:
                yield Fault(line, f"no judgement: it has {', '.join(map(repr, values))}")
                continue
            grade = field_of(values, GRADE)
            query, document = (id_text(values[name]) for name in names if name is not None)
            yield _judged(line, query, document, "1" if grade is None else str(values[grade]))


def links_of(path: Path, form: str, encoding: str = "utf-8") -> Iterator[tuple[str, str] | Fault]:
    """Yield pairs of ids of documents that say the same: the first two fields of each entry."""
    for entry in entries_of(path, form, encoding):
        if isinstance(entry, Fault):
            yield entry
            continue
        line, values = entry
        ends = [id_text(value) for value in list(values.values())[:2]]
        if len(ends) < 2 or ends[0] is None or ends[1] is None:
            yield Fault(line, "not two ids of documents")
            continue
        yield ends[0], ends[1]


def _lines(path: Path, encoding: str) -> Iterator[Judged | Fault]:
    for one in numbered_lines(path, encoding):
        if isinstance(one, Fault):
            yield one
            continue
        line, text = one
        if not text.strip():
            continue
        fields = [field.strip() for field in (text.split("\t") if "\t" in text else text.split())]
        if len(fields) not in (3, 4):
            yield Fault(line, f"{len(fields)} fields, where judgements have query, 0, document, grade")
        elif line > 1 or _number(fields[-1]) is not None:
            yield _judged(line, fields[0], fields[-2], fields[-1])


def _judged(line: int, query: str | None, document: str | None, grade: str) -> Judged | Fault:
    number = _number(grade)
    if not query or not document:
        return Fault(line, "a judgement without an id")
    if number is None:
        return Fault(line, f"its grade {grade!r} is no number")
    return Judged(query, document, max(number, 0.0), number < 0)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
