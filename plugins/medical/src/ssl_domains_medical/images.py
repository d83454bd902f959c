"""Folders of pictures (PNG, TIFF, JPEG, BMP), one row a page; the rest comes from a joined table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError, each_file
from ssl_domains_medical.found import Found
from ssl_domains_medical.nifti.naming import masks_beside_images
from ssl_domains_medical.picture_headers import is_tiff, picture_pages

__all__ = ["SUFFIXES", "decode_pages", "scan_images"]

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")


def scan_images(paths: Sequence[Path], root: Path, digest: Callable[[str], str]) -> Found:
    """Index pictures from their headers.

    ``file`` is the path below the source, the column to join a table on. No patient is guessed from a folder's name.
    """
    found = Found()
    below = {path: path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name for path in paths}
    files = [PurePosixPath(below[path]) for path in paths]
    masks = set(masks_beside_images(files, [file.stem for file in files]))
    if masks:
        found.notes.append(f"passed over as masks beside their pictures, by their names: {len(masks):,} files")
    pictures = [path for at, path in enumerate(paths) if at not in masks]
    for path, pages in each_file(pictures, picture_pages, found.problems, "pictures"):
        relative, several = below[path], len(pages) > 1
        for number, page in enumerate(pages):
            found.rows.append(
                {
                    "sample": digest(f"{relative}#{number}" if several else relative),
                    "path": str(path),
                    "file": relative,
                    "reader": "image",
                    "frame": number,
                    "volume": digest(relative) if several else None,
                    "slice": number if several else None,
                    "position": number / (len(pages) - 1) if several else None,
                    **page,
                }
            )
    return found


def decode_pages(path: str, pages: Sequence[int]) -> list[NDArray[np.generic]]:
    """Decode pages of one file as stored: 8 or 16 bits, float, grey ``[H, W, 1]`` or RGB ``[H, W, 3]``.

    Raises:
        ReadError: When the file is damaged or has no such page.
    """
    picture_pages(Path(path))  # refuses what OpenCV would decode in part, or to other numbers
    try:
        data = np.fromfile(path, np.uint8)
        if is_tiff(data[:4].tobytes()):
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
