"""What a file is: its form, and whether it holds documents, queries, judgements, clicks, pairs or links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ssl_domains_text.documents.files.fields import CLICKED, CLICKS, DOCUMENT, GRADE, QUERY, field_of
from ssl_domains_text.documents.files.reading import Columns
from ssl_domains_text.documents.files.record import Fault
from ssl_domains_text.documents.files.tables import Unnamed, entries_of
from ssl_domains_text.documents.files.text_pairs import pair_fields

__all__ = ["FORMS", "Found", "recognise"]

FORMS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".tsv": "tsv", ".csv": "csv", ".parquet": "parquet", ".txt": "txt"}
"""Suffix → form of a file."""

_SPLITS = {"train": "train", "dev": "dev", "val": "dev", "valid": "dev", "validation": "dev", "test": "test",
           "eval": "test"}  # fmt: skip
_QUERIES, _DOCUMENTS = ("queries", "query", "topics", "questions"), ("corpus", "collection", "documents", "docs", "doc")
_FOLDERS = ("queries", "corpus")
_HEAD = 5


@dataclass(frozen=True)
class Found:
    """What a file is.

    Attributes:
        path: The file.
        form: How it is read; see `FORMS`, also ``"cranfield"`` and ``"lines"``.
        role: ``"documents"``, ``"queries"``, ``"judgements"``, ``"clicks"``, ``"pairs"``, ``"links"`` or ``"mined"``.
        split: Side of the split that its name says, ``"train"``, ``"dev"`` or ``"test"``; None without one.
        remark: What a user should know of how it is read, for a note; mostly empty.
    """

    path: Path
    form: str
    role: str
    split: str | None = None
    remark: str = ""


def recognise(path: Path, encoding: str = "utf-8", lines: bool = False, columns: Columns = Columns()) -> Found | str:
    """Say what a file is by its name and its first entries.

    Args:
        path: The file.
        encoding: Encoding of text files.
        lines: Whether each line of a plain text file is a document; else the file is one.
        columns: Columns of tables that have other names than usual.

    Returns:
        What it is; or, for a file that is none of these, why not.
    """
    name, words = path.name.lower(), _words(path.stem)
    split = next((_SPLITS[word] for word in words if word in _SPLITS), None)
    if name.startswith("cranqrel"):
        return Found(path, "cranfield", "judgements", split)
    if _begins_like_cranfield(path):
        queries = path.suffix.lower() == ".qry" or bool(set(words) & set(_QUERIES))
        return Found(path, "cranfield", "queries" if queries else "documents", split)
    form = FORMS.get(path.suffix.lower())
    if form is None:
        return Found(path, "lines", "documents", split) if lines else "it is no text file that is read"
    if _is_qrels(path, words):
        return Found(path, "tsv" if form == "txt" else form, "judgements", split)
    if form == "txt":
        return Found(path, "lines" if lines else "txt", "documents", split)
    entries = list(islice(entries_of(path, form, encoding, columns), _HEAD))
    values = [one[1] for one in entries if not isinstance(one, Fault)]
    if not values:
        faults = [one for one in entries if isinstance(one, Fault)]
        return (
            f"it has no entry that can be read: line {faults[0].line}: {faults[0].cause}" if faults else "it is empty"
        )
    known = words if set(words) & {*_QUERIES, *_DOCUMENTS} else [*words, *_folder_words(path)]
    columns = columns.of_table(name for one in values for name in one)
    role = _role(values, known, columns)
    return role if role.startswith("it ") else Found(path, form, role, split, _remark(values[0], form, role, columns))


def _words(stem: str) -> list[str]:
    return [word for word in re.split(r"[^a-z]+", stem.lower()) if word]


def _folder_words(path: Path) -> list[str]:
    """Words that the folder adds to the name of a file, as in ``queries/test-00000-of-00001.parquet``."""
    name = path.parent.name.lower()
    return [name] if name in _FOLDERS else []


def _is_qrels(path: Path, words: list[str]) -> bool:
    return "qrels" in words or "qrel" in words or path.parent.name.lower() == "qrels"


def _begins_like_cranfield(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(64).lstrip()
    return head.startswith(b".I ") and b"\n." in head


def _role(values: list[Mapping[str, Any]], words: list[str], columns: Columns) -> str:
    """The role of a table by its first entries and the words of its name, or a sentence that begins with "it"."""
    # Of all first entries: one may lack a field.
    names, bare = list(dict.fromkeys(name for one in values for name in one)), isinstance(values[0], Unnamed)
    texts = {name.strip().lower() for name in columns.texts_of(names)}
    if not bare and not columns.text:
        if {"qid", "neg"} <= set(names):
            return "mined"
        if pair_fields(dict.fromkeys(names)):
            return "pairs"
    if words and words[0] in ("duplicates", "duplicate", "links", "copies"):
        return "links"
    if any("click" in word for word in words):
        if bare or field_of(names, CLICKED):
            return "clicks"
        if not texts - {"query", "question"} and not set(words) & set(_QUERIES):
            return "it has no column of clicked ids"
    if not bare and field_of(names, CLICKS) and field_of(names, CLICKED) and field_of(names, ("query", "question")):
        return "clicks"
    judged = field_of(names, QUERY) and field_of(names, DOCUMENT) and field_of(names, GRADE)
    if judged and not texts - {"query"}:
        return "judgements"
    if set(words) & set(_QUERIES):
        return "queries"
    if bare:
        return _without_header(values, words)
    if texts:
        return "documents"
    return f"it has no column of texts among {', '.join(map(repr, names[:_HEAD]))}: --text-column names one"


def _without_header(values: list[Mapping[str, Any]], words: list[str]) -> str:
    count = len(values[0])
    last = [str(one[str(count - 1)]) for one in values]
    if count in (3, 4) and all(re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", text) for text in last):
        return "judgements"
    if set(words) & set(_DOCUMENTS) or count in (1, 2):
        return "documents"
    return f"it has {count} columns without a known name: --text-column names one, if its first line has names"


def _remark(values: Mapping[str, Any], form: str, role: str, columns: Columns) -> str:
    if isinstance(values, Unnamed):
        # TSV files of MS MARCO have none; a first line without any digit could be one all the same.
        may_be_one = form == "csv" or not any(re.search(r"\d", field) for field in values.values())
        return "no header was recognised" if may_be_one else ""
    if role in ("documents", "queries") and columns.id_of(values) is None:
        return "no column of ids was recognised: the numbers of lines are the ids (--id-column)"
    return ""
