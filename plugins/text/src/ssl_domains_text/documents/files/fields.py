"""The names of fields: which one is the id of a text, which ones are its parts, and which name a judged pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "ANCHOR",
    "CLICKED",
    "DOCUMENT",
    "GRADE",
    "ID",
    "NAMES",
    "QUERY",
    "TEXTS",
    "field_of",
    "id_text",
    "text_fields",
]

ID = ("_id", "id", "docid", "doc_id", "pid", "qid", "query_id", "query-id", "corpus-id", "docno", "key")
"""Names of the id of a text."""

TEXTS = ("title", "text", "body", "contents", "content", "abstract", "passage", "query", "question", "sentence")
"""Names of the parts of a text, in the order in which they are joined."""

QUERY = ("query-id", "query_id", "qid", "query")
DOCUMENT = ("corpus-id", "corpus_id", "doc_id", "docid", "pid", "document", "document_id")
GRADE = ("score", "grade", "relevance", "rel", "label")
CLICKED = ("clicked", "clicked_id", "clicked-id", "click", "doc_id", "docid", "pid", "corpus-id", "document")
ANCHOR = (("anchor", "positive"), ("query", "positive"), ("question", "answer"), ("sentence1", "sentence2"))
"""Pairs of fields that hold the two texts of a pair."""

NAMES = frozenset((*ID, *TEXTS, *QUERY, *DOCUMENT, *GRADE, *CLICKED, *(name for pair in ANCHOR for name in pair),
                   "url", "negative", "clicks", "duplicate_of", "duplicate", "other"))  # fmt: skip
"""All usual names of fields, by which a first line is known as a header."""


def field_of(names: Iterable[str], known: Iterable[str]) -> str | None:
    """The first known name that a file has, whatever its capitals; None without one."""
    given = {name.strip().lower(): name for name in names}
    return next((given[name] for name in known if name in given), None)


def text_fields(names: Iterable[str]) -> list[str]:
    """The fields that make up a text, in order: title and then body."""
    given = {name.strip().lower(): name for name in names}
    return [given[name] for name in TEXTS if name in given]


def id_text(value: Any) -> str | None:
    """An id as text; None where it is missing. Whole numbers of Parquet and JSON stay whole."""
    if value is None or isinstance(value, Mapping | list):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return text or None
