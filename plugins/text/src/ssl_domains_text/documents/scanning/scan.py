"""A scan: finds the files, reads texts and judgements, and writes the file of edges beside the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ssl_domains.cli.command_line import quoted
from ssl_domains.errors import UsageError
from ssl_domains.quantities import data_size, plural
from ssl_domains.samples import (
    Problems,
    SampleTable,
    ScanResult,
    TableMeta,
    current_session,
    write_whole,
)
from ssl_domains_text.documents.files import Found, Reading
from ssl_domains_text.documents.scanning.edges import collected, edge_file, edges_between
from ssl_domains_text.documents.scanning.inventory import found_files, passed_note
from ssl_domains_text.documents.scanning.links import write_links
from ssl_domains_text.documents.scanning.mined import with_mined, write_mined
from ssl_domains_text.documents.scanning.odd import (
    copy_notes,
    dangling_notes,
    truncation_note,
    with_distinct_samples,
    without_repeated_ids,
)
from ssl_domains_text.documents.scanning.rows import MOST_FAULTS, FileRows, rows_of_file
from ssl_domains_text.documents.scanning.sides import with_split
from ssl_domains_text.documents.scanning.text_copy import TextCopy, text_folder
from ssl_domains_text.documents.scanning.unreachable import unreachable_note

__all__ = ["ScanChoice", "scan_documents"]

_TEXTS = ("documents", "queries", "clicks", "pairs")


@dataclass(frozen=True)
class ScanChoice:
    """Options of a scan.

    Attributes:
        reading: How texts are read from files.
        lines: Whether each line of a plain text file is a document.
        chunk: Words of a piece that longer documents are cut into; None leaves documents whole.
        words: Words of a document that an encoder reads, for the note on what is cut.
        relevant_from: Smallest grade of a relevant document.
    """

    reading: Reading = field(default_factory=Reading)
    lines: bool = False
    chunk: int | None = None
    words: int = 200
    relevant_from: float = 1.0


@dataclass
class _Read:
    """What was read so far."""

    rows: list[pl.DataFrame] = field(default_factory=list)
    related: list[tuple[Found, list[tuple[str, str, float]]]] = field(default_factory=list)
    of_files: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    copied: int = 0


def scan_documents(source: Path, choice: ScanChoice, text_of: Callable[[pl.DataFrame, int], str]) -> ScanResult:
    """Scan a folder or a file.

    Args:
        source: Folder or file.
        choice: Options.
        text_of: Reads the text of a row of a table.

    Raises:
        UsageError: When no table has a column that is named.
        DataError: When judgements name relevant documents, and none of them is there.
    """
    problems, notes = Problems(), list[str]()
    files, passed = found_files(source, choice.reading, choice.lines, problems)
    read = _texts(source, [one for one in files if one.role in _TEXTS], choice, problems)
    if not read.rows:
        return ScanResult(SampleTable.of(_empty()), problems.frame(), tuple(passed_note(passed)))
    rows = pl.concat(read.rows, how="diagonal")
    rows, again = without_repeated_ids(rows)
    for side, name, path, line in again.select("side", "id", "path", "line").head(MOST_FAULTS).iter_rows():
        problems.add(f"{path}:{line}", f"the {side} {name!r} is there twice: the first one counts")
    if len(again) > MOST_FAULTS:
        problems.add(again["path"][0], f"{len(again) - MOST_FAULTS:,} more ids are there twice")
    rows = with_distinct_samples(rows)
    judged, remarks = collected(
        [one for one in files if one.role == "judgements"],
        read.related,
        choice.reading.encoding,
        problems,
        choice.relevant_from,
    )
    judged, mined_notes, mined = with_mined(
        [one for one in files if one.role == "mined"], judged, choice.reading.encoding, problems
    )
    rows, split_notes = with_split(rows, judged, read.of_files)
    edges = edges_between(judged, rows, choice.relevant_from)
    notes += [*read.said, *_sizes(rows, read.copied)]
    notes += [*copy_notes(rows), *remarks, *dangling_notes(judged, rows, choice.relevant_from), *split_notes]
    if note := truncation_note(rows, choice.words):
        notes.append(note)
        notes.append(unreachable_note(edges, rows, choice.words, lambda row: text_of(rows, row)))
    notes += mined_notes + _write_edges(edges) + write_mined(mined, rows)
    notes += write_links([one for one in files if one.role == "links"], rows, choice.reading.encoding, problems)
    notes += passed_note(passed)
    options = {
        "encoding": None if choice.reading.encoding == "utf-8" else choice.reading.encoding,
        "chunk": choice.chunk,
        "lines": choice.lines or None,
        "strip_titles": choice.reading.strip_titles or None,
        "relevant_from": None if choice.relevant_from == 1 else choice.relevant_from,
        "text_column": list(choice.reading.columns.text) or None,
        "id_column": choice.reading.columns.id,
    }
    meta = TableMeta(options={name: value for name, value in options.items() if value is not None})
    frame = rows.drop("chunk", "whole") if choice.chunk is None else rows
    return ScanResult(SampleTable(frame, meta), problems.frame(), tuple(note for note in notes if note))


def _texts(source: Path, files: Sequence[Found], choice: ScanChoice, problems: Problems) -> _Read:
    read = _Read()
    session, (folder, table_files) = current_session(), text_folder()
    # Documents first: their rows are the larger part, and stand together.
    ordered = sorted(files, key=lambda found: found.role == "queries")
    short = _with_short_ids(files)
    for number, found in enumerate(ordered):
        if session is not None and session.progress is not None:
            session.progress("texts", number, len(ordered))
        name = found.path.relative_to(source).as_posix() if found.path != source else source.name
        # A file that is one text is read from where it lies.
        copied = (None, None) if found.form == "txt" else (folder, table_files)
        made = FileRows()
        try:
            with TextCopy(*copied) as copy:
                made = rows_of_file(found, name, choice.reading, choice.chunk, copy, problems, found in short)
                read.copied += copy.size if copy.path is not None else 0
        except OSError as error:
            problems.add(found.path, error)
        read.rows += made.frames
        if made.related:
            read.related.append((found, made.related))
        if found.split is not None and found.role in ("queries", "clicks", "pairs"):
            read.of_files[str(found.path)] = found.split
        if found.form != "txt":
            count = sum(len(frame) for frame in made.frames)
            said = [f"{name}: {found.role} ({found.form}), {plural(count, 'row')}", found.remark]
            if made.unclicked:
                said.append(
                    f"{plural(made.unclicked, 'line has', 'lines have')} no click, and no judgement comes of it"
                )
            read.said.append("; ".join(filter(None, said)))
    if len(read.said) > 12:
        read.said = [*read.said[:10], f"… and {len(read.said) - 10:,} more files"]
    return read


def _with_short_ids(files: Sequence[Found]) -> set[Found]:
    """The files whose texts without ids get short ones, as no other file of the scan could make the same."""
    stems = Counter(found.path.stem for found in files if found.role in ("clicks", "pairs"))
    sides = Counter(found.role for found in files if found.form not in ("txt", "lines"))
    return {
        found
        for found in files
        if (stems[found.path.stem] if found.role in ("clicks", "pairs") else sides[found.role]) == 1
    }


def _sizes(rows: pl.DataFrame, copied: int) -> list[str]:
    documents = rows.select("side", "chunk", "length").filter(pl.col("side") == "document")
    count, queries = int((documents["chunk"] <= 1).sum()), len(rows) - len(documents)
    pieces = f" in {len(documents):,} pieces" if len(documents) != count else ""
    words = int(documents["length"].cast(pl.Int64).sum())
    notes = [
        f"{plural(count, 'document')}{pieces} of {words / max(1, count):.0f} words on average, "
        f"{plural(queries, 'query', 'queries')}"
    ]
    if copied:
        notes.append(f"texts were copied beside the table: {data_size(copied)}")
    return notes


def _write_edges(edges: pl.DataFrame) -> list[str]:
    session = current_session()
    if session is None or session.files is None or session.table is None:
        return []
    notes = []
    written = edge_file(session.table)
    if len(edges):
        write_whole(written, edges.write_parquet)
        relevant = int(edges["relevant"].sum())
        rule = quoted(f"relevance(file={str(written)!r})")
        notes.append(f"judgements: {plural(relevant, 'relevant pair')} in {written.name}: --pairs {rule}")
    else:
        session.files.old.add(written)  # of an earlier scan, as the source had judgements then
    return notes


def _empty() -> pl.DataFrame:
    names = ("sample", "id", "side", "path", "read_as", "array")
    return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), "region": pl.List(pl.Int64), "length": pl.Int32})


def require_choice(encoding: str, chunk: int | None, words: int, relevant_from: float) -> None:
    """Refuse options out of range.

    Raises:
        UsageError: For such an option.
    """
    if chunk is not None and chunk < 1:
        raise UsageError(f"--chunk {chunk}", "words of a piece, from 1 on")
    if words < 1:
        raise UsageError(f"--words {words}", "words that an encoder reads of a document, from 1 on")
    if not relevant_from > 0:
        raise UsageError(f"--relevant-from {relevant_from}", "the smallest grade of a relevant document, above 0")
