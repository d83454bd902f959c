"""YOLO's text: one object a line, ``class x y width height``, relative to the image; names in a file beside."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.samples import Problems, ReadError
from ssl_domains_fisheye.annotations.box import Box, number

__all__ = ["NAME_FILES", "SUFFIX", "class_names", "looks", "read"]

SUFFIX = ".txt"
NAME_FILES = ("classes.txt", "obj.names", "data.yaml", "data.yml", "dataset.yaml")


def looks(content: str) -> bool:
    """Whether a file's first line is one of this format."""
    fields = content.strip().partition("\n")[0].split()
    try:
        return len(fields) >= 5 and all(abs(float(field)) < 1e6 for field in fields)
    except ValueError:
        return False


def class_names(folder: Path) -> dict[int, str]:
    """Names by class number from the first of `NAME_FILES` in a folder; empty when there is none, or it names none."""
    for name in NAME_FILES:
        path = folder / name
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix in (".txt", ".names"):
            return dict(enumerate(line.strip() for line in text.splitlines() if line.strip()))
        import yaml  # type: ignore[import-untyped]

        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError:
            return {}
        names = content.get("names") if isinstance(content, dict) else None
        if isinstance(names, list):
            return {i: str(name) for i, name in enumerate(names)}
        if isinstance(names, dict):
            return {int(i): str(name) for i, name in names.items() if str(i).isdigit()}
    return {}


def read(path: Path, size: tuple[int, int], problems: Problems, names: dict[int, str]) -> list[Box]:
    """The boxes of one file; a bad line is a problem with its number, the others are kept.

    Args:
        path: The file.
        size: Width and height of its image in px.
        problems: Takes the bad lines.
        names: From `class_names`; a number without a name is its own.
    """
    width, height = size
    boxes = []
    for count, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            if len(fields) != 5:
                raise ReadError(f"{len(fields)} fields, not the 5 of class x y width height")
            code, x, y, w, h = (number(field, "a field") for field in fields)
            if code != int(code) or code < 0:
                raise ReadError(f"the class {fields[0]!r} is not a number of a class")
            if not (0 <= x <= 1 and 0 <= y <= 1 and w <= 1 and h <= 1):
                raise ReadError("coordinates must be relative to the image, 0 to 1")
        except ReadError as error:
            problems.add(path, f"line {count}: {error}")
            continue
        name = names.get(int(code), str(int(code)))
        left, right, top, bottom = (x - w / 2) * width, (x + w / 2) * width, (y - h / 2) * height, (y + h / 2) * height
        boxes.append(Box(str(count), name, left, top, right, bottom, path, f"line {count}"))
    return boxes
