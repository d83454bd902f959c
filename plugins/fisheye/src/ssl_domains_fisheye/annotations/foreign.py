"""Files that hold boxes in a format that is not read: a note names the format, so that no box is lost silently."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ssl_domains.quantities import plural
from ssl_domains.samples.scanning.guard import Unreadable, read_guarded

__all__ = ["foreign_formats"]

_LOOKED_AT = 65536
_FEW = 3
# Words that stand in each file of a format, by ending.
_WORDS: dict[str, dict[str, tuple[bytes, ...]]] = {
    ".json": {
        "LabelMe": (rb'"shapes"\s*:\s*\[', rb'"(flags|imagePath|imageData)"\s*:'),
        "Label Studio": (rb'"(rectanglelabels|polygonlabels|brushlabels|from_name)"\s*:',),
        "VGG Image Annotator": (rb'"shape_attributes"\s*:',),
        "Supervisely": (rb'"classTitle"\s*:', rb'"objects"\s*:'),
    },
    ".xml": {"CVAT": (rb"<annotations[\s>]", rb"<(image|track)\s")},
    ".txt": {
        "HABBOF (name, centre, width, height, angle)": (rb"\A\s*[A-Za-z]\w*([ \t]+-?\d+(\.\d+)?){5}[ \t]*(\r?\n|\Z)",),
        "KITTI": (rb"\A\s*[A-Za-z]\w*( -?\d+(\.\d+)?){14,15}[ \t]*(\r?\n|\Z)",),
    },
}


def foreign_formats(files: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The files that hold no boxes of another format, and a note for each format that is not read.

    Args:
        files: Files in which no annotation was found.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    rest = []
    for file in files:
        name = read_guarded(lambda file=file: _format_of(file), file)  # type: ignore[misc]
        if name is None or isinstance(name, Unreadable):
            rest.append(file)
        else:
            found[name].append(file)
    return rest, [_note(name, inside) for name, inside in found.items()]


def _format_of(file: Path) -> str | None:
    with file.open("rb") as opened:
        head = opened.read(_LOOKED_AT)
    formats = _WORDS.get(file.suffix.lower(), {})
    return next((name for name, words in formats.items() if all(re.search(word, head) for word in words)), None)


def _note(name: str, files: Sequence[Path]) -> str:
    shown = ", ".join(file.name for file in files[:_FEW]) + (", …" if len(files) > _FEW else "")
    count = plural(len(files), "file")
    return f"not read: boxes in the format of {name}, {count} ({shown}): export them as COCO, YOLO or Pascal VOC"
