"""Pascal VOC's XML: one file an image, ``object/name`` and ``object/bndbox``, pixels counted from 1, both ends in."""

from __future__ import annotations

import codecs
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from ssl_domains.samples import ReadError
from ssl_domains.samples.encodings import decoded
from ssl_domains_fisheye.annotations.annotation import Annotation, declared_size
from ssl_domains_fisheye.annotations.box import Box, number

__all__ = ["looks", "parse", "read_xml"]

_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_ENCODING = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
# GB 18030 holds all of GB 2312 and GBK, whose files often have characters of the larger set.
_LARGER = {"gb2312": "gb18030", "gbk": "gb18030"}
# CVAT's "<annotations>" is something else.
_ROOT = re.compile(r"<annotation[\s>/]")
_LARGEST = 64 << 20


def read_xml(path: Path) -> tuple[str, str | None]:
    """The text of an XML file without its declaration, and its encoding where that is not UTF-8.

    Raises:
        ReadError: When the file is larger than any annotation.
    """
    if path.stat().st_size > _LARGEST:
        raise ReadError("the XML file is larger than 64 MB")
    content = path.read_bytes()
    stated = _ENCODING.match(content[:400])
    text, encoding = decoded(content)
    if stated and encoding is not None:
        try:
            name = codecs.lookup(stated[1].decode()).name
            # A codec that is no encoding of text, such as "hex", is a LookupError.
            text, encoding = content.decode(_LARGER.get(name, name)), stated[1].decode()
        except (LookupError, UnicodeError):
            pass  # the declaration is wrong: what the bytes look like counts
    return _DECLARATION.sub("", text, count=1), encoding


def looks(text: str) -> bool:
    """Whether a file is one of this format."""
    return _ROOT.search(text[:4096]) is not None


def parse(path: Path, text: str) -> Annotation:
    """The boxes of one file; a bad object is a fault with its number, the others are kept.

    Raises:
        ReadError: When it is no XML.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        # An entity can be made to swell without end; no annotation needs one.
        raise ReadError("the XML declares a document type or entities")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ReadError(f"not XML: {error}") from error
    boxes, faults = [], []
    for count, element in enumerate(root.findall("object"), start=1):
        try:
            boxes.append(_box(element, count, path))
        except ReadError as error:
            faults.append(f"object {count}: {error}")
    return Annotation(
        path,
        "voc",
        tuple(boxes),
        tuple(faults),
        picture=(root.findtext("filename") or "").strip() or None,
        folder=(root.findtext("folder") or "").strip() or None,
        size=declared_size(root.findtext("size/width"), root.findtext("size/height")),
    )


def _box(element: ET.Element, count: int, path: Path) -> Box:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise ReadError("the object has no name")
    texts = {edge: element.findtext(f"bndbox/{edge}") for edge in ("xmin", "ymin", "xmax", "ymax")}
    for edge, value in texts.items():
        if value is None:
            raise ReadError(f"the object has no {edge}")
    left, top, right, bottom = (number(value or "", edge) for edge, value in texts.items())
    return Box(str(count), name, left - 1, top - 1, right, bottom, path, f"object {count}")
