"""Which format a data set's annotations have, and which of them belongs to which picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.quantities import plural
from ssl_domains.samples import Problems
from ssl_domains.samples.scanning.guard import Unreadable, read_guarded
from ssl_domains_fisheye.annotations.annotation import Annotation
from ssl_domains_fisheye.annotations.candidates import Candidates, read_candidates
from ssl_domains_fisheye.annotations.class_names import ClassNames
from ssl_domains_fisheye.annotations.keys import key_of
from ssl_domains_fisheye.annotations.matching import Address, Match, match
from ssl_domains_fisheye.annotations.passed_over import summary
from ssl_domains_fisheye.annotations.recognise import FORMATS, SUFFIXES, read_annotation

__all__ = ["Annotations", "find_annotations"]

_MANY_IMAGES = 20
_PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


@dataclass
class Annotations:
    """The annotations of one data set.

    Attributes:
        format: One of `FORMATS`.
        of_picture: Annotation by path of the picture, relative to the source.
        unclear: Cause by path of a picture of which it is not clear which annotation belongs to it.
        leftover: Path or declared name, and cause, of annotations that belong to no picture.
        notes: One line each for the user.
    """

    format: str
    of_picture: dict[Path, Annotation] = field(default_factory=dict)
    unclear: dict[Path, str] = field(default_factory=dict)
    leftover: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_annotations(
    pictures: Sequence[Path],
    files: Sequence[Path],
    base: Path,
    format: str | None,
    problems: Problems,
    named: Path | None = None,
) -> tuple[Annotations | None, list[str]]:
    """The annotations among some files, matched with pictures, and notes on what was passed over.

    Args:
        pictures: Paths relative to the source.
        files: All files that may be annotations.
        base: Folder to which the places of annotations count: the source, or the folder of annotations.
        format: One of `FORMATS`; None for the format that the contents of the files show.
        problems: Takes the bad files, lines and entries.
        named: The file or folder of annotations that the user named; None when they are looked for in the source.

    Returns:
        None for the annotations when there are none and the user named none.

    Raises:
        UsageError: When there are several formats, or what the user named is not there.
    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"unknown annotation format {format!r}", did_you_mean(format, (*FORMATS, "none")))
    candidates = read_candidates(files, base, format, problems)
    names = _Names(pictures, base)
    name = _choose(candidates, format, names, named, len(pictures))
    if name is None:
        strays = [annotation.file for some in candidates.of_format.values() for annotation in some]
        return None, summary([*candidates.unclear, *candidates.other, *strays], base)
    chosen = candidates.of_format[name]
    lacking = names.lacking(chosen)
    # A file that is named like a picture is its annotation, though empty or damaged; another one is something else.
    doubtful = [file for file in candidates.unclear if file.suffix.lower() == SUFFIXES[name] and lacking(file)]
    chosen += [_damaged(file, name, problems) for file in doubtful]
    # The picture of a file that can't be read has no boxes, and is not named as a problem again.
    chosen += [Annotation(file, name) for file in candidates.unreadable if lacking(file)]
    damaged = set(doubtful)
    passed = [file for file in candidates.unclear if file not in damaged] + candidates.other
    passed += [a.file for kind, others in candidates.of_format.items() if kind not in (name, "coco") for a in others]
    result = Annotations(name, notes=[f"annotations: {name}"])
    matched = match(pictures, [_address(a, base) for a in chosen])
    if name == "coco":
        _require_one_file(chosen, matched)
    classes = ClassNames(base, problems) if name == "yolo" else None
    for picture, number in sorted(matched.annotation.items()):
        result.of_picture[pictures[picture]] = classes.named(chosen[number]) if classes else chosen[number]
    result.unclear = {pictures[i]: cause for i, cause in matched.unclear.items()}
    result.leftover = _leftover(chosen, matched)
    result.notes += _notes(result, candidates, matched, classes)
    return result, summary(passed, base)


class _Names:
    """Names of the pictures, by which an annotation of one is recognised."""

    def __init__(self, pictures: Sequence[Path], base: Path) -> None:
        self._base = base
        self._keys = {key_of(picture) for picture in pictures}
        self._stems = {key.rpartition("/")[2] for key in self._keys}

    def has(self, annotation: Annotation) -> bool:
        """Whether a picture has the name that an annotation declares, or its own."""
        address = _address(annotation, self._base)
        return address.stem in self._stems or (address.place or "").rpartition("/")[2] in self._stems

    def is_key(self, file: Path) -> bool:
        """Whether a picture has the name of a file, and lies in the same folder but for kind folders."""
        return _own_key(file, self._base) in self._keys

    def lacking(self, annotations: Sequence[Annotation]) -> Callable[[Path], bool]:
        """A function: whether a file is named like a picture that none of these annotations is named like."""
        owned = {_own_key(a.file, self._base) for a in annotations if a.format != "coco"}
        stems = {key.rpartition("/")[2] for key in owned}

        def lacks(file: Path) -> bool:
            key = _own_key(file, self._base)
            stem = key.rpartition("/")[2]
            return (key in self._keys and key not in owned) or (stem in self._stems and stem not in stems)

        return lacks


def _damaged(file: Path, format: str, problems: Problems) -> Annotation:
    value = read_guarded(lambda: read_annotation(file, format), file)
    if isinstance(value, Unreadable):
        problems.add(file, value.cause)
        return Annotation(file, format)
    return replace(Annotation.from_json(file, value), format=format)


