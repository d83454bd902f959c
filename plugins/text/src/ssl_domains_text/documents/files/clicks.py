"""Logs of clicks: queries with the id of the document that was clicked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ssl_domains_text.documents.files.fields import (
    CLICKED,
    CLICKED_DOCUMENT,
    CLICKS,
    field_of,
    grade_of,
    id_text,
    text_of,
)
from ssl_domains_text.documents.files.record import Fault, Record
from ssl_domains_text.documents.files.tables import Entry, Unnamed

__all__ = ["click_records"]


def click_records(entries: Iterator[Entry | Fault], prefix: str) -> Iterator[Record | Fault]:
    """Yield queries by their words, each once, with one record for each document that was clicked.

    A row says how often its document was clicked where it has a column such as ``clicks`` or ``clicked`` with numbers
    or truth values beside the id of the document. A document without a click has the grade 0.

    Args:
        entries: Entries of the log.
        prefix: What ids of queries begin with that have none in the log: ``clicks`` makes ``clicks-1``, ``clicks-2``, …
    """
    seen: dict[str, str] = {}
    for entry in entries:
        if isinstance(entry, Fault):
            yield entry
            continue
        line, values = entry
        bare = isinstance(values, Unnamed)
        query = "0" if bare else field_of(values, ("query", "text", "question"))
        clicked, count = ("1", None) if bare else _columns(values)
        if query is None or clicked is None or clicked not in values:
            yield Fault(line, f"no query or no clicked id: it has {', '.join(map(repr, values))}")
            continue
        document = id_text(values[clicked])
        if document is None:
            yield Fault(line, "no id of a clicked document")
            continue
        clicks = 1.0 if count is None else grade_of(values[count])
        if clicks is None:
            yield Fault(line, f"its field {count!r} is no number of clicks: {str(values[str(count)])[:40]!r}")
            continue
        text = text_of(values[query])
        if text is None:
            yield Fault(line, f"its field {query!r} is no text")
            continue
        named = None if bare else field_of(values, ("qid", "query_id", "query-id"))
        given = id_text(values[named]) if named is not None else None
        identity = given or seen.setdefault(" ".join(text.split()), f"{prefix}-{len(seen) + 1}")
        yield Record(identity, text, line, "query", document, 1.0 if clicks > 0 else 0.0)


def _columns(values: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Names of the column with the id of the document, and of the one that counts clicks; None where there is none."""
    document, count = field_of(values, CLICKED_DOCUMENT), field_of(values, CLICKS)
    if document is None or count is None:
        return field_of(values, CLICKED), None
    if field_of(values, CLICKED) == count and grade_of(values[count]) is None:
        return count, None  # the column "clicked" holds ids, such as "d7"
    if field_of(values, CLICKED) == count and len(str(values[document]).split()) > 1:
        return count, None  # the column "document" holds texts
    return document, count
