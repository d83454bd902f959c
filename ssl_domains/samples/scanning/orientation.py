"""The orientation tag of a picture (EXIF 274): how viewers turn the stored pixels before they show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["loaded_orientation", "orientation_of", "stored_size", "turned", "turned_back", "turned_size"]

_TAG = 274


def orientation_of(picture: Picture) -> int:
    """The tag of a picture whose header is read, 1 to 8; 1 where there is none, or one that means nothing."""
    if picture.format == "PNG" and "exif" not in picture.info:
        return 1  # Pillow would decode the whole picture to look for a tag behind the pixels.
    try:
        tag = picture.getexif().get(_TAG, 1)
    except Exception:  # a damaged tag leaves the pixels as they are stored
        return 1
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else 1


def stored_size(picture: Picture) -> tuple[int, int]:
    """Width and height of the pixels as they are stored, of a picture whose header is read."""
    tags = getattr(picture, "tag_v2", None)
    # Pillow gives a TIFF's size as it is shown; its tags 256 and 257 have the stored one.
    return (int(tags[256]), int(tags[257])) if tags and 256 in tags and 257 in tags else picture.size


def loaded_orientation(picture: Picture, tag: int) -> int:
    """The orientation that Pillow has applied to the pixels of a picture, after they were loaded.

    Loading a TIFF turns it and removes the tag; no other format is turned.

    Args:
        picture: A picture after ``load()``.
        tag: What `orientation_of` gave before.
    """
    return tag if picture.format == "TIFF" and orientation_of(picture) == 1 else 1


def turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height of a picture after it is turned: the tags 5 to 8 exchange them."""
    return (size[1], size[0]) if orientation >= 5 else size


def turned(pixels: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Stored pixels ``[H, W, C]`` as viewers show them: tag 6 turns them clockwise by 90 degrees."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    # What is left after the exchange of the axes: mirrored left to right, and upside down.
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def turned_back(pixels: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """The stored pixels of a picture that was turned by `turned`."""
    return turned(pixels, {6: 8, 8: 6}.get(orientation, orientation))
