"""Tables of labels beside pictures: CSV with a header, or a list of file names and texts without one."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ssl_domains.samples import ReadError
from ssl_domains_text.lines.files.picture import SUFFIXES
from ssl_domains_text.lines.files.text_file import read_text

__all__ = ["TABLES", "TEXT_COLUMNS", "LabelTable", "read_label_table"]

TABLES = frozenset({".csv", ".tsv", ".txt"})
"""Suffixes of tables of labels."""

TEXT_COLUMNS = (
    "text", "label", "transcript", "transcription", "words", "word", "ground_truth", "groundtruth", "gt", "identity",
)  # fmt: skip
"""Names of the column of the transcripts, in the order in which they are looked for."""

_FILE_COLUMNS = (
    "path", "file", "file_name", "filename", "filepath", "file_path", "image", "image_path", "img", "picture", "name",
    "id",
)  # fmt: skip
_SEPARATORS = ("\t", ",", ";", "|")


@dataclass(frozen=True)
class LabelTable:
    """The rows of a table.

    Attributes:
        files: Name of the picture of each row, as written.
        texts: Its label; None where the table has no column of labels.
        columns: Further columns by name, such as writer and book.
        encoding: Encoding where it is not UTF-8.
        short: Number of rows without a file name, or without a field for the label; they are left out.
    """

    files: list[str] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    columns: dict[str, list[str | None]] = field(default_factory=dict)
    encoding: str | None = None
    short: int = 0


def read_label_table(path: Path) -> LabelTable | None:
    """The labels of a table; None for a file that is no such table.

    A table has a header with a column of files (``path``, ``file``, ``image`` …), and mostly one of labels (``text``,
    ``label``, ``transcription`` …). In a file with tabs, quotes are characters of the label, as in a list without a
    header: lines of a picture's name and its label.

    Raises:
        ReadError: When it is no text, or its quotes don't close.
    """
    text, encoding = read_text(path)
    lines = text.split("\n")
    first = next((line.rstrip("\r") for line in lines if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    if not first.count(separator):
        return None
    rows = _rows(lines, separator)
    header = {_word(name): place for place, name in reversed(list(enumerate(rows[0])))} if rows else {}
    file = next((header[word] for word in _FILE_COLUMNS if word in header), None)
    if file is not None:
        return _with_header(rows, header, file, encoding)
    if rows and PurePosixPath(rows[0][0].strip()).suffix.lower() in SUFFIXES:
        return _without_header(lines, separator, encoding)
    return None


def _rows(lines: list[str], separator: str) -> list[list[str]]:
    if separator == "\t":  # no quotes: a label may be a quote
        return [line.rstrip("\r").split("\t") for line in lines if line.strip()]
    try:
        return [
            row for row in csv.reader((line + "\n" for line in lines), delimiter=separator) if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise ReadError(f"the table can't be read: {error}") from error


def _with_header(rows: list[list[str]], header: dict[str, int], file: int, encoding: str | None) -> LabelTable:
    text = next((header[word] for word in TEXT_COLUMNS if word in header), None)
    others = {word: place for word, place in header.items() if place not in (file, text) and word}
    files, texts, short = list[str](), list[str | None](), 0
    columns: dict[str, list[str | None]] = {word: [] for word in others}
    for row in rows[1:]:
        if len(row) <= max(file, -1 if text is None else text) or not row[file].strip():
            short += 1
            continue
        files.append(row[file].strip())
        texts.append(None if text is None or not row[text].strip() else row[text])
        for word, place in others.items():
            columns[word].append(row[place].strip() or None if place < len(row) else None)
    return LabelTable(files, texts, columns, encoding, short)


def _without_header(lines: list[str], separator: str, encoding: str | None) -> LabelTable:
    """Lines such as ``word_1.png, "Tiredness"`` (ICDAR) or ``0001.jpg<tab>Tiredness``; the label may hold anything."""
    files, texts, short = list[str](), list[str | None](), 0
    for line in lines:
        if not line.strip():
            continue
        name, found, label = line.rstrip("\r").partition(separator)
        if not found or not name.strip():
            short += 1
            continue
        label = label.strip() if separator != "\t" else label
        if separator != "\t" and len(label) >= 2 and label[0] == label[-1] == '"':
            label = label[1:-1].replace('\\"', '"')
        files.append(name.strip())
        texts.append(label)
    return LabelTable(files, texts, {}, encoding, short)


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