def _choose(candidates: Candidates, format: str | None, names: _Names, named: Path | None, pictures: int) -> str | None:
    """The format whose annotations count; None when there are none."""
    lacking = names.lacking([])
    kinds = [name for name in FORMATS if candidates.of_format[name] or (name == "coco" and candidates.damaged)]
    if format is not None:
        doubtful = any(lacking(file) for file in (*candidates.unclear, *candidates.unreadable))
        kinds = [format] if format in kinds or doubtful else []
    # A text that looks like a format by accident is named like no picture, and is one of few.
    sure = [name for name in kinds if any(names.has(a) for a in candidates.of_format[name])]
    likely = [name for name in kinds if name in (format, "coco") or 2 * len(candidates.of_format[name]) > pictures]
    kinds = sure or (kinds if named is not None else likely)
    if len(kinds) > 1:
        raise UsageError(
            f"annotations of several formats are here: {', '.join(kinds)}", "choose one with --format, or --annotations"
        )
    if kinds:
        return kinds[0]
    # Boxes that are lost must not be taken as none.
    lost = [file for file in candidates.unreadable if lacking(file)] + [
        file for file in candidates.numeric if names.is_key(file)
    ]
    if lost:
        return "voc" if lost[0].suffix.lower() == ".xml" else "yolo"
    if format is not None or named is not None:
        where = named.name if named is not None else "the source"
        raise UsageError(f"{where} holds no {format or 'box'} annotations", f"formats: {', '.join((*FORMATS, 'none'))}")
    return None


def _own_key(file: Path, base: Path) -> str:
    key = key_of(file.relative_to(base))
    # Some programs write "a.jpg.txt" for "a.jpg".
    return key_of(key) if key.lower().endswith(_PICTURE_ENDINGS) else key


def _address(annotation: Annotation, base: Path) -> Address:
    home = annotation.file.relative_to(base).parent
    if annotation.format == "coco":
        stem = annotation.file.stem
        return Address(home, None, annotation.picture, tuple(dict.fromkeys((stem, stem.rpartition("_")[2]))))
    folders = (annotation.folder,) if annotation.folder else ()
    return Address(home, _own_key(annotation.file, base), annotation.picture, folders)


def _require_one_file(chosen: list[Annotation], matched: Match) -> None:
    """Refuse COCO files of which two annotate the same pictures: of splits, each picture is in one."""
    files: dict[str, set[Path]] = {}
    for annotation in chosen:
        files.setdefault(annotation.picture or "", set()).add(annotation.file)
    for number in matched.rivals:
        several = files[chosen[number].picture or ""]
        if len(several) > 1:
            listed = ", ".join(sorted(file.name for file in several)[:4])
            raise UsageError(
                f"several COCO files annotate the same pictures: {listed}", "choose one with --annotations FILE"
            )


def _leftover(chosen: list[Annotation], matched: Match) -> list[tuple[str, str]]:
    """Annotations without a picture; of a COCO file with many such images, one row says how many."""
    left = sorted(matched.left.items())
    counts = Counter((chosen[i].file, cause) for i, cause in left if chosen[i].format == "coco")
    many = {key: count for key, count in counts.items() if count > _MANY_IMAGES}
    rows = [(str(file), f"{count:,} of its images: {cause}") for (file, cause), count in many.items()]
    for i, cause in left:
        if (chosen[i].file, cause) not in many:
            name = chosen[i].picture if chosen[i].format == "coco" else None
            rows.append((name or str(chosen[i].file), cause))
    return rows


def _notes(result: Annotations, candidates: Candidates, matched: Match, names: ClassNames | None) -> list[str]:
    notes = []
    used = list(result.of_picture.values())
    if matched.by_name:
        pictures = plural(matched.by_name, "picture")
        notes.append(f"matched by name: {pictures} whose folder says nothing of the annotation")
    if matched.renamed:
        declare = plural(matched.renamed, "annotation declares", "annotations declare")
        notes.append(f"{declare} a name that no picture has: matched by the name of the annotation file")
    if rotated := sum(annotation.rotated for annotation in used):
        boxes = plural(rotated, "rotated box or polygon", "rotated boxes or polygons")
        notes.append(f"{boxes}: the extent is the box")
    if result.format == "coco" and candidates.crowds:
        notes.append(f"{plural(candidates.crowds, 'crowd region')} left out: no single object")
    if result.format == "coco" and candidates.unnamed:
        boxes = plural(candidates.unnamed, "box is", "boxes are")
        notes.append(f"{boxes} of a category without a name: the class is the category's number")
    for encoding, count in Counter(a.encoding for a in used if a.encoding).items():
        files = plural(count, "annotation file is", "annotation files are")
        notes.append(f"{files} not UTF-8: read as {encoding}")
    notes += [f"{name} is not UTF-8: read as {encoding}" for name, encoding in candidates.encodings]
    if names is not None:
        notes += names.notes
        if any(annotation.boxes and not names.of(annotation.file) for annotation in used):
            notes.append("no classes.txt or data.yaml names the classes: they keep their numbers")
        if names.unnamed:
            boxes = plural(names.unnamed, "box has", "boxes have")
            notes.append(f"{boxes} a class number without a name: the number is the class")
    return notes
