"""Folders of pictures (PNG, TIFF, JPEG, BMP), one row a page; the rest comes from a joined table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.samples import ReadError
from ssl_domains_medical.found import Found

__all__ = ["SUFFIXES", "decode_pages", "scan_images"]

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")

_DTYPES = {"1": "uint8", "L": "uint8", "I;16": "uint16", "I;16B": "uint16", "I": "int32", "F": "float32"}


def scan_images(paths: Iterable[Path], root: Path, digest: Callable[[str], str]) -> Found:
    """Index pictures from their headers.

    ``file`` is the path below the source, the column to join a table on. No patient is guessed from a folder's name.
    """
    found = Found()
    for path in paths:
        relative = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        try:
            with Image.open(path) as image:
                mode, (width, height), pages = image.mode, image.size, int(getattr(image, "n_frames", 1))
        except Exception as error:  # Pillow's formats raise their own kinds
            found.problems.add(path, f"unreadable picture: {type(error).__name__}: {error}")
            continue
        grey = mode in _DTYPES
        for page in range(pages):
            found.rows.append(
                {
                    "sample": digest(relative if pages == 1 else f"{relative}#{page}"),
                    "path": str(path),
                    "file": relative,
                    "reader": "image",
                    "frame": page,
                    "volume": digest(relative) if pages > 1 else None,
                    "slice": page if pages > 1 else None,
                    "position": page / (pages - 1) if pages > 1 else None,
                    "rows": height,
                    "columns": width,
                    "channels": 1 if grey else 3,
                    "dtype": _DTYPES.get(mode, "uint8"),
                }
            )
    return found


def decode_pages(path: str, pages: Sequence[int]) -> list[NDArray[np.generic]]:
    """Decode pages of one file as stored: 8 or 16 bits, float, grey ``[H, W, 1]`` or RGB ``[H, W, 3]``.

    Raises:
        ReadError: When the file is damaged or has no such page.
    """
    try:
        data = np.fromfile(path, np.uint8)
        if path.lower().endswith((".tif", ".tiff")):
            good, decoded = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED)
            arrays = list(decoded) if good else []
        else:
            single = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            arrays = [] if single is None else [single]
    except (OSError, cv2.error) as error:
        raise ReadError(f"picture can't be decoded: {error}") from error
    if not arrays:
        raise ReadError("picture can't be decoded: damaged or of an unknown kind")
    if max(pages, default=0) >= len(arrays):
        raise ReadError(f"no page {max(pages)}: the file has {len(arrays)}")
    return [_channels_last(arrays[page]) for page in pages]


def _channels_last(pixels: NDArray[Any]) -> NDArray[np.generic]:
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels[:, :, None])
    if pixels.shape[2] == 1:
        return np.ascontiguousarray(pixels)
    return np.ascontiguousarray(pixels[:, :, 2::-1])  # OpenCV keeps blue first; a fourth channel is transparency
