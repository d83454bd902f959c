"""Labels of one line: a picture or a table of class numbers whose file name says the line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.samples import ReadError
from ssl_domains_seismic.labels.class_numbers import class_numbers, stored_array
from ssl_domains_seismic.labels.grid import LabelGrid, PlacedLabels, span

__all__ = ["SECTION_SUFFIXES", "Direction", "line_of", "lines_in", "read_section"]

SECTION_SUFFIXES = (".png", ".csv", ".txt", ".npy")

Direction = Literal["inline", "crossline"]

_WORDS: dict[str, Direction] = {
    **dict.fromkeys(("inline", "iline", "il"), "inline"),
    **dict.fromkeys(("crossline", "xline", "xl"), "crossline"),
}
_LINE = re.compile(rf"(?<![a-z])({'|'.join(_WORDS)})[\s_.=-]*(\d+)", re.IGNORECASE)
_GREY = {"1", "L", "P", "I", "I;16", "I;16B", "I;16L"}


def lines_in(name: str) -> set[tuple[Direction, int]]:
    """The lines that a file name says; `line_of` gives the only one."""
    return {(_WORDS[word.lower()], int(number)) for word, number in _LINE.findall(Path(name).stem)}


def line_of(name: str) -> tuple[Direction, int]:
    """The line that a file name says.

    ``"facies_inline_300.png"`` is inline 300, ``"labels_xl1016.csv"`` is crossline 1016.

    Raises:
        ReadError: When the name says none, or several.
    """
    found = lines_in(name)
    if not found:
        raise ReadError("its name says no line: name it like facies_inline_300.png or facies_crossline_1016.png")
    if len(found) > 1:
        said = " and ".join(f"{direction} {number}" for direction, number in sorted(found))
        raise ReadError(f"its name says {said}: a section lies on one line")
    return found.pop()


def read_section(path: Path, grid: LabelGrid, line: tuple[Direction, int] | None = None) -> PlacedLabels:
    """The labels of a section.

    In a picture (PNG: grey values or palette numbers are classes) columns are traces and rows are samples. In a table
    (``.csv``, ``.txt``, ``.npy``) rows are traces and columns are samples, as in a volume. Both start at the lowest
    line number and the first sample, and have every trace and sample of the line; 255 is unlabelled.

    Args:
        path: The file.
        grid: The survey.
        line: Direction and number; None takes them from the name.

    Raises:
        ReadError: When it can't be read, its line is not in the survey, or its size is not that of the line; with both
            sizes.
    """
    direction, number = line or line_of(path.name)
    numbers, across = (grid.inlines, grid.crosslines) if direction == "inline" else (grid.crosslines, grid.inlines)
    at = np.flatnonzero(numbers == number)
    if not at.size:
        raise ReadError(f"{direction} {number} is not in the survey, whose {direction}s are {span(numbers)}")
    if path.suffix.lower() == ".png":
        section, words = _picture(path), ("column", "row")
    else:
        section, words = stored_array(path), ("row", "column")
    if section.ndim != 2:
        raise ReadError(f"a section has 2 axes, this array has {section.ndim}")
    _require_size(section.shape, (across.size, grid.ms.size), words, direction, number)
    classes = class_numbers(section)
    every, samples = np.arange(across.size), np.arange(grid.ms.size)
    if direction == "inline":
        return PlacedLabels(classes[None], at, every, samples)
    return PlacedLabels(classes[:, None], every, at, samples)


def _picture(path: Path) -> NDArray[np.generic]:
    """Pixels as ``[trace, sample]``."""
    try:
        with Image.open(path) as picture:
            if picture.mode not in _GREY:
                raise ReadError(
                    f"a picture of the mode {picture.mode} has colours instead of class numbers: save it with a "
                    "palette or as grey values"
                )
            pixels = np.array(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ReadError(f"the picture can't be read: {error}") from error
    return pixels.T


def _require_size(
    shape: tuple[int, ...], wanted: tuple[int, int], words: tuple[str, str], direction: Direction, number: int
) -> None:
    if shape == wanted:
        return
    other = "crosslines" if direction == "inline" else "inlines"
    for have, want, word, what in zip(shape, wanted, words, (other, "samples"), strict=True):
        if have != want:
            turned = "; it stands the other way round" if shape == wanted[::-1] else ""
            raise ReadError(f"it has {have} {word}s, {direction} {number} has {want} {what}{turned}")
