"""The names of fields: which one is the id of a text, which ones are its parts, and which name a judged pair."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "ANCHOR",
    "CLICKED",
    "CLICKED_DOCUMENT",
    "CLICKS",
    "DOCUMENT",
    "GRADE",
    "ID",
    "NAMES",
    "QUERY",
    "TEXTS",
    "field_of",
    "grade_of",
    "id_text",
    "text_fields",
    "text_of",
]

ID = ("_id", "id", "docid", "doc_id", "pid", "qid", "query_id", "query-id", "corpus-id", "docno", "key")
"""Names of the id of a text."""

TEXTS = ("title", "text", "body", "contents", "content", "abstract", "passage", "query", "question", "sentence")
"""Names of the parts of a text, in the order in which they are joined."""

QUERY = ("query-id", "query_id", "qid", "query")
DOCUMENT = ("corpus-id", "corpus_id", "doc_id", "docid", "pid", "document", "document_id")
GRADE = ("score", "grade", "relevance", "rel", "label")
CLICKED = ("clicked", "clicked_id", "clicked-id", "click", "doc_id", "docid", "pid", "corpus-id", "corpus_id",
           "document", "document_id")  # fmt: skip
"""Names of the clicked document in a log of clicks."""

CLICKED_DOCUMENT = ("clicked_id", "clicked-id", "doc_id", "docid", "document_id", "pid", "corpus-id", "corpus_id",
                    "document")  # fmt: skip
"""Those of them that can only be the id of a document, and never the number of its clicks."""

CLICKS = ("clicks", "clicked", "click", "is_clicked", "is_click", "click_count", "num_clicks")
"""Names of the number of clicks on a document, or of whether it was clicked."""

ANCHOR = (("anchor", "positive"), ("query", "positive"), ("question", "answer"), ("sentence1", "sentence2"))
"""Pairs of fields that hold the two texts of a pair."""

_OTHERS = ("url", "negative", "duplicate_of", "duplicate", "other")
NAMES = frozenset(
    (*ID, *TEXTS, *QUERY, *DOCUMENT, *GRADE, *CLICKED, *CLICKS, *(name for pair in ANCHOR for name in pair), *_OTHERS)
)
"""All usual names of fields, by which a first line is known as a header."""

_TRUTH = {"true": 1, "false": 0, "yes": 1, "no": 0}


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
    if value is None or isinstance(value, Mapping | list | bool):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    text = _decoded(value) if isinstance(value, bytes) else str(value)
    return None if text is None else text.strip() or None


def text_of(value: Any) -> str | None:
    """A value of a field as a text; None for one that is no text, such as a mapping.

    Texts of a list are joined by a space, a number is written as text, and bytes are read as UTF-8. A missing value is
    the empty text.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        parts = [text_of(one) for one in value if not isinstance(one, list)]
        known = [part for part in parts if part is not None]
        return " ".join(part for part in known if part) if len(known) == len(value) else None
    if isinstance(value, bytes):
        text = _decoded(value)
        return None if text is None else text.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def grade_of(value: Any) -> float | None:
    """A grade, a label or a number of clicks: a number, or true and false for 1 and 0; None for another value."""
    if isinstance(value, str):
        value = _TRUTH.get(value.strip().lower(), value)
    if not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
