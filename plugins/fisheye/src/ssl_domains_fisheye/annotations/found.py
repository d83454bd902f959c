"""Which format a data set's annotations have, and which file or entry belongs to which image."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import Problems, ReadError
from ssl_domains_fisheye.annotations import coco, voc, woodscape, yolo
from ssl_domains_fisheye.annotations.box import Box

__all__ = ["FORMATS", "Annotations", "find_annotations", "key_of"]

FORMATS = ("woodscape", "coco", "yolo", "voc")

# Folders that say what kind of file is in them; an image and its annotation differ in these only.
_KINDS = frozenset({"images", "image", "img", "imgs", "rgb_images", "jpegimages", "labels", "annotations", "boxes"})
_KINDS |= {"box_2d_annotations"}

T = TypeVar("T")


def key_of(relative: Path) -> str:
    """What an image and its annotation have in common: the path without suffix and kind folders."""
    folders = [part for part in relative.parent.parts if part.lower() not in _KINDS]
    return "/".join([*folders, relative.stem])


class ByName(Generic[T]):
    """Things looked up by the key of a path, or by its file name where only one thing has it."""

    def __init__(self, things: Iterable[tuple[str, T]]) -> None:
        self._by_key: dict[str, T] = {}
        self._by_stem: dict[str, list[T]] = {}
        for key, thing in things:
            self._by_key[key] = thing
            self._by_stem.setdefault(key.rpartition("/")[2], []).append(thing)

    def get(self, key: str) -> T | None:
        """The thing of this key, else the only one of its last part, else None."""
        if key in self._by_key:
            return self._by_key[key]
        alike = self._by_stem.get(key.rpartition("/")[2], [])
        return alike[0] if len(alike) == 1 else None


class Annotations:
    """The annotations of one data set.

    Attributes:
        format: One of `FORMATS`.
        notes: One line each for the user.
        leftover: Called with the keys of all images: paths or names that are annotated though no image is there.
    """

    def __init__(
        self,
        format: str,
        boxes: Callable[[str, tuple[int, int], Problems], list[Box] | None],
        leftover: Callable[[frozenset[str]], list[str]],
        notes: tuple[str, ...] = (),
    ) -> None:
        self.format = format
        self.notes = notes
        self.leftover = leftover
        self._boxes = boxes

    def boxes(self, image: Path, size: tuple[int, int], problems: Problems) -> list[Box] | None:
        """The boxes of an image; None when nothing is said of it. What can't be read becomes a problem.

        Args:
            image: Path relative to the source.
            size: Its width and height in px.
            problems: Takes bad lines and unreadable files.
        """
        return self._boxes(key_of(image), size, problems)


def find_annotations(
    source: Path, annotations: Path | None, format: str | None, problems: Problems
) -> Annotations | None:
    """The annotations under a folder or in a file; None when there are none and none were asked for.

    Args:
        source: The data set; searched when ``annotations`` is None.
        annotations: A COCO file, or a folder of one file an image.
        format: One of `FORMATS`; None tells it by what the files hold.
        problems: Takes the bad files.

    Raises:
        UsageError: When the format is unknown, several are found, or what was asked for is not there.
    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"unknown annotation format {format!r}", did_you_mean(format, FORMATS))
    place = annotations or source
    if not place.exists():
        raise UsageError(f"there are no annotations at {place.name}", "check --annotations")
    found = _candidates(place)
    if format is not None:
        found = {format: _of_suffix(place, format) if not found.get(format) else found[format]}
    found = {name: files for name, files in found.items() if files}
    if len(found) > 1:
        raise UsageError(
            f"annotations of several formats are here: {', '.join(found)}", "choose one with --format, or --annotations"
        )
    if not found:
        if annotations is None and format is None:
            return None
        raise UsageError(f"{place.name} holds no {format or 'box'} annotations", f"formats: {', '.join(FORMATS)}")
    name, files = next(iter(found.items()))
    if name == "coco":
        if len(files) > 1:
            listed = ", ".join(file.name for file in files[:4])
            raise UsageError(f"several COCO files are here: {listed}", "choose one with --annotations FILE")
        return _coco(files[0], problems)
    base = place if place.is_dir() else place.parent
    return _one_file_an_image(name, base, files)


