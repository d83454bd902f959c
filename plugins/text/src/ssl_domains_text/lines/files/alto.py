"""ALTO (Library of Congress), versions 1 to 4: lines with boxes or polygons, and the strings on them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from ssl_domains.samples import ReadError
from ssl_domains_text.lines.files.page_lines import PageLine, PageLines, outline
from ssl_domains_text.lines.files.xml_tree import children, local_name, numbers, xml_root

__all__ = ["read_alto"]


def read_alto(path: Path) -> PageLines:
    """The lines of the first page of a file.

    The outline is the polygon of ``Shape``, else the box of the line, else the box around its strings. The text is that
    of its strings in their order; ``SP`` is a space, and a hyphen at the end (``HYP``) is kept as it is written. Where
    a line has no ``SP`` at all, there are spaces between its strings.

    Raises:
        ReadError: When it is no XML, or holds no page.
    """
    root = xml_root(path)
    pages = [one for one in root.iter() if local_name(one) == "Page"]
    if local_name(root).lower() != "alto" or not pages:
        raise ReadError("no ALTO: it has no Page in alto")
    names = [one for one in root.iter() if local_name(one) == "fileName"]
    units = [one for one in root.iter() if local_name(one) == "MeasurementUnit"]
    picture = "".join(names[0].itertext()).strip() if names else ""
    unit = "".join(units[0].itertext()).strip() if units else "pixel"
    page = pages[0]
    lines = [_line(one) for one in page.iter() if local_name(one) == "TextLine"]
    width, height = ((numbers(page.get(name)) or [0.0])[0] for name in ("WIDTH", "HEIGHT"))
    return PageLines("ALTO", picture, width, height, unit == "pixel", lines, len(pages) - 1)


def _line(line: ET.Element) -> PageLine:
    strings = [one for one in line if local_name(one) in ("String", "SP", "HYP")]
    points = _polygon(line) or _box([line]) or _box([one for one in strings if local_name(one) == "String"])
    written = [one for one in strings if local_name(one) != "SP"]
    if not written:
        return PageLine(line.get("ID") or "", points, None)
    spaced = len(written) < len(strings)
    text = ""
    for one in strings:
        kind, content = local_name(one), one.get("CONTENT") or ""
        if kind == "SP":
            text += " "
        elif kind == "HYP":
            text += content or "-"
        else:
            text += ("" if spaced or not text else " ") + content
    return PageLine(line.get("ID") or "", points, text)


def _polygon(line: ET.Element) -> list[float]:
    for shape in children(line, "Shape"):
        for polygon in children(shape, "Polygon"):
            return outline(numbers(polygon.get("POINTS")))
    return []


def _box(elements: list[ET.Element]) -> list[float]:
    """The box around elements, by their HPOS, VPOS, WIDTH and HEIGHT; none where one of them lacks a number."""
    boxes = []
    for one in elements:
        sides = [numbers(one.get(name)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
        if not all(sides):
            return []
        left, top, width, height = (side[0] for side in sides)
        boxes.append((left, top, left + width, top + height))
    if not boxes:
        return []
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return outline([min(lefts), min(tops), max(rights), max(bottoms)])
