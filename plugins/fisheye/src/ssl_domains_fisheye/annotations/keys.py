"""Names of pictures and annotations without what differs between them: kind folders and the ending."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

__all__ = ["folder_of", "key_of", "parts_of"]

# Folders that say what kind of file is in them; an image and its annotation differ in these only.
_KINDS = frozenset({
    "images", "image", "img", "imgs", "rgb_images", "rgbimages", "raw_images", "rgb", "raw", "jpegimages", "pictures",
    "photos", "labels", "label", "annotations", "annotation", "boxes", "bboxes", "xml", "xmls", "box_2d_annotations",
})  # fmt: skip

# "frame.0001", as a file may declare a picture, has no ending.
_ENDING = re.compile(r"(?=[0-9]*[A-Za-z])[0-9A-Za-z]{1,5}")


def key_of(relative: PurePath | str) -> str:
    """What an image and its annotation have in common: the path without ending and kind folders.

    Example:
        >>> key_of("images/train/a.jpg"), key_of("labels/train/a.txt")
        ('train/a', 'train/a')
    """
    text = relative if isinstance(relative, str) else relative.as_posix()
    # Text and no Path: a data set of 100,000 pictures asks for a key a million times.
    *folders, name = unicodedata.normalize("NFC", text).split("/")
    stem, _, ending = name.rpartition(".")
    if stem and _ENDING.fullmatch(ending):
        name = stem
    return "/".join([*(part for part in folders if part.lower() not in _KINDS), name])


def folder_of(key: str) -> str:
    """The folders of a key, without the name."""
    return key.rpartition("/")[0]


def parts_of(declared: str) -> list[str]:
    """Folders and name of a path as a file of any machine declares it, with ``\\\\`` or ``/`` between them."""
    text = unicodedata.normalize("NFC", declared).replace("\\", "/")
    return [part for part in text.split("/") if part not in ("", ".", "..") and not part.endswith(":")]
