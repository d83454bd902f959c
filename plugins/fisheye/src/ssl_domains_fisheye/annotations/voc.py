"""Pascal VOC's XML: one file an image, ``object/name`` and ``object/bndbox``, pixels counted from 1, both ends in."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from ssl_domains.samples import Problems, ReadError
from ssl_domains_fisheye.annotations.box import Box, number

__all__ = ["SUFFIX", "looks", "read"]

SUFFIX = ".xml"


def looks(content: str) -> bool:
    """Whether a file is one of this format."""
    return "<annotation" in content[:4096]


def read(path: Path, size: tuple[int, int], problems: Problems) -> list[Box]:
    """The boxes of one file; a bad object is a problem with its number, the others are kept.

    Raises:
        ReadError: When it is no XML.
    """
    text = path.read_text(encoding="utf-8-sig")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        # An entity can be made to swell without end; no annotation needs one.
        raise ReadError("the XML declares a document type or entities")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ReadError(f"not XML: {error}") from error
    boxes = []
    for count, element in enumerate(root.findall("object"), start=1):
        name = (element.findtext("name") or "").strip()
        try:
            if not name:
                raise ReadError("the object has no name")
            found = {edge: element.findtext(f"bndbox/{edge}") for edge in ("xmin", "ymin", "xmax", "ymax")}
            for edge, value in found.items():
                if value is None:
                    raise ReadError(f"the object has no {edge}")
            left, top, right, bottom = (number(value or "", edge) for edge, value in found.items())
        except ReadError as error:
            problems.add(path, f"object {count}: {error}")
            continue
        boxes.append(Box(str(count), name, left - 1, top - 1, right, bottom, path, f"object {count}"))
    return boxes
