"""Files that may be annotations, read once and sorted by format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ssl_domains.samples import Problems
from ssl_domains.samples.scanning.each_file import each_file
from ssl_domains.samples.scanning.guard import Unreadable, read_guarded
from ssl_domains_fisheye.annotations import coco
from ssl_domains_fisheye.annotations.annotation import Annotation
from ssl_domains_fisheye.annotations.class_names import NAME_FILES, keypoint_numbers
from ssl_domains_fisheye.annotations.recognise import FORMATS, SUFFIXES, read_annotation

__all__ = ["Candidates", "read_candidates"]


@dataclass
class Candidates:
    """Annotations by format, before it is known which of them count.

    Attributes:
        of_format: What looks like each format.
        unclear: Text and XML files that look like none: damaged, empty, or something else.
        numeric: Those of them that hold rows of numbers, so that they may be boxes with too many or too few fields.
        unreadable: Text and XML files that can't be read; they are problems already.
        damaged: How many COCO files can't be read, or hold no image that can; they are problems already.
        crowds: Left out of COCO files.
        unnamed: Boxes of COCO files whose category has no name.
        encodings: Names of COCO files that are not UTF-8, with their encoding.
        other: JSON files that hold something else.
    """

    of_format: dict[str, list[Annotation]] = field(default_factory=lambda: {name: [] for name in FORMATS})
    unclear: list[Path] = field(default_factory=list)
    numeric: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)
    damaged: int = 0
    crowds: int = 0
    unnamed: int = 0
    encodings: list[tuple[str, str]] = field(default_factory=list)
    other: list[Path] = field(default_factory=list)


def read_candidates(files: Sequence[Path], base: Path, format: str | None, problems: Problems) -> Candidates:
    """Read all files that may be annotations, each once.

    Args:
        files: Text, XML and JSON files.
        base: Folder of the data set; what lies in a folder of calibrations is left out.
        format: Format that the user asks for; None for any.
        problems: Takes the files that can't be read, and bad entries of COCO files.
    """
    result = Candidates()
    jsons = [file for file in files if file.suffix.lower() == ".json" and not _is_calibration(file, base)]
    texts = [file for file in files if file.suffix.lower() in (".txt", ".xml") and file.name not in NAME_FILES]
    if format not in (None, "coco"):
        jsons, texts = [], [file for file in texts if file.suffix.lower() == SUFFIXES[format or ""]]
    elif format == "coco":
        texts = []
    readable = set()
    keypoints = keypoint_numbers(base) if texts else 0
    version = f"{keypoints} numbers of key points" if keypoints else ""
    for file, value in each_file(
        texts, lambda file: read_annotation(file, format, keypoints), problems, "annotations", version
    ):
        readable.add(file)
        annotation = Annotation.from_json(file, value)
        if annotation.format is None or (format is not None and annotation.format != format):
            result.unclear.append(file)
            if value["numeric"]:
                result.numeric.append(file)
        else:
            result.of_format[annotation.format].append(annotation)
    result.unreadable = [file for file in texts if file not in readable]
    for file, likely in each_file(jsons, coco.looks, problems, "JSON files"):
        if likely:
            _add_coco(file, result, problems)
        else:
            result.other.append(file)
    return result


def _add_coco(file: Path, result: Candidates, problems: Problems) -> None:
    before = len(problems.rows)
    content = read_guarded(lambda: coco.read(file, problems), file)
    if isinstance(content, Unreadable):
        problems.add(file, content.cause)
        result.damaged += 1
    elif content is None:
        result.other.append(file)
    else:
        result.of_format["coco"] += content.images
        result.damaged += not content.images and len(problems.rows) > before
        result.crowds += content.crowds
        result.unnamed += content.unnamed
        if content.encoding:
            result.encodings.append((file.name, content.encoding))


def _is_calibration(file: Path, base: Path) -> bool:
    folders = file.relative_to(base).parts[:-1] if file.is_relative_to(base) else file.parts[:-1]
    return file.name.lower() == "calibration.json" or any("calib" in part.lower() for part in folders)
