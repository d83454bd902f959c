"""The texts of a file, whatever its form: documents, queries, or both, as files of clicks and of pairs hold them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ssl_domains_text.documents.files.cranfield import cranfield_records
from ssl_domains_text.documents.files.fields import ANCHOR, CLICKED, ID, field_of, id_text, text_fields
from ssl_domains_text.documents.files.lines import numbered_lines
from ssl_domains_text.documents.files.record import Fault, Record, joined
from ssl_domains_text.documents.files.tables import Entry, Unnamed, entries_of

__all__ = ["records_of"]

_MS_MARCO_DOCUMENTS = 4  # columns of its collection of documents: id, address, title, body


def records_of(
    path: Path,
    form: str,
    role: str,
    encoding: str = "utf-8",
    name: str | None = None,
    strip_titles: bool = False,
) -> Iterator[Record | Fault]:
    """Yield the texts of a file, in its order.

    Args:
        path: The file.
        form: ``"jsonl"``, ``"tsv"``, ``"csv"``, ``"parquet"``, ``"cranfield"``, ``"txt"`` (the file is a text) or
            ``"lines"`` (each line is one).
        role: ``"documents"``, ``"queries"``, ``"clicks"`` (queries with the id of a clicked document) or ``"pairs"``
            (queries with the text of their document; equal texts are one query, or one document).
        encoding: Encoding of a text file.
        name: Name of the file for ids that are made of it, such as its path below a folder; None for its own.
        strip_titles: Whether a body that begins with its title stands for both; else the title is there twice.

    Raises:
        OSError: When the file can't be read.
    """
    side = "query" if role == "queries" else "document"
    if form == "cranfield":
        return cranfield_records(path, side, encoding, strip_titles)
    name = name or path.name
    if form == "txt":
        return _whole(path, side, encoding, name)
    if form == "lines":
        return _each_line(path, side, encoding, name)
    entries = entries_of(path, form, encoding)
    if role == "clicks":
        return _clicks(entries, path.stem)
    if role == "pairs":
        return _pairs(entries, path.stem)
    return _texts(entries, side, strip_titles)


def _whole(path: Path, side: str, encoding: str, name: str) -> Iterator[Record | Fault]:
    lines = []
    for one in numbered_lines(path, encoding):
        if isinstance(one, Fault):
            yield one
            return
        lines.append(one[1])
    yield Record(name, "\n".join(lines), 1, side)


def _each_line(path: Path, side: str, encoding: str, name: str) -> Iterator[Record | Fault]:
    for one in numbered_lines(path, encoding):
        yield one if isinstance(one, Fault) else Record(f"{name}:{one[0]}", one[1], one[0], side)


def _texts(entries: Iterator[Entry | Fault], side: str, strip_titles: bool) -> Iterator[Record | Fault]:
    for entry in entries:
        if isinstance(entry, Fault):
            yield entry
            continue
        line, values = entry
        name, parts = _fields(values)
        identity = id_text(values.get(name)) if name is not None else str(line)
        if identity is None:
            yield Fault(line, f"no id: its field {name!r} is missing")
        elif not parts:
            yield Fault(line, f"no text: it has {', '.join(map(repr, values)) or 'no field'}")
        else:
            text = joined(*(values[part] for part in parts), strip_titles=strip_titles)
            yield Record(identity, text, line, side)


def _fields(values: Any) -> tuple[str | None, list[str]]:
    """Names of the id (None: the line is the id) and of the parts of the text."""
    if isinstance(values, Unnamed):
        count = len(values)
        if count == 1:
            return None, ["0"]
        return "0", ["2", "3"] if count == _MS_MARCO_DOCUMENTS else [str(place) for place in range(1, count)]
    parts = text_fields(values)
    name = field_of(values, ID)
    return name, [part for part in parts if part != name]


def _clicks(entries: Iterator[Entry | Fault], stem: str) -> Iterator[Record | Fault]:
    """Queries by their text, each once, with one record for each document that was clicked."""
    seen: dict[str, str] = {}
    for entry in entries:
        if isinstance(entry, Fault):
            yield entry
            continue
        line, values = entry
        bare = isinstance(values, Unnamed)
        query = "0" if bare else field_of(values, ("query", "text", "question"))
        clicked = "1" if bare else field_of(values, CLICKED)
        if query is None or clicked not in values:
            yield Fault(line, f"no query or no clicked id: it has {', '.join(map(repr, values))}")
            continue
        document = id_text(values[clicked])
        if document is None:
            yield Fault(line, "no id of a clicked document")
            continue
        text = "" if values[query] is None else str(values[query]).strip()
        named = None if bare else field_of(values, ("qid", "query_id", "query-id"))
        given = id_text(values[named]) if named is not None else None
        identity = given or seen.setdefault(" ".join(text.split()), f"{stem}-{len(seen) + 1}")
        yield Record(identity, text, line, "query", document)


def _pairs(entries: Iterator[Entry | Fault], stem: str) -> Iterator[Record | Fault]:
    """Both texts of each pair: a document first, then the query that belongs to it."""
    queries: dict[str, str] = {}
    documents: dict[str, str] = {}
    for entry in entries:
        if isinstance(entry, Fault):
            yield entry
            continue
        line, values = entry
        fields = next((names for names in ANCHOR if all(field_of(values, (name,)) for name in names)), None)
        if fields is None:
            yield Fault(line, f"no pair of texts: it has {', '.join(map(repr, values))}")
            continue
        first, second = (str(values[field_of(values, (name,)) or name] or "").strip() for name in fields)
        if not first or not second:
            yield Fault(line, f"a blank text in {fields[0] if not first else fields[1]!r}")
            continue
        document = documents.get(second)
        if document is None:
            document = documents[second] = f"{stem}-{len(documents) + 1}"
            yield Record(document, second, line, "document")
        yield Record(queries.setdefault(first, f"{stem}-{len(queries) + 1}"), first, line, "query", document)
