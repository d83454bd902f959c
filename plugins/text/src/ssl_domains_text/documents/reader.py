"""The reader of the domain: texts as UTF-8 bytes, from a copy beside the table or from the file that was scanned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.samples import LazyArray, ReadError, Region, ScanResult
from ssl_domains_text.documents.files import Columns, Fault, Reading, records_of
from ssl_domains_text.documents.files.lines import require_encoding
from ssl_domains_text.documents.scanning import ScanChoice, scan_documents
from ssl_domains_text.documents.scanning.rows import content_code
from ssl_domains_text.documents.scanning.scan import require_choice

__all__ = ["DocumentReader", "absent_file", "reading_text", "text_of_row"]

_OPTIONS = ("chunk", "encoding", "id_column", "lines", "relevant_from", "strip_titles", "text_column", "words")


class DocumentReader:
    """Reads texts; an array is the text, or the texts of a file one after another, as UTF-8 bytes uint8 ``[n]``."""

    version = "1"
    axes = "t"

    def scan(
        self,
        source: Path,
        *,
        encoding: str = "utf-8",
        lines: bool = False,
        chunk: int | None = None,
        words: int = 200,
        relevant_from: float = 1.0,
        strip_titles: bool = False,
        text_column: Sequence[str] = (),
        id_column: str | None = None,
        **unknown: Any,
    ) -> ScanResult:
        """Index documents, queries and judgements.

        Args:
            source: Folder or file.
            encoding: Encoding of text files.
            lines: Whether each line of a plain text file is a document; else the file is one.
            chunk: Words of a piece that longer documents are cut into.
            words: Words of a document that an encoder reads, for the note on what is cut.
            relevant_from: Smallest grade of a relevant document.
            strip_titles: Whether a body that begins with its title stands for both; else its title is there twice.
            text_column: Columns of tables that make up a text, in order, where they have other names than usual.
            id_column: Column of the ids, where it has another name than usual.
            unknown: Refused.

        Raises:
            UsageError: When the source doesn't exist, an option is unknown or out of range, or no table has a column
                that is named.
            DataError: When judgements name relevant documents, and none of them is there.
        """
        if unknown:
            raise UsageError(f"text scan has no option {min(unknown)!r}", did_you_mean(min(unknown), _OPTIONS))
        require_choice(encoding, chunk, words, relevant_from)
        source = Path(source).resolve()
        if not source.exists():
            raise UsageError(f"there is no {str(source)!r}", "give a folder or a file")
        columns = Columns(tuple(text_column), id_column)
        reading = Reading(require_encoding(encoding), strip_titles, columns)
        choice = ScanChoice(reading, lines, chunk, words, relevant_from)
        return scan_documents(source, choice, self._text)

    def open(self, row: Mapping[str, Any]) -> LazyArray | None:
        """The copy of the texts of a file, not yet read; None for a text that is decoded from its file.

        Raises:
            ReadError: When the copy is not there.
        """
        copy = row.get("copy_path")
        if copy is None:
            return None
        if not Path(row["path"]).is_file():
            raise ReadError("the file is not there")
        try:
            size = Path(copy).stat().st_size
        except OSError as error:
            raise ReadError(f"the copy of its texts, {Path(copy).name}, is not there: scan again") from error
        return Region(copy, np.dtype(np.uint8), 0, (size,))

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """The array of a row, uint8 ``[n]``: its text, or the copied texts of its file.

        Raises:
            ReadError: With the cause.
        """
        opened = self.open(row)
        if opened is not None:
            return np.array(opened.read((slice(None),))[0])
        return next(iter(self.load_file(str(row["path"]), [row])))

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[NDArray[np.generic]]:
        """The arrays of some rows of one file, which is read once.

        Raises:
            ReadError: With the cause.
        """
        if rows and rows[0].get("copy_path") is not None:
            yield from (self.load(row) for row in rows)
            return
        wanted = {(int(row["line"]), str(row["side"])) for row in rows}
        last = max(line for line, _ in wanted)
        texts: dict[tuple[int, str], list[bytes]] = {}
        for record_line, side, text in _texts(path, str(rows[0]["read_as"])):
            if record_line > last:
                break
            if text and (record_line, side) in wanted:
                texts.setdefault((record_line, side), []).append(text)
        for row in rows:
            found = texts.get((int(row["line"]), str(row["side"])))
            if not found:
                raise ReadError(f"line {row['line']} holds no {row['side']} any more: scan again")
            yield np.frombuffer(_text_of(row, found), dtype=np.uint8)

    def _text(self, rows: pl.DataFrame, number: int) -> str:
        return text_of_row(self, rows.row(number, named=True))


def text_of_row(reader: DocumentReader, row: Mapping[str, Any]) -> str:
    """The text of a row of the table.

    Raises:
        DataError: When the file or the copy of its texts is not there any more, or can't be read.
    """
    start, stop = row["region"]
    with reading_text(row):
        opened = reader.open(row)
        array = reader.load(row)[start:stop] if opened is None else opened.read((slice(start, stop),))[0]
    return array.tobytes().decode("utf-8", "replace")


@contextmanager
def reading_text(row: Mapping[str, Any]) -> Iterator[None]:
    """A block that reads the text of a row: a text that can't be read is an error of the table's files.

    Raises:
        DataError: With the file.
    """
    try:
        yield
    except (ReadError, OSError) as error:
        cause = (error.strerror if isinstance(error, OSError) else None) or str(error)
        shown = f"the text of {row.get('sample', row['path'])!r} can't be read: {Path(row['path']).name}: {cause}"
        hint = "was the table moved or copied without its folder .texts? Scan again: ssl-domains text scan SOURCE"
        raise DataError(shown, hint) from error


def absent_file(rows: pl.DataFrame) -> Path | None:
    """The first file of some rows that is not there, scanned file or copy of its texts; None where all are."""
    for name in ("copy_path", "path"):
        if name in rows.columns:
            for path in rows[name].drop_nulls().unique(maintain_order=True):
                if not Path(path).is_file():
                    return Path(path)
    return None


def _texts(path: str, read_as: str) -> Iterator[tuple[int, str, bytes]]:
    form, role, code = read_as.split(" ", 2)
    try:
        for record in records_of(Path(path), form, role, Reading.of_code(code)):
            if not isinstance(record, Fault):
                yield record.line, record.side, record.text.strip().encode("utf-8", "replace")
    except OSError as error:
        raise ReadError(f"the file can't be read: {error.strerror or error}") from error


def _text_of(row: Mapping[str, Any], texts: Sequence[bytes]) -> bytes:
    """The text of a row among those of its line, of which a list of positives has several: the one of equal content."""
    start, stop = row["region"]
    codes = (content_code(text[start:stop].decode("utf-8", "replace")) for text in texts)
    return next((text for text, code in zip(texts, codes, strict=True) if code == row["content"]), texts[0])
