"""Predicted transcripts as PAGE-XML: the lines of each page with their outlines, in the version of 2019."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ssl_domains.quantities import plural
from ssl_domains.samples import ReadError, SampleTable, TextFile, TextPlan, Transcribed
from ssl_domains_text.lines.files.picture import picture_header

__all__ = ["PageFile", "page_text_files"]

_SPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"


@dataclass(frozen=True)
class PageFile(TextFile):
    """The PAGE-XML file of one page. Lines without an answer keep the text that the table has.

    Attributes:
        picture: File of the page.
        ids: Id of each line, in the order of ``rows``.
        outlines: Outline of each line, ``"x,y x,y …"`` in pixels.
        known: Text of each line as the table has it; None for none.
        as_stored: Whether the outlines count on the picture as it is stored, without its orientation tag.
    """

    picture: str
    ids: tuple[str, ...]
    outlines: tuple[str, ...]
    known: tuple[str | None, ...]
    as_stored: bool = False

    def write(self, path: Path, texts: Mapping[int, Transcribed]) -> None:
        """Write the page; an answer has its confidence in the attribute ``conf``.

        Raises:
            ReadError: When the picture, whose size the file states, can't be read.
        """
        try:
            header = picture_header(self.picture)
            width, height = header.stored if self.as_stored else header.size
            scanned = datetime.fromtimestamp(Path(self.picture).stat().st_mtime, UTC).isoformat(timespec="seconds")
        except OSError as error:
            raise ReadError(error.strerror or "the picture can't be opened") from error
        root = ET.Element("PcGts", xmlns=_SPACE)
        metadata = ET.SubElement(root, "Metadata")
        ET.SubElement(metadata, "Creator").text = "ssl-domains"
        for name in ("Created", "LastChange"):  # the format asks for them; the same pages give the same bytes
            ET.SubElement(metadata, name).text = scanned
        page = ET.SubElement(
            root, "Page", imageFilename=Path(self.picture).name, imageWidth=str(width), imageHeight=str(height)
        )
        region = ET.SubElement(page, "TextRegion", id="region")
        ET.SubElement(region, "Coords", points=f"0,0 {width - 1},0 {width - 1},{height - 1} 0,{height - 1}")
        for row, name, outline, known in zip(self.rows, self.ids, self.outlines, self.known, strict=True):
            line = ET.SubElement(region, "TextLine", id=name)
            ET.SubElement(line, "Coords", points=outline)
            answer = texts.get(row)
            if answer is not None:
                equivalent = ET.SubElement(line, "TextEquiv", conf=f"{answer.confidence:.6f}")
                ET.SubElement(equivalent, "Unicode").text = answer.text
            elif known is not None:
                ET.SubElement(ET.SubElement(line, "TextEquiv"), "Unicode").text = known
        ET.indent(root)
        path.write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def page_text_files(table: SampleTable, root: Path | None) -> TextPlan:
    """One PAGE-XML file for each page of a table; lines that were not cut out of a page are in none.

    Args:
        table: The lines; those of a page have an ``outline``, and ``page`` names their page.
        root: Not read.
    """
    if "outline" not in table.columns:
        return TextPlan((), ("the lines were not cut out of pages: there is no PAGE-XML to write",))
    frame = table.frame
    texts = frame["text"].to_list() if "text" in frame.columns else [None] * len(frame)
    pages = frame["page"].to_list() if "page" in frame.columns else [None] * len(frame)
    tags = frame["orientation"].to_list() if "orientation" in frame.columns else [None] * len(frame)
    rows_of: dict[tuple[str, str], list[int]] = {}
    outside = 0
    paths, outlines, samples = (frame[name].to_list() for name in ("path", "outline", "sample"))
    for row, (path, page, outline) in enumerate(zip(paths, pages, outlines, strict=True)):
        if outline is None:
            outside += 1
        else:
            rows_of.setdefault((str(path), page or Path(str(path)).stem), []).append(row)
    files = []
    names: set[str] = set()
    for (path, page), rows in rows_of.items():
        name = _free(page, names)
        ids = tuple(str(samples[row]).rpartition(":")[2] or f"line{row}" for row in rows)
        known = tuple(texts[row] for row in rows)
        corners = tuple(str(outlines[row]) for row in rows)
        files.append(PageFile(name, tuple(rows), path, ids, corners, known, tags[rows[0]] == 1))
    notes = (f"{plural(outside, 'line')} without an outline: in no PAGE-XML file",) if outside else ()
    return TextPlan(tuple(files), notes)


def _free(page: str, names: set[str]) -> str:
    """A file name for a page that no other page has, whatever its capitals; folders stay."""
    parts = [part for part in page.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    base = "/".join(parts) or "page"
    name, number = f"{base}.xml", 2
    while name.casefold() in names:
        name, number = f"{base}-{number}.xml", number + 1
    names.add(name.casefold())
    return name
