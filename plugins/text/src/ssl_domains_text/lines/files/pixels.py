"""The pixels of an opened picture as grey or RGB of 8 or 16 bits, or as shares of white, without transparency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["GREY", "plain_pixels"]

GREY = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
"""Pillow's modes that become grey; all others become RGB."""

_WITH_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_OVERSHOOT = 0.05  # floats that were resized go beyond black and white by a little
_BITS_PER_SAMPLE = 258
_WIDER = {"L;2": 85, "L;4": 17}  # a grey of 2 or 4 bits times this is one of 8 bits


def plain_pixels(picture: Picture) -> NDArray[Any]:
    """Pixels ``[H, W, C]`` of 1 or 3 channels: uint8, uint16, or float32 in [0, 1].

    Transparent places become white.

    Args:
        picture: An opened picture, which is loaded here.

    Raises:
        ReadError: For numbers that fit none of these types: which of them is white, nothing says.
    """
    if picture.format == "PNG":
        _fit_transparent_colour(picture)
    picture.load()
    mode = picture.mode
    if mode == "I":
        pixels = _of_32_bits(np.array(picture), _bits(picture))
    elif mode == "F":
        pixels = _shares(np.array(picture))
    elif mode.startswith("I;16"):
        pixels = np.array(picture).astype(np.uint16)
        transparent = picture.info.get("transparency")
        if isinstance(transparent, int):
            pixels[pixels == transparent] = np.iinfo(np.uint16).max
    else:
        pixels = np.array(_plain(picture))
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def _plain(picture: Picture) -> Picture:
    """Grey or RGB of 8 bits, without transparency."""
    from PIL import Image

    kind = "L" if picture.mode in GREY else "RGB"
    if "transparency" in picture.info or picture.mode in _WITH_ALPHA:
        shown = picture.convert("RGBA")
        paper = Image.new("RGBA", shown.size, "white")
        paper.alpha_composite(shown)
        return paper.convert(kind)
    return picture if picture.mode == kind else picture.convert(kind)


def _fit_transparent_colour(picture: Picture) -> None:
    """Bring the transparent colour of a PNG to the 8 bits that its pixels get when they are loaded.

    Pillow widens greys of 2 and 4 bits and narrows colours of 16, and leaves the transparent one as it is written.
    """
    colour = picture.info.get("transparency")
    raw = str(picture.tile[0].args) if picture.tile else ""
    if raw in _WIDER and isinstance(colour, int):
        picture.info["transparency"] = colour * _WIDER[raw]
    elif raw == "RGB;16B" and isinstance(colour, tuple):
        picture.info["transparency"] = tuple(value >> 8 for value in colour)


def _bits(picture: Picture) -> int:
    """Bits of a number as a TIFF states them; 0 for another format."""
    stated = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, (0,))
    return int(stated[0] if isinstance(stated, tuple) else stated)


def _of_32_bits(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Whole numbers of 32 bits as uint8 or uint16, whichever holds them; 16 bits, as some files load, stay 16."""
    low, high = int(pixels.min()), int(pixels.max())
    if low < 0 or high > np.iinfo(np.uint16).max:
        raise ReadError(
            f"its numbers go from {low:,} to {high:,}, and nothing says which of them is white: store it with 8 or 16 "
            "bits"
        )
    return pixels.astype(np.uint8 if bits == 32 and high <= np.iinfo(np.uint8).max else np.uint16)


def _shares(pixels: NDArray[Any]) -> NDArray[Any]:
    """Floats from 0 to 1, as they are."""
    finite = pixels[np.isfinite(pixels)]
    if finite.size and (finite.min() < -_OVERSHOOT or finite.max() > 1 + _OVERSHOOT):
        raise ReadError(
            f"its floats go from {finite.min():g} to {finite.max():g}, and only those from 0 (black) to 1 (white) can "
            "be read: store it with 8 or 16 bits"
        )
    return pixels
