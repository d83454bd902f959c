"""What a file name says: recording, frame (one time stamp, all its cameras) and camera."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ssl_domains_fisheye.annotations import key_of

__all__ = ["WOODSCAPE_CAMERAS", "Name", "names_of"]

WOODSCAPE_CAMERAS = frozenset({"FV", "RV", "MVL", "MVR"})
# Folders of one camera each, beside each other in one recording: KITTI's image_00 to image_03.
_CAMERA_FOLDER = re.compile(r"image_0[0-3]")
_SERIES = re.compile(r"(?P<recording>.+?)[_-]\d+")


@dataclass(frozen=True)
class Name:
    """What one image's path says; None where it says nothing.

    Attributes:
        recording: The drive or clip: its folder, or what stands before the frame number (``rec03_0007_FV``).
        frame: The path without the camera, so that all cameras of one time stamp share it.
        camera: The ending of the name that names a camera, or the folder that does (``FV``, ``image_02``).
    """

    recording: str | None
    frame: str
    camera: str | None


def names_of(images: Iterable[Path], cameras: Iterable[str] = (), rig: Iterable[str] = ()) -> list[Name]:
    """Names of all images of a data set, from their paths relative to it.

    Recordings are named only where there are at least two: a prefix of every image is no recording.
    A folder of one camera is no recording: cameras that were on at the same time are in one recording.

    Args:
        images: Relative paths.
        cameras: Endings that name a camera besides WoodScape's four.
        rig: Folders of cameras that are mounted together, besides WoodScape's four and KITTI's.
    """
    mounted = WOODSCAPE_CAMERAS | frozenset(rig)
    known = WOODSCAPE_CAMERAS | frozenset(cameras)
    names = []
    for image in images:
        folder, _, stem = key_of(image).rpartition("/")
        before, _, ending = stem.rpartition("_")
        camera = ending if before and ending in known else None
        frame = before if camera else stem
        if camera is None:
            folder, camera = _without_camera(folder, mounted)
        series = _SERIES.fullmatch(frame)
        recording = folder or (series["recording"] if series else None)
        names.append(Name(recording, f"{folder}/{frame}" if folder else frame, camera))
    if len({name.recording for name in names} - {None}) < 2:
        names = [Name(None, name.frame, name.camera) for name in names]
    return names


def _without_camera(folder: str, mounted: frozenset[str]) -> tuple[str, str | None]:
    """A folder's path without the part that names a camera, and the camera."""
    parts = folder.split("/")
    for i in reversed(range(len(parts))):
        if parts[i] in mounted or _CAMERA_FOLDER.fullmatch(parts[i]):
            return "/".join(parts[:i] + parts[i + 1 :]), parts[i]
    return folder, None
