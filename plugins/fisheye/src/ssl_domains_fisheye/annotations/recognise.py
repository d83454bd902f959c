"""The format of a text or XML file, by its content, and its annotation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ssl_domains_fisheye.annotations import voc, woodscape, yolo
from ssl_domains_fisheye.annotations.annotation import Annotation
from ssl_domains_fisheye.annotations.text import read_text

__all__ = ["FORMATS", "SUFFIXES", "read_annotation"]

FORMATS = ("woodscape", "coco", "yolo", "voc")
SUFFIXES = {"woodscape": ".txt", "coco": ".json", "yolo": ".txt", "voc": ".xml"}
_PARSERS: dict[str, Callable[[Path, str], Annotation]] = {
    "woodscape": woodscape.parse,
    "yolo": yolo.parse,
    "voc": voc.parse,
}
_LOOKED_AT = 50


def read_annotation(path: Path, format: str | None = None, keypoints: int = 0) -> dict[str, Any]:
    """The annotation in a file of one picture, as a dictionary for `Annotation.from_json`.

    Args:
        path: A text or XML file.
        format: Format that the file must have; None for that of its content. A file of no known format has the format
            None and no boxes: it may be something else, or empty. ``numeric`` says whether it holds rows of numbers.
        keypoints: How many numbers of key points follow each box in YOLO's format.

    Raises:
        ReadError: When it is damaged as a whole.
        OSError: When it can't be read.
    """
    if path.suffix.lower() == ".xml":
        text, encoding = voc.read_xml(path)
        kind = "voc" if voc.looks(text) else None
    else:
        text, encoding = read_text(path)
        kind = _format_of(text, keypoints)
    parser = _PARSERS.get(format or kind or "")
    if parser is None:
        annotation = Annotation(path, None)
    else:
        annotation = yolo.parse(path, text, keypoints) if parser is yolo.parse else parser(path, text)
    value = annotation.to_json()
    # A file that doesn't look like the format it should have is damaged, empty, or something else.
    return {**value, "format": kind, "encoding": encoding, "numeric": _is_numeric(text)}


def _format_of(text: str, keypoints: int) -> str | None:
    """The format of the first line that is one of a format, so that a comment or a bad line before it does no harm."""
    lines = (line for line in text[:65536].splitlines() if line.strip() and not line.lstrip().startswith("#"))
    for _, line in zip(range(_LOOKED_AT), lines, strict=False):
        fields = line.split()
        if yolo.is_line(" ".join(fields[:5]) if keypoints and len(fields) == 5 + keypoints else line):
            return "yolo"
        if woodscape.is_line(line):
            return "woodscape"
    return None


def _is_numeric(text: str) -> bool:
    """Whether the first line is numbers only, at least as many as a box has."""
    fields = text[:4096].strip().partition("\n")[0].split()
    try:
        return len([float(field) for field in fields]) >= 5
    except ValueError:
        return False
