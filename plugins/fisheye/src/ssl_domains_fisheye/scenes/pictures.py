"""The flat pictures that scenes are made of: ``SPLIT/CLASS/NAME``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import ReadError
from ssl_domains_fisheye.images import SUFFIXES, decode

__all__ = ["Picture", "find_pictures", "square"]

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Picture:
    """A flat picture.

    Attributes:
        path: Where it is.
        split: "train" or "test": the scenes it may be in.
        name: Its class, the folder's name.
        source: Its path in the folder of all pictures.
    """

    path: Path
    split: str
    name: str
    source: str


def find_pictures(folder: Path) -> dict[str, list[Picture]]:
    """All pictures by split, in a fixed order.

    Raises:
        UsageError: When the folder isn't laid out as ``train/CLASS/*.jpg`` and ``test/CLASS/*.jpg``.
    """
    found: dict[str, list[Picture]] = {}
    for split in SPLITS:
        files = sorted(
            path
            for path in (folder / split).glob("*/*")
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
        )
        found[split] = [Picture(path, split, path.parent.name, path.relative_to(folder).as_posix()) for path in files]
    if not all(found.values()):
        raise UsageError(
            f"{folder.name!r} doesn't hold pictures for both sides of a split",
            "it needs train/CLASS/*.jpg and test/CLASS/*.jpg",
        )
    for picture in (each for pictures in found.values() for each in pictures):
        if "," in picture.name:
            raise UsageError(f"the class {picture.name!r} has a comma, which the box files can't hold", "rename it")
    return found


def square(picture: Picture) -> NDArray[np.uint8]:
    """The middle square of a picture, uint8 ``[S, S, 3]``: every card is square, whatever the class's pictures are.

    Raises:
        DataError: When it can't be decoded, or has other than 8 bits.
    """
    try:
        pixels = decode(picture.path)
    except ReadError as error:
        raise DataError(f"{picture.source}: {error}", "take it out of the folder") from error
    if pixels.dtype != np.uint8:
        raise DataError(f"{picture.source} holds {pixels.dtype}, not 8 bits a channel", "convert it first")
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    cut = pixels[top : top + side, left : left + side]
    return np.ascontiguousarray(np.repeat(cut, 3, axis=2) if cut.shape[2] == 1 else cut)
