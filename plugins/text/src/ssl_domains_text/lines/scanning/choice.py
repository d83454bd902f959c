"""Chooses the form of a source, and finds its lines."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import Problems, folder_columns, folder_note, walk
from ssl_domains_text.lines.files.picture import SUFFIXES
from ssl_domains_text.lines.labels.label_table import TABLES, LabelTable
from ssl_domains_text.lines.labels.text_beside import TEXT_BESIDE, text_names
from ssl_domains_text.lines.scanning.databases import is_database, lines_of_databases
from ssl_domains_text.lines.scanning.iam_lines import iam_lists, lines_of_iam
from ssl_domains_text.lines.scanning.labelled_pictures import (
    lines_of_pictures,
    named_table,
    tables_of_labels,
)
from ssl_domains_text.lines.scanning.line import Lines
from ssl_domains_text.lines.scanning.page_files import lines_of_pages, page_files
from ssl_domains_text.lines.scanning.pictures import Pictures
from ssl_domains_text.lines.scanning.rows import RESERVED

__all__ = ["FORMS", "Source", "find_lines"]

FORMS = {
    "lmdb": "LMDB databases",
    "iam": "lists of IAM (words.txt, lines.txt)",
    "pages": "PAGE-XML and ALTO",
    "table": "pictures with a table of labels, or a text beside each",
    "pictures": "pictures without labels",
}
"""Forms of a source, in the order in which they are looked for."""

_SHOWN = 6


@dataclass(frozen=True)
class Source:
    """What is scanned.

    Attributes:
        path: Folder or file.
        form: A key of `FORMS`, or ``auto``: the first form of which there is something.
        labels: Tables of labels that are named; their lines are pictures of the source.
        folders: Columns from folders, as ``writer/book``; None for none.
        segmentation: What is done with IAM's entries that are marked as wrongly segmented.
    """

    path: Path
    form: str = "auto"
    labels: tuple[Path, ...] = ()
    folders: str | None = None
    segmentation: str = "keep"


def find_lines(source: Source, problems: Problems) -> Lines:
    """The lines of a source.

    Raises:
        UsageError: For an unknown form, or one of which there is nothing.
    """
    if source.form not in (*FORMS, "auto"):
        raise UsageError(f"--format {source.form} is not known", did_you_mean(source.form, ("auto", *FORMS)))
    root, files = _files(source.path, problems)
    base = str(root).rstrip("/") + "/"

    def name(path: Path) -> str:
        return str(path).removeprefix(base) if str(path).startswith(base) else os.path.relpath(path, root)

    form, made, used = _read(source, files, root, name, problems)
    if form is None:
        return Lines()
    if source.form == "auto":
        made.notes.insert(0, f"the source is read as {FORMS[form]} (--format chooses another form)")
    # A database counts by its folder, a picture by its own path.
    paths = [name(Path(line.path)) for line in made.lines]
    columns = folder_columns(paths, source.folders, RESERVED) if source.folders is not None else {}
    for word, values in columns.items():
        for line, value in zip(made.lines, values, strict=True):
            line.facts = {**line.facts, word: value}
    known = {word for line in made.lines[:1000] for word, value in line.facts.items() if value}
    offered = folder_note(paths, source.folders, known, ("writer", "book", "page"), "book") if made.lines else ""
    made.notes += [note for note in (offered, _passed(files, used)) if note]
    return made


def _files(path: Path, problems: Problems) -> tuple[Path, list[Path]]:
    """The folder that names count from, and the files of a source; the whole folder for a list or an XML file.

    A picture comes with the text beside it.
    """
    if path.is_dir():
        return path, list(walk(path, problems))
    folder = path.parent
    if path.suffix.lower() not in (".txt", ".xml", ".csv", ".tsv"):
        beside = text_names(path) if path.suffix.lower() in SUFFIXES else []
        return folder, [path, *[one for one in beside if one.is_file()][:1]]
    # The pictures of a list or a page lie beside it, or beside its folder (ascii/words.txt, page/0001.xml).
    near = list(walk(folder, problems))
    if not any(one.suffix.lower() in SUFFIXES for one in near) and folder.parent != folder:
        folder = folder.parent
        near = list(walk(folder, problems))
    others = {".txt", ".xml", ".csv", ".tsv"}
    kept = [one for one in near if one == path or one.suffix.lower() not in others or one.name.lower() == "forms.txt"]
    return folder, kept


def _read(
    source: Source, files: list[Path], root: Path, name: Callable[[Path], str], problems: Problems
) -> tuple[str | None, Lines, set[Path]]:
    """The form that is read, its lines, and the files that it needs but for pictures."""
    wanted = (source.form,) if source.form != "auto" else ("table", *FORMS) if source.labels else tuple(FORMS)
    for form in wanted:
        if form == "lmdb" and (databases := [one for one in files if is_database(one)]):

            def folder(path: Path) -> str:
                inside = name(path).rpartition("/")[0]
                return inside if path.name.lower() == "data.mdb" else name(path).rpartition(".")[0]

            return form, lines_of_databases(databases, folder, problems), {*databases}
        if form == "iam" and (lists := iam_lists(files)):
            return form, lines_of_iam(lists, files, name, source.segmentation, problems), {*lists}
        if form == "pages" and (pages := page_files(files)):
            return form, lines_of_pages(pages, files, name, problems), {*pages}
        if form == "pages" and source.path.suffix.lower() == ".xml" and source.path.is_file():
            raise UsageError(
                f"{source.path.name} is no page: its first element is neither that of PAGE-XML nor of ALTO",
                "name a page, or the folder of the pictures",
            )
        if form == "table":
            tables, beside = (
                _tables(source, files, problems),
                [one for one in files if one.name.lower().endswith(TEXT_BESIDE)],
            )
            if tables or beside:
                made = lines_of_pictures(files, tables, name, problems, root)
                return form, made, {*beside, *(path for path, _ in tables)}
        if form == "pictures" and any(one.suffix.lower() in SUFFIXES for one in files):
            return form, lines_of_pictures(files, (), name, problems, root), set()
    if source.form != "auto" and files:
        raise UsageError(f"there is nothing of the form {source.form}: {FORMS[source.form]}", "leave --format out")
    return None, Lines(), set()


def _tables(source: Source, files: Sequence[Path], problems: Problems) -> list[tuple[Path, LabelTable]]:
    if source.labels:
        return [named_table(path) for path in source.labels]
    path = source.path
    if path.is_file() and path.suffix.lower() in TABLES and not path.name.lower().endswith(TEXT_BESIDE):
        return [named_table(path)]
    return tables_of_labels(files, Pictures.among(files), problems)


def _passed(files: Sequence[Path], used: set[Path]) -> str:
    """The files that are neither pictures nor read, by suffix; empty where there is none."""
    other = [one for one in files if one not in used and one.suffix.lower() not in SUFFIXES and not _known(one)]
    if not other:
        return ""
    counts = Counter(one.suffix.lower() or "without a suffix" for one in other)
    shown = ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(counts.items())[:_SHOWN])
    return f"passed over: {shown}" + (", …" if len(counts) > _SHOWN else "")


def _known(path: Path) -> bool:
    return path.name.lower() in ("lock.mdb", "forms.txt")
