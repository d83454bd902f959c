"""Names of YOLO's class numbers: ``classes.txt`` or ``data.yaml``, in the folder of the boxes or one above it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ssl_domains.samples import Problems
from ssl_domains.samples.scanning.guard import Unreadable, read_guarded
from ssl_domains_fisheye.annotations.annotation import Annotation
from ssl_domains_fisheye.annotations.text import read_text

__all__ = ["NAME_FILES", "ClassNames", "keypoint_numbers"]

NAME_FILES = ("classes.txt", "obj.names", "data.yaml", "data.yml", "dataset.yaml")
_LARGEST = 4 << 20
_DESCRIPTION = 1 << 17  # bytes; PyYAML needs seconds for a megabyte
_DESCRIBES = re.compile(r"^(train|val|path)\s*:", re.MULTILINE)
_KEYPOINTS = re.compile(r"^kpt_shape\s*:\s*\[\s*(\d{1,4})\s*,\s*([23])\s*\]", re.MULTILINE)


def keypoint_numbers(folder: Path) -> int:
    """How many numbers of key points follow each box, as ``kpt_shape: [17, 3]`` in ``data.yaml`` says; else 0.

    Args:
        folder: Of the data set; the file may also lie beside it.
    """
    for path in (
        place / name for place in (folder, folder.parent) for name in NAME_FILES if name.endswith((".yaml", ".yml"))
    ):
        read = read_guarded(lambda path=path: read_text(path, _LARGEST)[0] if path.is_file() else "", path)  # type: ignore[misc]
        shape = None if isinstance(read, Unreadable) else _KEYPOINTS.search(read)
        if shape is not None:
            return int(shape[1]) * int(shape[2])
    return 0


class ClassNames:
    """Finds the names that hold for a label file: those of its own folder, else of the nearest one above.

    Args:
        base: The highest folder whose files count, besides the one it lies in.
        problems: Takes the name files that can't be read.

    Attributes:
        notes: One line for each name file that is not UTF-8.
        unnamed: How many boxes have a class number that their name file doesn't name; it stays their class.
    """

    def __init__(self, base: Path, problems: Problems) -> None:
        self._base = base
        self._problems = problems
        self._of_folder: dict[Path, dict[int, str]] = {}
        self.notes: list[str] = []
        self.unnamed = 0

    def named(self, annotation: Annotation) -> Annotation:
        """The annotation with the names of its classes; a number without a name stays."""
        of = self.of(annotation.file)
        names = [of.get(int(box.name or 0)) for box in annotation.boxes]
        self.unnamed += names.count(None) if of else 0
        boxes = zip(annotation.boxes, names, strict=True)
        return replace(annotation, boxes=tuple(replace(box, name=name or box.name) for box, name in boxes))

    def of(self, file: Path) -> dict[int, str]:
        """Names by class number for the boxes of a file; empty when no file names them."""
        return self._nearest(file.parent)

    def _nearest(self, folder: Path) -> dict[int, str]:
        if folder not in self._of_folder:
            names = self._in(folder)
            if not names and folder != self._base and self._base in folder.parents:
                names = self._nearest(folder.parent)
            elif not names and folder == self._base:
                names = self._in(folder.parent)  # labels/ is scanned, and data.yaml lies beside it
            self._of_folder[folder] = names
        return self._of_folder[folder]

    def _in(self, folder: Path) -> dict[int, str]:
        for path in (folder / name for name in NAME_FILES):
            if not path.is_file():
                continue
            read = read_guarded(lambda path=path: _names(path), path)  # type: ignore[misc]
            if isinstance(read, Unreadable):
                self._problems.add(path, read.cause)
                continue
            names, encoding = read
            if encoding:
                self.notes.append(f"{path.name} is not UTF-8: its class names were read as {encoding}")
            if names:
                return names
        return self._in_described(folder)

    def _in_described(self, folder: Path) -> dict[int, str]:
        """Names in a file that describes the data set under a name of its own, such as ``coco8.yaml``."""
        described = {}
        for path in sorted(file for end in ("*.yaml", "*.yml") for file in folder.glob(end)):
            if path.name in NAME_FILES or not path.is_file():
                continue
            read = read_guarded(lambda path=path: _described(path), path)  # type: ignore[misc]
            if not isinstance(read, Unreadable) and read:
                described[path.name] = read
        if len(described) != 1:
            return {}  # of several files none can be chosen
        name, names = described.popitem()
        self.notes.append(f"class names: found in {name}")
        return names


def _described(path: Path) -> dict[int, str]:
    text, _ = read_text(path, _DESCRIPTION)
    return _names(path)[0] if _DESCRIBES.search(text) and re.search(r"^names\s*:", text, re.MULTILINE) else {}


def _names(path: Path) -> tuple[dict[int, str], str | None]:
    text, encoding = read_text(path, _LARGEST)
    if path.suffix in (".txt", ".names"):
        # A blank line names no class, and the numbers of those below it count it.
        return {i: line.strip() for i, line in enumerate(text.splitlines()) if line.strip()}, encoding
    import yaml  # type: ignore[import-untyped]

    # The base loader leaves all values as they are written: `no` is a name, not False.
    content = yaml.load(text, Loader=yaml.BaseLoader)
    names = content.get("names") if isinstance(content, dict) else None
    pairs = enumerate(names) if isinstance(names, list) else names.items() if isinstance(names, dict) else ()
    named = {str(number): name.strip() for number, name in pairs if isinstance(name, str) and name.strip()}
    return {int(number): name for number, name in named.items() if number.isdecimal() and len(number) < 7}, encoding
