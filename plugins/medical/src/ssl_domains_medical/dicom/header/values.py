"""Python values of raw header elements, converted when they are used."""

from __future__ import annotations

import struct
from typing import Any

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR, tag_for_keyword

__all__ = ["Values", "tag_of", "text_of"]

_NUMBERS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FD": "d", "FL": "f", "US or SS": "H"}
_SIGNED = 0x00280103
# Text in the file's own character set; all other text is ASCII.
_LOCAL = {"LO", "SH", "PN", "LT", "ST"}
_PRIVATE = {0x0019100C: "IS", 0x00431039: "IS", 0x0019100E: "FD", 0x001910BB: "DS", 0x001910BC: "DS", 0x001910BD: "DS"}
_CHARACTER_SET = 0x00080005
_KINDS: dict[str | int, tuple[int, str]] = {}


def tag_of(name: str | int) -> int:
    """The tag of a keyword as a number; a number is a tag already."""
    return _kind_of(name)[0]


def _kind_of(name: str | int) -> tuple[int, str]:
    known = _KINDS.get(name)
    if known is None:
        tag = name if isinstance(name, int) else tag_for_keyword(name)
        if tag is None:
            raise KeyError(name)
        known = _KINDS[name] = (int(tag), _PRIVATE.get(int(tag)) or dictionary_VR(tag))
    return known


class Values:
    """The kept elements of one data set: ``values.get("Rows")`` is 512; several values are a list.

    Args:
        raw: Tag to bytes.
        little: Whether numbers are little-endian.
    """

    def __init__(self, raw: dict[int, bytes], little: bool = True) -> None:
        self._raw, self._order = raw, "<" if little else ">"

    def get(self, name: str | int, default: Any = None) -> Any:
        """The value of an element by keyword or tag; ``default`` when it is absent or empty."""
        tag, kind = _kind_of(name)
        raw = self._raw.get(tag)
        if not raw:
            return default
        form = _NUMBERS.get(kind)
        if kind == "US or SS" and self._raw.get(_SIGNED, b"").strip(b"\0"):
            form = "h"
        if form is not None:
            count = len(raw) // struct.calcsize(form)
            numbers = struct.unpack_from(f"{self._order}{count}{form}", raw)
            return default if not numbers else numbers[0] if count == 1 else list(numbers)
        local = kind in _LOCAL
        text = text_of(raw, self._raw.get(_CHARACTER_SET, b"")) if local else raw.decode("latin-1")
        parts = [part.strip(" \0") for part in text.split("\\")] if kind not in ("LT", "ST") else [text.strip(" \0")]
        if not any(parts):
            return default
        return parts[0] if len(parts) == 1 else parts


def text_of(raw: bytes, character_set: bytes = b"") -> str:
    """Text of a header element in the character set that SpecificCharacterSet names; two texts never become one."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    names = [name.strip() for name in character_set.decode("latin-1").split("\\")]
    try:
        from pydicom.charset import decode_bytes

        encodings = convert_encodings(names if any(names) else None)
        for encoding in encodings[:1] if b"\x1b" not in raw else []:
            return raw.decode(encoding)
        return str(decode_bytes(raw, encodings, set()))
    except (UnicodeDecodeError, LookupError, ValueError):
        pass
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
