"""PAGE-XML (PRImA; Transkribus, eScriptorium, OCR-D): lines with outlines and text equivalents, of every version."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from ssl_domains.samples import ReadError
from ssl_domains_text.lines.files.page_lines import PageLine, PageLines, outline
from ssl_domains_text.lines.files.xml_tree import children, local_name, numbers, xml_root

__all__ = ["read_page_xml"]


def read_page_xml(path: Path) -> PageLines:
    """The lines of one file.

    The outline is that of ``Coords``, as an attribute (since 2013) or as ``Point`` elements (2010); a line without has
    the box around its words. The text is the text equivalent of the lowest index that has more than white space; a line
    without has those of its words with spaces between.

    Raises:
        ReadError: When it is no XML, or holds no page.
    """
    root = xml_root(path)
    pages = [one for one in root.iter() if local_name(one) == "Page"]
    if local_name(root) != "PcGts" or not pages:
        raise ReadError("no PAGE-XML: it has no Page in PcGts")
    page = pages[0]
    lines = [_line(one) for one in page.iter() if local_name(one) == "TextLine"]
    width, height = ((numbers(page.get(name)) or [0.0])[0] for name in ("imageWidth", "imageHeight"))
    return PageLines("PAGE", page.get("imageFilename") or "", width, height, True, lines, len(pages) - 1)


def _line(line: ET.Element) -> PageLine:
    points = _outline(line)
    words = list(children(line, "Word"))
    if not points:
        corners = [point for word in words for point in _outline(word)]
        xs, ys = corners[0::2], corners[1::2]
        points = outline([min(xs), min(ys), max(xs), max(ys)]) if corners else []
    text, joined = _text(line), False
    if not _filled(text):
        texts = [one for word in words if _filled(one := _text(word))]
        if texts:
            text, joined = " ".join(one.strip() for one in texts if one), True
    return PageLine(line.get("id") or "", points, text, joined)


def _outline(element: ET.Element) -> list[float]:
    for coords in children(element, "Coords"):
        points = numbers(coords.get("points"))
        if not points:
            for point in children(coords, "Point"):
                points += [*numbers(point.get("x"))[:1], *numbers(point.get("y"))[:1]]
        return outline(points)
    return []


def _text(element: ET.Element) -> str | None:
    """The main text of a line or word: that of the lowest index, before those without an index.

    Empty ones count only where all are; then the line has an empty label. None for an element without any.
    """
    found = []
    for place, equivalent in enumerate(children(element, "TextEquiv")):
        index = numbers(equivalent.get("index"))
        for kind, name in enumerate(("Unicode", "PlainText")):
            for written in children(equivalent, name):
                text = "".join(written.itertext())
                found.append((not _filled(text), not index, index[0] if index else 0.0, place, kind, text))
                break
    return min(found)[-1] if found else None


def _filled(text: str | None) -> bool:
    """Whether there is a text with more than white space."""
    return text is not None and bool(text.strip())
