"""Pictures of lines in folders, with or without a table of their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ssl_domains.errors import UsageError
from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, Unreadable, read_guarded
from ssl_domains_text.lines.labels.label_table import TABLES, LabelTable, read_label_table
from ssl_domains_text.lines.labels.picture_labels import PictureLabels
from ssl_domains_text.lines.labels.text_beside import TEXT_BESIDE, texts_beside
from ssl_domains_text.lines.scanning.line import Line, Lines, unusable
from ssl_domains_text.lines.scanning.pictures import Pictures, headers_of, turned_note
from ssl_domains_text.lines.scanning.rows import RESERVED

__all__ = ["lines_of_pictures", "named_table", "tables_of_labels"]

_SHOWN = 5
_LARGEST_GUESS = 64 << 20  # bytes of a file that is tried as a table without being named


def tables_of_labels(files: Sequence[Path], pictures: Pictures, problems: Problems) -> list[tuple[Path, LabelTable]]:
    """The files that are tables of labels and name at least one of the pictures.

    Args:
        files: All files of the source.
        pictures: The pictures among them.
        problems: Takes files with the suffix of a table that can't be read.
    """
    found = []
    for path in files:
        if path.name.lower().endswith(TEXT_BESIDE):
            continue
        if path.suffix.lower() in TABLES and path.stat().st_size <= _LARGEST_GUESS:
            table = read_guarded(lambda path=path: read_label_table(path), path)  # type: ignore[misc]
            if isinstance(table, Unreadable):
                problems.add(path, table.cause)
            elif table is None:
                continue
            elif any(isinstance(pictures.named(one, path.parent), Path) for one in table.files):
                found.append((path, table))
            elif table.faults and not table.files:
                problems.add(path, f"no row of the table can be read, the first because: {table.faults[0][1]}")
    return found


def named_table(path: Path) -> tuple[Path, LabelTable]:
    """The table that a user names.

    Raises:
        UsageError: When it is not there, or no such table.
    """
    if not path.is_file():
        raise UsageError(f"there is no table {str(path)!r}", "--labels names a CSV file, or a list of files and texts")
    table = read_guarded(lambda: read_label_table(path), path)
    if not isinstance(table, LabelTable):
        cause = table.cause if isinstance(table, Unreadable) else "it has no column of files"
        raise UsageError(
            f"{path.name} is no table of labels: {cause}",
            "its header names the columns file and text, or path and label",
        )
    return path, table


def lines_of_pictures(
    files: Sequence[Path],
    tables: Sequence[tuple[Path, LabelTable]],
    name: Callable[[Path], str],
    problems: Problems,
    base: Path,
) -> Lines:
    """Every picture as a line, with the labels of tables and of text files beside pictures.

    Args:
        files: All files of the source.
        tables: Tables of labels with their paths.
        name: Gives the name of a file relative to the source.
        problems: Takes pictures that can't be read, and rows whose picture is not there.
        base: Folder of the source, from which names in a table may count as well as from the table.
    """
    pictures = Pictures.among(files)
    beside = texts_beside(files, pictures.files, problems)
    known = PictureLabels(beside.labels)
    made = Lines(notes=beside.notes())
    for path, table in tables:
        absent = 0
        for row, written in enumerate(table.files):
            picture = pictures.named(written, path.parent)
            if isinstance(picture, str):
                picture = pictures.named(written, base)
            if isinstance(picture, str):
                absent += 1
                problems.add(f"{path}#{written}", "a row of the table whose picture is not here")
                continue
            columns = {word: values[row] for word, values in table.columns.items() if word not in RESERVED}
            known.add(picture, table.texts[row], columns)
        for number, cause in table.faults:
            problems.add(f"{path}#line {number}", cause)
        made.notes.append(_table_note(path, table, absent))
    made.notes += known.notes()
    sizes = dict(headers_of(pictures.files, problems))
    made.notes += turned_note(header.orientation for header in sizes.values())
    for picture, header in sizes.items():
        bad = unusable(*header.size)
        if bad:
            problems.add(picture, bad)
            continue
        cause = "several labels in the tables" if picture in known.several else ""
        label = None if cause else known.labels.get(picture)
        facts = known.facts.get(picture, {})
        made.lines.append(Line(str(picture), name(picture), *header.size, label, cause, facts=facts))
    return made


def _table_note(path: Path, table: LabelTable, absent: int) -> str:
    rows = len(table.files)
    note = f"{path.name} is read as a table of {plural(rows, 'line')}"
    note += f", {plural(absent, 'picture')} of which {'is' if absent == 1 else 'are'} not here" if absent else ""
    note += f"; {plural(table.short, 'row')} without a file or a label field left out" if table.short else ""
    if table.literal:
        shown = ", ".join(map(str, table.literal[:_SHOWN])) + (", …" if len(table.literal) > _SHOWN else "")
        note += f"; quotes that don't pair are read as characters (line {shown})"
    note += f"; {plural(len(table.faults), 'row')} that can't be read left out" if table.faults else ""
    note += f"; it is {table.encoding} text" if table.encoding else ""
    return note
