"""Tables of labels beside pictures: CSV with a header, or a list of file names and texts without one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ssl_domains_text.lines.files.text_file import read_text
from ssl_domains_text.lines.labels.csv_rows import CsvRows, csv_fields, csv_rows, names_picture

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
        texts: Its label; None where the field is empty, or the table has no column of labels.
        columns: Further columns by name, such as writer and book.
        encoding: Encoding where it is not UTF-8.
        short: Number of rows without a file name, or without a field for the label; they are left out.
        literal: Numbers of the lines whose quotes are read as characters, as they don't pair.
        faults: (number of the line, why it can't be read) of further rows that are left out.
    """

    files: list[str] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    columns: dict[str, list[str | None]] = field(default_factory=dict)
    encoding: str | None = None
    short: int = 0
    literal: list[int] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)


def read_label_table(path: Path) -> LabelTable | None:
    """The labels of a table; None for a file that is no such table.

    A table has a header with a column of files (``path``, ``file``, ``image`` …), and mostly one of labels (``text``,
    ``label``, ``transcription`` …). In a file with tabs, quotes are characters of the label, as in a list without a
    header: lines of a picture's name and its label. A quote that doesn't pair as in CSV is a character, too.

    Raises:
        ReadError: When it is no text.
    """
    text, encoding = read_text(path)
    lines = [line.rstrip("\r") for line in text.split("\n")]
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return None
    header = _header(lines[first])
    if header is not None:
        rows = csv_rows(lines, first, header.separator, header.width, header.file)
        return _with_header(rows, header, encoding)
    separator = _separator_of_list(lines[first])
    return None if separator is None else _without_header(lines, separator, encoding)


@dataclass(frozen=True)
class _Header:
    """The header of a table: its separator, the place of each column, that of files, that of labels if there is one."""

    separator: str
    width: int
    places: Mapping[str, int]
    file: int
    text: int | None


def _header(line: str) -> _Header | None:
    """A line as a header, by the separator that gives a column of files, best one of labels too; None if none does."""
    found = []
    for separator in _SEPARATORS:
        names = (csv_fields(line, separator) or line.split(separator)) if separator in line else []
        places = {_word(name): place for place, name in reversed(list(enumerate(names)))}
        file = next((places[word] for word in _FILE_COLUMNS if word in places), None)
        if file is not None:
            text = next((places[word] for word in TEXT_COLUMNS if word in places), None)
            found.append(_Header(separator, len(names), places, file, text))
    return max(found, key=lambda header: header.text is not None, default=None)


def _separator_of_list(line: str) -> str | None:
    """The separator of a list without a header: a tab, else the first one, after the name of a picture."""
    ends = {line.find(one): one for one in _SEPARATORS if names_picture(line.partition(one)[0]) and one in line}
    return "\t" if "\t" in ends.values() else ends[min(ends)] if ends else None


def _with_header(rows: CsvRows, header: _Header, encoding: str | None) -> LabelTable:
    file, text = header.file, header.text
    others = {word: place for word, place in header.places.items() if place not in (file, text) and word}
    files, texts, short = list[str](), list[str | None](), 0
    columns: dict[str, list[str | None]] = {word: [] for word in others}
    for row in rows.rows:
        if len(row) <= max(file, -1 if text is None else text) or not row[file].strip():
            short += 1
            continue
        files.append(row[file].strip())
        texts.append(None if text is None or not row[text].strip() else row[text])
        for word, place in others.items():
            columns[word].append(row[place].strip() or None if place < len(row) else None)
    return LabelTable(files, texts, columns, encoding, short, rows.literal, rows.faults)


def _without_header(lines: Sequence[str], separator: str, encoding: str | None) -> LabelTable:
    """Lines such as ``word_1.png, "Tiredness"`` (ICDAR) or ``0001.jpg<tab>Tiredness``; the label may hold anything."""
    files, texts, short = list[str](), list[str | None](), 0
    for line in lines:
        if not line.strip():
            continue
        name, found, label = line.partition(separator)
        if not found or not name.strip():
            short += 1
            continue
        label = label.strip() if separator != "\t" else label
        if separator != "\t" and len(label) >= 2 and label[0] == label[-1] == '"':
            label = label[1:-1].replace('\\"', '"')
        files.append(name.strip())
        texts.append(label if label.strip() else None)
    return LabelTable(files, texts, {}, encoding, short)


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
