"""Pairs of texts: a query and a document that belong together, or that are judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ssl_domains_text.documents.files.fields import ANCHOR, GRADE, field_of, grade_of, text_of
from ssl_domains_text.documents.files.record import Fault, Record
from ssl_domains_text.documents.files.tables import Entry

__all__ = ["grade_field", "pair_fields", "pair_records"]


def pair_fields(names: Mapping[str, Any]) -> tuple[str, str] | None:
    """Names of the fields that hold the two texts of a pair; None where there are none."""
    for pair in ANCHOR:
        first, second = (field_of(names, (name,)) for name in pair)
        if first is not None and second is not None:
            return first, second
    return None


def grade_field(names: Mapping[str, Any]) -> str | None:
    """Name of the field that says how well the two texts of a pair belong together; None without one."""
    return field_of(names, GRADE)


def pair_records(entries: Iterator[Entry | Fault], prefix: str) -> Iterator[Record | Fault]:
    """Yield both texts of each pair, a document first and then the query that belongs to it.

    Equal texts are one document, or one query. A list of positives is a pair for each of them. A field such as
    ``label`` or ``score`` is the grade of the pair, 0 for texts that don't belong together; without one it is 1.

    Args:
        entries: Entries of the file.
        prefix: What ids begin with: ``train`` makes ``train-1``, ``train-2``, …
    """
    queries: dict[str, str] = {}
    documents: dict[str, str] = {}
    for entry in entries:
        if isinstance(entry, Fault):
            yield entry
            continue
        line, values = entry
        fields = pair_fields(values)
        if fields is None:
            yield Fault(line, f"no pair of texts: it has {', '.join(map(repr, values))}")
            continue
        pair = _pair(values, *fields)
        if isinstance(pair, str):
            yield Fault(line, pair)
            continue
        query, positives, grade = pair
        for text in positives:
            document = documents.get(text)
            if document is None:
                document = documents[text] = f"{prefix}-{len(documents) + 1}"
                yield Record(document, text, line, "document")
            identity = queries.setdefault(query, f"{prefix}-{len(queries) + 1}")
            yield Record(identity, query, line, "query", document, grade)


def _pair(values: Mapping[str, Any], first: str, second: str) -> tuple[str, list[str], float] | str:
    """(query, documents, grade) of an entry, or why it has none."""
    several = values[second] if isinstance(values[second], list) else [values[second]]
    query, positives = text_of(values[first]), [text_of(one) for one in several]
    if query is None or isinstance(values[first], list):
        return f"its field {first!r} is no text"
    if None in positives:
        return f"its field {second!r} is no text"
    texts = [one for one in positives if one]
    if not query or not texts:
        return f"a blank text in {first if not query else second!r}"
    name = grade_field(values)
    grade = 1.0 if name is None else grade_of(values[name])
    if grade is None:
        shown = "missing" if values[name or ""] in (None, "") else f"{str(values[name or ''])[:40]!r}, and no number"
        return (
            f"its {name} is {shown}: it says how well the texts belong together, 0 for not at all. A column that says "
            "something else needs another name"
        )
    return query, texts, grade
