"""The texts of a file, whatever its form: documents, queries, or both, as files of clicks and of pairs hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ssl_domains_text.documents.files.clicks import click_records
from ssl_domains_text.documents.files.cranfield import cranfield_records
from ssl_domains_text.documents.files.fields import id_text, text_of
from ssl_domains_text.documents.files.lines import numbered_lines
from ssl_domains_text.documents.files.reading import Columns, Reading
from ssl_domains_text.documents.files.record import Fault, Record, joined
from ssl_domains_text.documents.files.tables import Entry, Unnamed, entries_of
from ssl_domains_text.documents.files.text_pairs import pair_records

__all__ = ["records_of"]

_HEAD = 5  # entries of a table, by whose fields its columns are known
_MS_MARCO_DOCUMENTS = 4  # columns of its collection of documents: id, address, title, body


def records_of(
    path: Path,
    form: str,
    role: str,
    reading: Reading,
    name: str | None = None,
    short_ids: bool = True,
) -> Iterator[Record | Fault]:
    """Yield the texts of a file, in its order.

    Args:
        path: The file.
        form: ``"jsonl"``, ``"tsv"``, ``"csv"``, ``"parquet"``, ``"cranfield"``, ``"txt"`` (the file is a text) or
            ``"lines"`` (each line is one).
        role: ``"documents"``, ``"queries"``, ``"clicks"`` (queries with the id of a clicked document) or ``"pairs"``
            (queries with the text of their document; equal texts are one query, or one document).
        reading: How texts are read.
        name: Name of the file for ids that are made of it, such as its path below a folder; None for its own.
        short_ids: Whether ids that are made for texts without one are short, such as ``3`` for line 3 and ``clicks-1``
            for the first query of ``clicks.tsv``; else they have the ``name`` in them, and differ between files.

    Raises:
        OSError: When the file can't be read.
    """
    side, encoding = "query" if role == "queries" else "document", reading.encoding
    if form == "cranfield":
        return cranfield_records(path, side, encoding, reading.strip_titles)
    name = name or path.name
    if form == "txt":
        return _whole(path, side, encoding, name)
    if form == "lines":
        return _each_line(path, side, encoding, name)
    entries = entries_of(path, form, encoding, reading.columns)
    if role == "clicks":
        return click_records(entries, path.stem if short_ids else name)
    if role == "pairs":
        return pair_records(entries, path.stem if short_ids else name)
    first = list(islice(entries, _HEAD))
    columns = reading.columns.of_table(name for one in first if not isinstance(one, Fault) for name in one[1])
    return _texts(chain(first, entries), side, replace(reading, columns=columns), name, short_ids)


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


def _texts(
    entries: Iterator[Entry | Fault], side: str, reading: Reading, file: str, short_ids: bool
) -> Iterator[Record | Fault]:
    prefix = "" if short_ids else f"{file}:"
    for entry in entries:
        if isinstance(entry, Fault):
            yield entry
            continue
        line, values = entry
        name, parts = _fields(values, reading.columns)
        identity = id_text(values.get(name)) if name is not None else f"{prefix}{line}"
        if name is not None:
            prefix = f"{file}:"  # the number of a line could be the id of another text of this file
        if identity is None:
            yield Fault(line, f"no id: its field {name!r} is missing")
        elif not parts:
            yield Fault(line, f"no text: it has {', '.join(map(repr, values)) or 'no field'}")
        else:
            texts = [text_of(values[part]) for part in parts]
            if None in texts:
                part = parts[texts.index(None)]
                yield Fault(line, f"its field {part!r} is no text, but a value of type {type(values[part]).__name__}")
            else:
                yield Record(identity, joined(*texts, strip_titles=reading.strip_titles), line, side)


def _fields(values: Any, columns: Columns) -> tuple[str | None, list[str]]:
    """Names of the id (None: the line is the id) and of the parts of the text."""
    if isinstance(values, Unnamed):
        count = len(values)
        if count == 1:
            return None, ["0"]
        parts = [str(place) for place in range(1, count)]
        if count == _MS_MARCO_DOCUMENTS and (not values["1"].strip() or "://" in values["1"]):
            parts = parts[1:]
        return "0", parts
    name, parts = columns.id_of(values), columns.texts_of(values)
    return name, [part for part in parts if part != name]
