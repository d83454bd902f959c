"""The rows of the texts of one file: copied, measured and cut, a block of texts at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ssl_domains.samples import Problems
from ssl_domains_text.documents.files import Fault, Found, Reading, Record, guarded, records_of
from ssl_domains_text.documents.scanning.text_copy import TextCopy
from ssl_domains_text.documents.scanning.words import count_words, cut_text

__all__ = ["MOST_FAULTS", "FileRows", "content_code", "read_as", "rows_of_file"]

MOST_FAULTS = 100
"""Problems of one file that are listed each; the others are counted."""

_BLOCK = 20_000


@dataclass
class FileRows:
    """The texts of a file.

    Attributes:
        frames: Their rows, block by block.
        related: Ids of query and document, and the grade, of each line of a file of clicks or pairs.
        unclicked: Number of lines of a file of clicks whose document was not clicked.
        words: Number of words of all documents.
        blank: Number of blank texts that were left out.
        faults: Number of entries that could not be read.
    """

    frames: list[pl.DataFrame] = field(default_factory=list)
    related: list[tuple[str, str, float]] = field(default_factory=list)
    words: int = 0
    blank: int = 0
    faults: int = 0
    unclicked: int = 0


def read_as(found: Found, reading: Reading) -> str:
    """How a file is read, as the table records it: ``"jsonl documents utf-8 as-written"``; see `Reading.code`."""
    return f"{found.form} {found.role} {reading.code()}"


def content_code(text: str) -> int:
    """A number that is equal for equal texts, whatever their white space."""
    digest = hashlib.blake2b(" ".join(text.split()).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def rows_of_file(
    found: Found,
    name: str,
    reading: Reading,
    chunk: int | None,
    copy: TextCopy,
    problems: Problems,
    short_ids: bool = True,
) -> FileRows:
    """Read the texts of a file: their rows, with blank texts and entries that can't be read among the problems.

    Args:
        found: The file.
        name: Its name below the scanned folder, for the column ``array``.
        reading: How its texts are read.
        chunk: Words of a piece that long documents are cut into; None leaves them whole.
        copy: Takes the texts.
        problems: Takes what is left out.
        short_ids: Whether ids that are made for texts without one leave out the name of the file; see `records_of`.
    """
    made = FileRows()
    block = _Block(name, str(found.path), read_as(found, reading), copy.path)
    known: set[str] = set()  # queries that a file of clicks names again and again
    records = records_of(found.path, found.form, found.role, reading, name, short_ids)
    for record in guarded(records, found.path):
        if isinstance(record, Fault):
            made.faults += 1
            if made.faults <= MOST_FAULTS:
                problems.add(f"{found.path}:{record.line}", record.cause)
            continue
        if found.role == "clicks" and record.grade <= 0:
            made.unclicked += 1
            continue
        text = record.text.strip()
        if not text:
            made.blank += 1
            if made.blank <= MOST_FAULTS:
                problems.add(f"{found.path}:{record.line}", f"the {record.side} {record.id!r} is empty")
            continue
        if record.other is not None:
            made.related.append((record.id, record.other, record.grade))
            if record.id in known:
                continue
            known.add(record.id)
        made.words += block.add(record, text, chunk if record.side == "document" else None, copy)
        if len(block) >= _BLOCK:
            made.frames.append(block.frame())
    if len(block):
        made.frames.append(block.frame())
    for count, what in ((made.faults, "entries can't be read"), (made.blank, "texts are empty")):
        if count > MOST_FAULTS:
            problems.add(found.path, f"{count - MOST_FAULTS:,} more {what}")
    return made


class _Block:
    """Columns of some rows of one file."""

    def __init__(self, name: str, path: str, reading: str, copy: Path | None) -> None:
        self._shared: dict[str, Any] = {"path": path}
        if copy is not None:
            self._shared |= {"copy_path": str(copy), "array": name}
        self._shared["read_as"] = reading
        self._copied = copy is not None
        self._clear()

    def _clear(self) -> None:
        self._ids, self._sides = list[str](), list[bool]()
        self._starts, self._stops = list[int](), list[int]()
        self._lengths, self._contents, self._wholes = list[int](), list[int](), list[int]()
        self._lines, self._chunks = list[int](), list[int]()

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, record: Record, text: str, chunk: int | None, copy: TextCopy) -> int:
        """Add the rows of a text, one for each piece; returns its number of words."""
        encoded = text.encode("utf-8", "replace")  # JSON may hold halves of surrogate pairs
        start, stop = copy.add(encoded)
        start, stop = (start, stop) if self._copied else (0, len(encoded))
        words, whole = count_words(text), content_code(text)
        if chunk is None or words <= chunk:
            self._row(record, start, stop, words, whole, whole, 0)
            return words
        for number, (first, last) in enumerate(cut_text(text, chunk), start=1):
            low = start + len(text[:first].encode("utf-8", "replace"))
            piece = text[first:last]
            high = low + len(piece.encode("utf-8", "replace"))
            self._row(record, low, high, count_words(piece), content_code(piece), whole, number)
        return words

    def _row(self, record: Record, start: int, stop: int, length: int, content: int, whole: int, chunk: int) -> None:
        self._ids.append(record.id)
        self._sides.append(record.side == "query")
        self._starts.append(start)
        self._stops.append(stop)
        self._lengths.append(length)
        self._contents.append(content)
        self._wholes.append(whole)
        self._lines.append(record.line)
        self._chunks.append(chunk)

    def frame(self) -> pl.DataFrame:
        """The rows that were added since the last call."""
        query = pl.Series("query", self._sides)
        columns: dict[str, Any] = {
            "id": self._ids,
            "line": pl.Series(self._lines, dtype=pl.Int32),
            "length": pl.Series(self._lengths, dtype=pl.Int32),
            "content": pl.Series(self._contents, dtype=pl.Int64),
            "whole": pl.Series(self._wholes, dtype=pl.Int64),
            "chunk": pl.Series(self._chunks, dtype=pl.Int32),
            "query": query,
        }
        regions = np.array([self._starts, self._stops], dtype=np.int64).T
        made = pl.DataFrame(columns).with_columns(
            pl.Series("region", regions).cast(pl.List(pl.Int64)),
            side=pl.when("query").then(pl.lit("query")).otherwise(pl.lit("document")),
            **{name: pl.lit(value) for name, value in self._shared.items()},
        )
        piece = pl.when(pl.col("chunk") > 0).then(pl.format("#{}", "chunk")).otherwise(pl.lit(""))
        item = pl.concat_str(pl.when("query").then(pl.lit("q/")).otherwise(pl.lit("d/")), "id")
        made = made.with_columns(sample=pl.concat_str(item, piece))
        if not self._copied:
            made = made.with_columns(array=item)
        self._clear()
        order = ("sample", "id", "side", "path", "line", "read_as", "array", "region", "length", "content")
        return made.select(*order, "whole", "chunk", *(["copy_path"] if self._copied else []))
