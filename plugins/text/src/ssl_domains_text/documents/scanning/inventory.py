"""The files of a source: what each of them is, and why the others are passed over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import Problems, Unreadable, current_session, is_sample_table, read_guarded, walk
from ssl_domains_text.documents.files import FORMS, Fault, Found, Reading, guarded, recognise
from ssl_domains_text.documents.files.fields import field_of
from ssl_domains_text.documents.files.tables import Unnamed, entries_of

__all__ = ["found_files", "passed_note"]

_TABLES = (".parquet", ".csv", ".xlsx")
_KINDS = ("relevance", "duplicates", "mined", "links", "problems")
"""Kinds of files that this domain writes beside a table: ``samples.relevance.parquet``."""

_HEAD = 5  # entries of a table, by whose fields it is known
_LONGEST_NAME = 40  # characters; a longer field of a first line is no name of a column


def found_files(
    source: Path, reading: Reading, lines: bool, problems: Problems
) -> tuple[list[Found], list[tuple[Path, str]]]:
    """List the files of a source that are read, and those that are passed over with the reason.

    Passed over are files of an unknown form, sample tables and what lies beside them, such as the results of an earlier
    scan of the same folder, and plain texts, such as ``README.txt``, where documents come in files of many texts.

    Args:
        source: Folder or file.
        reading: How texts are read.
        lines: Whether each line of a plain text file is a document.
        problems: Takes files that can't be read.

    Raises:
        UsageError: When no table has a column that is named.
    """
    session = current_session()
    table = None if session is None or session.table is None else session.table.resolve()
    files: list[Found] = []
    passed: list[tuple[Path, str]] = []
    for path in walk(source, problems, partial(_has_texts_of, table)):
        if path.stat().st_size == 0:
            problems.add(path, "the file is empty")
            continue
        if path != source and (written := _written_by_a_scan(path, table)):
            passed.append((path, written))
            continue
        known = read_guarded(partial(recognise, path, reading.encoding, lines, reading.columns), path)
        if isinstance(known, Found):
            files.append(known)
        elif isinstance(known, Unreadable):
            problems.add(path, known.cause)
        else:
            passed.append((path, known))
    _require_columns([*(one.path for one in files), *(path for path, _ in passed)], reading)
    if any(one.form not in ("txt", "lines") and one.role in ("documents", "pairs") for one in files):
        cause = "it is a text beside a collection: scan it, or a folder of such texts, by itself"
        passed += [(one.path, cause) for one in files if one.form == "txt"]
        files = [one for one in files if one.form != "txt"]
    return files, passed


def _require_columns(paths: Sequence[Path], reading: Reading) -> None:
    """Refuse a named column that no table has. Without a table, as in a folder of plain texts, none is needed."""
    named = reading.columns.names()
    known = list(dict.fromkeys(name for path in paths for name in _header_of(path, reading))) if named else []
    for name in named if known else ():
        if field_of(known, (name.strip().lower(),)) is None:
            offered = [one for one in known if len(one) <= _LONGEST_NAME]
            raise UsageError(f"no table has a column {name!r}", did_you_mean(name, offered))


def _header_of(path: Path, reading: Reading) -> list[str]:
    """The names of a table's columns, or the fields of its first line, which may be a header; none for other files."""
    form = FORMS.get(path.suffix.lower(), "txt")
    if form == "txt":
        return []
    entries = guarded(entries_of(path, form, reading.encoding, reading.columns), path)
    first = [one[1] for one in islice(entries, _HEAD) if not isinstance(one, Fault)]
    if first and isinstance(first[0], Unnamed):
        return list(first[0].values())
    return [name for values in first for name in values]


def passed_note(passed: Sequence[tuple[Path, str]]) -> list[str]:
    """A note on the files that were passed over; none without such a file."""
    if not passed:
        return []
    shown = "; ".join(f"{path.name}: {cause}" for path, cause in passed[:3])
    more = f"; and {len(passed) - 3:,} more" if len(passed) > 3 else ""
    return [f"passed over: {shown}{more}"]


def _has_texts_of(table: Path | None, folder: Path) -> bool:
    """Whether a folder holds the copies of the texts of the table that is being written."""
    return table is not None and folder.resolve() == table.with_name(f"{table.stem}.texts")


def _written_by_a_scan(path: Path, table: Path | None) -> str:
    """Why a file is a result of a scan and no source; empty for other files."""
    if path.resolve() == table or is_sample_table(path):
        return "it is a sample table"
    stem, _, kind = path.stem.rpartition(".")
    if not stem or kind not in _KINDS or path.suffix.lower() not in _TABLES:
        return ""
    owner = path.with_name(stem)
    if table is not None and owner.resolve() == table.with_suffix(""):
        return f"it belongs to the sample table {table.name!r}"
    tables = [owner.with_name(stem + suffix) for suffix in _TABLES]
    named = next((one.name for one in tables if one.is_file() and is_sample_table(one)), "")
    return f"it belongs to the sample table {named!r}" if named else ""