def _candidates(place: Path) -> dict[str, list[Path]]:
    """Files by the format their content looks like; a text file that looks like none goes with its neighbours."""
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    found: dict[str, list[Path]] = {name: [] for name in FORMATS}
    unclear: list[Path] = []
    for file in files:
        suffix = file.suffix.lower()
        if suffix not in (".txt", ".xml", ".json") or not file.is_file() or file.name in yolo.NAME_FILES:
            continue
        if suffix == ".json":
            if not any("calib" in part.lower() for part in file.relative_to(place).parts[:-1]) and _is_coco(file):
                found["coco"].append(file)
            continue
        with file.open(encoding="utf-8", errors="replace") as handle:
            start = handle.read(4096)
        if suffix == ".xml":
            if voc.looks(start):
                found["voc"].append(file)
        elif woodscape.looks(start):
            found["woodscape"].append(file)
        elif yolo.looks(start):
            found["yolo"].append(file)
        else:
            unclear.append(file)
    # An empty file says "no object here"; one whose first line is damaged must show up as a problem.
    for name in ("woodscape", "yolo"):
        folders = {file.parent for file in found[name]}
        found[name] = sorted([*found[name], *(file for file in unclear if file.parent in folders)])
    return found


def _is_coco(file: Path) -> bool:
    try:
        return coco.looks(json.loads(file.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError):
        return False


def _of_suffix(place: Path, format: str) -> list[Path]:
    suffix = {"woodscape": woodscape.SUFFIX, "yolo": yolo.SUFFIX, "voc": voc.SUFFIX, "coco": coco.SUFFIX}[format]
    files = sorted(place.rglob(f"*{suffix}")) if place.is_dir() else [place]
    return [file for file in files if file.name not in yolo.NAME_FILES]


def _coco(file: Path, problems: Problems) -> Annotations:
    try:
        by_file, crowds = coco.read(file, problems)
    except ReadError as error:
        raise UsageError(f"{file.name}: {error}", "check --annotations") from error
    lookup = ByName((key_of(Path(name)), boxes) for name, boxes in by_file.items())

    def boxes(key: str, size: tuple[int, int], problems: Problems) -> list[Box] | None:
        return lookup.get(key)

    def leftover(keys: frozenset[str]) -> list[str]:
        images = ByName((key, key) for key in keys)
        return [name for name in by_file if images.get(key_of(Path(name))) is None]

    notes = (f"{crowds} crowd regions were left out: they are no single object",) if crowds else ()
    return Annotations("coco", boxes, leftover, notes)


def _one_file_an_image(format: str, base: Path, files: list[Path]) -> Annotations:
    lookup = ByName((key_of(file.relative_to(base)), file) for file in files)
    names: Mapping[int, str] = {}
    notes: tuple[str, ...] = ()
    if format == "yolo":
        for folder in (base, *{file.parent for file in files}, base.parent):
            if names := yolo.class_names(folder):
                break
        else:
            notes = ("no classes.txt or data.yaml names the classes: they keep their numbers",)

    def boxes(key: str, size: tuple[int, int], problems: Problems) -> list[Box] | None:
        file = lookup.get(key)
        if file is None:
            return None
        try:
            if format == "yolo":
                return yolo.read(file, size, problems, dict(names))
            return (woodscape.read if format == "woodscape" else voc.read)(file, size, problems)
        except (ReadError, OSError, UnicodeDecodeError) as error:
            problems.add(file, error)
            return []

    def leftover(keys: frozenset[str]) -> list[str]:
        images = ByName((key, key) for key in keys)
        return [str(file) for file in files if images.get(key_of(file.relative_to(base))) is None]

    return Annotations(format, boxes, leftover, notes)
