"""The reader of the domain: lines of databases, pages, lists and folders, each as a picture of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.alphabets import alphabet_of
from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import Problems, ReadError, SampleTable, ScanResult, TableMeta
from ssl_domains_text.lines.files.cutting import cut_line
from ssl_domains_text.lines.files.lmdb_file import LmdbFile
from ssl_domains_text.lines.files.picture import decoded_picture
from ssl_domains_text.lines.labels.label_table import TEXT_COLUMNS
from ssl_domains_text.lines.labels.transcripts import LabelRules, transcripts_of
from ssl_domains_text.lines.scanning.choice import Source, find_lines
from ssl_domains_text.lines.scanning.databases import image_key
from ssl_domains_text.lines.scanning.iam_lines import require_segmentation
from ssl_domains_text.lines.scanning.rows import frame_of
from ssl_domains_text.lines.scanning.table_rows import complete_table

__all__ = ["LinesReader"]

_OPTIONS = ("alphabet", "direction", "folders", "format", "labels", "longest", "lower", "segmentation")


class LinesReader:
    """Reads pictures of text lines; an array is one line, ``[H, W, C]`` of 1 or 3 channels in the type of its file.

    Nothing stays open: a database is looked up in the mapped file at each call, so that the reader can be pickled and
    forked at any time.
    """

    version = "2"
    axes = "hwc"
    mixed_channels = True  # the preprocess makes grey of colour
    text_columns = TEXT_COLUMNS

    def scan(
        self,
        source: Path,
        *,
        format: str = "auto",
        labels: Sequence[str | Path] | str | Path = (),
        folders: str | None = None,
        segmentation: str = "keep",
        alphabet: str | None = None,
        longest: int | None = None,
        lower: bool = False,
        direction: str = "auto",
        **unknown: Any,
    ) -> ScanResult:
        """Index a folder or a file: keys and headers are read, no pixel is decoded.

        Args:
            source: A folder; or a database, a list of IAM, an XML file of a page, a picture.
            format: ``lmdb``, ``iam``, ``pages``, ``table``, ``pictures``, or ``auto``: the first there is.
            labels: Tables of labels: CSV, or lists of file names and texts.
            folders: Columns from folders, from the top one on, as ``writer/book``.
            segmentation: ``keep`` or ``drop`` the labels of IAM's entries that are marked ``err``.
            alphabet: ``digits``, ``ascii``, ``ascii-lower``, a text file, or the characters that labels may have.
            longest: Most characters of a label.
            lower: Whether capitals become small letters.
            direction: ``auto`` by the script of each label, ``ltr`` or ``rtl``.
            unknown: Refused.

        Raises:
            UsageError: When the source doesn't exist, or an option is unknown or can't be read.
        """
        if unknown:
            raise UsageError(f"lines scan has no option {min(unknown)!r}", did_you_mean(min(unknown), _OPTIONS))
        rules = _rules(alphabet, longest, lower, direction)
        require_segmentation(segmentation)
        source = Path(source).resolve()
        if not source.exists():
            raise UsageError(f"there is no {str(source)!r}", "give a folder or a file")
        given = [labels] if isinstance(labels, str | Path) else list(labels)
        tables = tuple(Path(one).resolve() for one in given)
        problems = Problems()
        found = find_lines(Source(source, format, tables, folders, segmentation), problems)
        made = transcripts_of([line.written for line in found.lines], [line.cause for line in found.lines], rules)
        options = {
            "format": format,
            "folders": folders,
            "segmentation": segmentation if segmentation != "keep" else None,
            **_recorded(alphabet, longest, lower, direction),
        }
        meta = TableMeta(options={name: value for name, value in options.items() if value is not None})
        notes = (*found.notes, *made.notes) if found.lines else tuple(found.notes)
        return ScanResult(SampleTable(frame_of(found.lines, made), meta), problems.frame(), notes)

    def complete_table(
        self,
        read: ScanResult,
        *,
        alphabet: str | None = None,
        longest: int | None = None,
        lower: bool = False,
        direction: str = "auto",
        format: str = "auto",
        segmentation: str = "keep",
        **folder_options: Any,
    ) -> ScanResult:
        """Add to a table with a column ``path`` what pictures and labels say: size, transcript, reasons.

        Raises:
            UsageError: For options that only a folder has.
        """
        given = sorted(name for name, value in folder_options.items() if value)
        given += [
            name for name, value in (("format", format != "auto"), ("segmentation", segmentation != "keep")) if value
        ]
        if given:
            raise UsageError(
                f"--{given[0]} reads a folder, and the source is a table",
                "scan the folder, and add the table by --labels",
            )
        return complete_table(read, _rules(alphabet, longest, lower, direction))

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """The picture of a line, ``[H, W, C]`` of 1 or 3 channels: uint8, uint16, or float32 in [0, 1].

        It is turned by the orientation tag of the column ``orientation``; without one, by that of the picture itself.

        Raises:
            ReadError: With the cause.
        """
        made: NDArray[np.generic] | ReadError
        (made,) = self.load_file(str(row["path"]), [row])
        if isinstance(made, ReadError):
            raise made
        return made

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
        """The lines of one file, one after the other; a page is decoded once. A bad line is a `ReadError` in its place.

        Raises:
            ReadError: When the file itself can't be read.
        """
        pages: dict[int | None, NDArray[np.generic]] = {}
        for row in rows:
            try:
                if row.get("entry") is not None:
                    yield _entry(path, int(row["entry"]))
                    continue
                orientation = _orientation(row)
                if orientation not in pages:
                    pages[orientation] = decoded_picture(path, orientation)
                outline = row.get("outline")
                yield pages[orientation] if outline is None else cut_line(pages[orientation], str(outline))
            except ReadError as error:
                yield error


def _orientation(row: Mapping[str, Any]) -> int | None:
    """The orientation tag that a row says to apply; None for that of the picture."""
    tag = row.get("orientation")
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else None


def _entry(path: str, entry: int) -> NDArray[np.generic]:
    try:
        value = LmdbFile(path).get(image_key(entry))
    except OSError as error:
        raise ReadError(error.strerror or "the database can't be opened") from error
    if value is None:
        raise ReadError(f"the database has no picture of entry {entry}")
    return decoded_picture(value)


def _rules(alphabet: str | None, longest: int | None, lower: bool, direction: str) -> LabelRules:
    allowed = None if alphabet is None else alphabet_of(alphabet)
    return LabelRules(allowed, longest, bool(lower), direction)  # type: ignore[arg-type]


def _recorded(alphabet: str | None, longest: int | None, lower: bool, direction: str) -> dict[str, Any]:
    return {
        "alphabet": alphabet,
        "longest": longest,
        "lower": lower or None,
        "direction": direction if direction != "auto" else None,
    }
