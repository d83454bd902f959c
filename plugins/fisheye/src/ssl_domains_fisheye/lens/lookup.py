"""Which calibration belongs to an image: one for all, or by the name of the image, of its camera or of its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.lens.calibration import camera_of
from ssl_domains_fisheye.lens.camera import Camera
from ssl_domains_fisheye.lens.files import SUFFIXES, read_content
from ssl_domains_fisheye.lens.layouts import cameras_in, is_calibration

__all__ = ["IN_SOURCE", "Calibrations", "calibration_numbers", "read_calibration"]

# Where a scan looks for calibrations in its source; the last is WoodScape's published archive.
IN_SOURCE = ("calibration", "calibration.json", "calibration.yaml", "calibration.yml", "calibration_data/calibration")


def calibration_numbers(path: str | Path) -> Mapping[str, Any]:
    """The numbers of a file of one camera, in the layout that `camera_of` reads, whatever program wrote it.

    Raises:
        UsageError: When the file is missing or damaged, or holds several cameras.
    """
    path = Path(path)
    cameras = cameras_in(read_content(path), f"the calibration {path.name}")
    if len(cameras) > 1:
        raise UsageError(
            f"the calibration {path.name} holds {len(cameras)} cameras: {', '.join(list(cameras)[:6])}",
            "copy the block of one camera into a file of its own",
        )
    return next(iter(cameras.values()))


def read_calibration(path: str | Path) -> Camera:
    """The camera of one file.

    Raises:
        UsageError: As `calibration_numbers` and `camera_of`.
    """
    return camera_of(calibration_numbers(path), f"the calibration {Path(path).name}")


class Calibrations:
    """Finds the camera of an image: one file for all, or a folder matched by name.

    In a folder, ``00000_FV.json`` is the calibration of image ``00000_FV.png`` alone, ``FV.json`` that of every image
    whose name ends in ``_FV``, and ``image_02.yaml`` that of every image below a folder ``image_02``; the first found
    counts. The cameras of one Kalibr file are matched likewise, by ``cam0``, ``cam1`` and so on.

    Attributes:
        notes: What was passed over, for the user.
        rig: Names of the cameras of one file, which are mounted together.

    Raises:
        UsageError: When the path is missing, a folder holds no calibration, or any makes no camera.
    """

    def __init__(self, path: Path) -> None:
        self.notes: tuple[str, ...] = ()
        self.rig: frozenset[str] = frozenset()
        self._only: Camera | None = None
        self._by_name: dict[str, Camera] = {}
        if path.is_dir():
            self._read_folder(path)
            return
        cameras = _cameras(path, read_content(path))
        if len(cameras) == 1:
            self._only = next(iter(cameras.values()))
        else:
            self._by_name = cameras
            self.rig = frozenset(cameras)

    def _read_folder(self, path: Path) -> None:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and not file.is_dir())
        passed = []
        alone: dict[str, list[Camera]] = {}  # by the name inside a file of one camera
        for file in files:
            content = read_content(file)
            # A folder of JSON files is taken to hold calibrations only; YAML is used for other things too.
            if file.suffix.lower() != ".json" and not is_calibration(content):
                passed.append(file.name)
                continue
            cameras = _cameras(file, content)
            for inner, camera in cameras.items():
                name = file.stem if len(cameras) == 1 else inner
                if name in self._by_name:
                    raise UsageError(
                        f"the calibration folder {path.name} has two calibrations named {name!r}",
                        "leave one of them there",
                    )
                self._by_name[name] = camera
                if name != inner and inner:
                    alone.setdefault(inner, []).append(camera)
        for inner, found in alone.items():
            if len(found) == 1:  # the name in the file serves too, where no other file has it
                self._by_name.setdefault(inner, found[0])
        if not self._by_name:
            raise UsageError(
                f"the calibration folder {path.name} holds no calibration ({', '.join(SUFFIXES)})",
                "check --calibration",
            )
        if passed:
            self.notes = (f"passed over in {path.name}, as no calibration: {', '.join(passed[:6])}",)

    @property
    def names(self) -> frozenset[str]:
        """Names of the calibrations: cameras, folders, or images; empty for a single one."""
        return frozenset(self._by_name)

    def of(self, stem: str, camera: str | None, folders: Sequence[str] = ()) -> Camera | None:
        """The camera of an image, or None.

        Args:
            stem: Its file name without suffix.
            camera: The camera that its name says.
            folders: Folders that hold it, the nearest one last.
        """
        if self._only is not None:
            return self._only
        candidates = (stem, camera or "", *reversed(folders))
        return next((self._by_name[name] for name in candidates if name in self._by_name), None)


def _cameras(path: Path, content: Mapping[str, Any]) -> dict[str, Camera]:
    source = f"the calibration {path.name}"
    return {name: camera_of(numbers, source) for name, numbers in cameras_in(content, source).items()}
