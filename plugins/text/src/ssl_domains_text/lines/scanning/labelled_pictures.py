"""Pictures of lines in folders, with or without a table of their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ssl_domains.errors import UsageError
from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, Unreadable, read_guarded
from ssl_domains_text.lines.labels.label_table import TABLES, LabelTable, read_label_table
from ssl_domains_text.lines.labels.text_beside import TEXT_BESIDE, texts_beside
from ssl_domains_text.lines.scanning.line import Line, Lines, unusable
from ssl_domains_text.lines.scanning.pictures import Pictures, headers_of

__all__ = ["RESERVED", "lines_of_pictures", "named_table", "tables_of_labels"]

RESERVED = frozenset(
    {"sample", "path", "array", "region", "entry", "outline", "text", "text_problem", "direction", "width", "height"}
)
"""Columns of the reader; those of a table of labels are passed over."""

_LARGEST_GUESS = 64 << 20  # bytes of a file that is tried as a table without being named


def tables_of_labels(files: Sequence[Path], pictures: Pictures) -> list[tuple[Path, LabelTable]]:
    """The files that are tables of labels and name at least one of the pictures."""
    found = []
    for path in files:
        if path.name.lower().endswith(TEXT_BESIDE):
            continue
        if path.suffix.lower() in TABLES and path.stat().st_size <= _LARGEST_GUESS:
            table = read_guarded(lambda path=path: read_label_table(path), path)  # type: ignore[misc]
            if isinstance(table, LabelTable) and any(
                isinstance(pictures.named(one, path.parent), Path) for one in table.files
            ):
                found.append((path, table))
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
    made = Lines()
    labels: dict[Path, str | None] = {**texts_beside(files, pictures.files, problems)}
    if labels:
        made.notes.append(
            f"{plural(len(labels), 'picture has its text', 'pictures have their texts')} in .gt.txt beside"
        )
    facts: dict[Path, dict[str, str | None]] = {}
    several: set[Path] = set()
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
            if picture in labels and labels[picture] != table.texts[row]:
                several.add(picture)
            labels.setdefault(picture, table.texts[row])
            known = facts.setdefault(picture, {})
            known.update({word: values[row] for word, values in table.columns.items() if word not in RESERVED})
        made.notes.append(_table_note(path, table, absent))
    sizes = dict(headers_of(pictures.files, problems))
    for picture, size in sizes.items():
        bad = unusable(*size)
        if bad:
            problems.add(picture, bad)
            continue
        cause = "several labels in the tables" if picture in several else ""
        label = None if cause else labels.get(picture)
        made.lines.append(Line(str(picture), name(picture), *size, label, cause, facts=facts.get(picture, {})))
    return made


def _table_note(path: Path, table: LabelTable, absent: int) -> str:
    rows = len(table.files)
    note = f"{path.name} is read as a table of {plural(rows, 'line')}"
    note += f", {plural(absent, 'picture')} of which {'is' if absent == 1 else 'are'} not here" if absent else ""
    note += f"; {plural(table.short, 'row')} without a file or a label field left out" if table.short else ""
    note += f"; it is {table.encoding} text" if table.encoding else ""
    return note
