"""The lines of LMDB databases: ``image-%09d``, ``label-%09d`` and further values of each number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, ReadError, each_file
from ssl_domains_text.lines.files.lmdb_file import LmdbFile, Span
from ssl_domains_text.lines.files.picture import header_of_bytes
from ssl_domains_text.lines.scanning.line import Line, Lines, unusable
from ssl_domains_text.lines.scanning.pictures import further_pages, turned_note
from ssl_domains_text.lines.scanning.rows import RESERVED
from ssl_domains_text.lines.scanning.sample_names import unique_names

__all__ = ["DATABASES", "image_key", "is_database", "lines_of_databases"]

DATABASES = frozenset({".mdb", ".lmdb"})
"""Suffixes of databases."""

_KEY = re.compile(rb"([A-Za-z][A-Za-z0-9_]*)-(\d{9})")
_COUNT = b"num-samples"
_LONGEST = 400  # bytes of a further value that becomes a column
_NO_TEXT = "no UTF-8 text"


def is_database(path: Path) -> bool:
    """Whether a file is called like a database; ``lock.mdb`` is no data."""
    return path.suffix.lower() in DATABASES and path.name.lower() != "lock.mdb"


def image_key(entry: int) -> bytes:
    """Key of a picture: ``image-000000001`` is the first."""
    return b"image-%09d" % entry


def lines_of_databases(files: Sequence[Path], name: Callable[[Path], str], problems: Problems) -> Lines:
    """The lines of databases, by the keys and the first bytes of each picture.

    Args:
        files: The databases.
        name: Gives the name of the folder of a database relative to the source; empty for the source itself.
        problems: Takes what is wrong with a database or an entry. The entry 7 is written as ``data.mdb#7``.
    """
    made = Lines()
    # a.mdb may lie beside a/data.mdb.
    prefixes = dict(zip(files, unique_names([name(path) for path in files]), strict=True))
    orientations: list[int] = []
    for path, value in each_file(files, _read, problems, "databases"):
        declared, rows, missing, unread, others, turned, several = value
        orientations += turned
        readable = 0
        prefix = prefixes[path] if len(files) > 1 else ""
        for entry, width, height, label, cause, facts in rows:
            bad = unusable(width, height)
            if bad:
                unread.append([entry, bad])
                continue
            sample = f"{prefix}:{entry:09d}" if prefix else f"{entry:09d}"
            readable += 1
            made.lines.append(Line(str(path), sample, width, height, label, cause, entry, facts=facts))
        for entry, cause in unread:
            problems.add(f"{path}#{entry}", f"the picture of an entry: {cause}")
        for entry, pages in several:
            problems.add(f"{path}#{entry}", further_pages(pages))
        for entry, labelled in missing:
            words = "an entry has a label and no picture" if labelled else "a declared entry is not there"
            problems.add(f"{path}#{entry}", words)
        if others:
            count, example = others
            keys = plural(count, "key is", "keys are")
            made.notes.append(f"{keys} of another form and passed over, such as {example!r}")
        if declared is None:
            made.notes.append(f"{path.name} doesn't declare a number of entries (num-samples): all keys are read")
        elif declared != readable:
            words = f"num-samples declares {plural(declared, 'entry', 'entries')}, {readable:,} have a readable picture"
            problems.add(path, words)
            made.notes.append(f"{words}: the keys are counted")
    made.notes += turned_note(orientations)
    return made


def _read(path: Path) -> list[Any]:
    """What a database holds, as a list that JSON can hold.

    It has the declared number, the entries, entries without picture, unreadable pictures, the number of other keys and
    an example of them (or nothing), the orientation tags that there are, and entries of several pages.
    """
    file = LmdbFile(str(path))
    data = file.mapped()
    pictures: dict[int, Span] = {}
    labels: dict[int, Span] = {}
    further: dict[str, dict[int, Span]] = {}
    declared: int | None = None
    others: list[Any] = []
    for key, span in file.spans():
        if key == _COUNT:
            declared = _whole(data[span.start : span.start + min(span.size, 32)])
            continue
        match = _KEY.fullmatch(key)
        if match is None:
            others = [others[0] + 1, others[1]] if others else [1, key[:40].decode("ascii", "backslashreplace")]
            continue
        family, number = match[1].decode(), int(match[2])
        if family == "image":
            pictures[number] = span
        elif family == "label":
            labels[number] = span
        elif span.size <= _LONGEST:
            further.setdefault(family.lower(), {})[number] = span
    if not pictures and not labels:
        has = f"; it has {plural(others[0], 'other')}, such as {others[1]!r}" if others else ""
        raise ReadError(f"the database has no keys such as image-000000001{has}")
    rows, unread, orientations, several = [], [], [], []
    for entry, span in pictures.items():
        try:
            header = header_of_bytes(data, *span)
        except ReadError as error:
            unread.append([entry, str(error)])
            continue
        if header.orientation != 1:
            orientations.append(header.orientation)
        if header.pages > 1:
            several.append([entry, header.pages])
        label, cause = None, ""
        if entry in labels:
            where = labels[entry]
            try:
                label = data[where.start : where.start + where.size].decode()
            except UnicodeDecodeError:
                cause = _NO_TEXT
        rows.append([entry, *header.size, label, cause, _facts(data, further, entry)])
    first = 0 if 0 in pictures or 0 in labels else 1  # some programs count from 0
    believable = declared is not None and declared <= 10 * (len(pictures) + len(labels) + 100)
    numbers = range(first, first + declared) if declared is not None and believable else ()
    missing = sorted({*labels, *numbers} - {*pictures})
    return [declared, rows, [[entry, entry in labels] for entry in missing], unread, others, orientations, several]


def _facts(data: Any, further: dict[str, dict[int, Span]], entry: int) -> dict[str, str | None]:
    """Values of further keys of an entry, such as ``writer-000000001``, that are short UTF-8 text."""
    found: dict[str, str | None] = {}
    for family, spans in further.items():
        if family in RESERVED or entry not in spans:
            continue
        where = spans[entry]
        try:
            found[family] = data[where.start : where.start + where.size].decode()
        except UnicodeDecodeError:
            continue
    return found


def _whole(value: bytes) -> int | None:
    try:
        return int(value)
    except ValueError:
        return None
