"""XML of pages as a tree: of limited size, without entities, and with names without their namespaces."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from ssl_domains.samples import ReadError

__all__ = ["children", "local_name", "numbers", "root_name", "xml_root"]

_LARGEST = 256 << 20
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?")
_LARGEST_NUMBER = 1e7  # no page has so many pixels along a side
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]")
_HEAD = 4096


def root_name(path: Path) -> str:
    """Name of the first element of an XML file, without its namespace; empty for a file that has none."""
    with path.open("rb") as file:
        head = file.read(_HEAD).replace(b"\x00", b"")  # UTF-16 too
    head = re.sub(rb"<!--.*?(-->|$)", b"", head, flags=re.DOTALL)
    match = _ROOT.search(head)
    return match[1].decode("ascii", "replace") if match else ""


def xml_root(path: Path) -> ET.Element:
    """The first element of an XML file.

    Raises:
        ReadError: When it is no XML, is larger than 256 MB, or declares entities, which can be made to swell without
            end.
        OSError: When it can't be read.
    """
    if path.stat().st_size > _LARGEST:
        raise ReadError("the XML file is larger than 256 MB")
    content = path.read_bytes()
    plain = content.replace(b"\x00", b"")
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise ReadError("the XML declares a document type or entities")
    try:
        return ET.fromstring(content)
    except (ET.ParseError, LookupError, ValueError) as error:  # an unknown encoding is a LookupError
        raise ReadError(f"no XML: {error}") from error


def local_name(element: ET.Element) -> str:
    """Name of an element without its namespace; empty for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """The elements of a name directly below another, whatever their namespace."""
    return (one for one in element if local_name(one) == name)


def numbers(text: str | None) -> list[float]:
    """The numbers in a text such as ``"10,20 30,40"``, in pixels.

    Raises:
        ReadError: When one of them is too large for a page.
    """
    found = [float(one) for one in _NUMBER.findall(text or "")]
    if any(abs(one) > _LARGEST_NUMBER for one in found):
        raise ReadError(f"a coordinate of {max(found, key=abs):g} pixels")
    return found
