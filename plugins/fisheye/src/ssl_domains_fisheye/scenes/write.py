"""A folder of fisheye scenes in WoodScape's layout, with what is real and what is simulated written beside it."""

from __future__ import annotations

import copy
import csv
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.lens import calibration_numbers, camera_of
from ssl_domains_fisheye.scenes.eye import Eye
from ssl_domains_fisheye.scenes.pictures import Picture, find_pictures, square
from ssl_domains_fisheye.scenes.placement import Placement

__all__ = ["write_lens_scenes"]

Progress = Callable[[int, int], None]
_CAMERA = "FV"
_QUALITY = 95


def write_lens_scenes(
    pictures: Path,
    calibration: Path,
    out: Path,
    *,
    seed: int = 0,
    per_scene: int = 12,
    largest: float = 90.0,
    smallest_side: float = 24.0,
    largest_side: float = 48.0,
    mismatch: float | None = None,
    progress: Progress | None = None,
) -> str:
    """Put flat pictures on cards around a camera and look at them through its lens: real pictures, simulated optics.

    Each picture is on one card, which faces the camera; training pictures are in training scenes, test pictures in
    test scenes. θ is uniform from 0 to ``largest``, and neither place nor size depends on the class, so that whatever a
    model knows of the class it has from the picture.

    ========================  ===================================================================================
    ``rgb_images/``           scenes as JPEG of quality 95, colours not subsampled
    ``box_2d_annotations/``   ``name,index,left,top,right,bottom`` of each card
    ``calibration/FV.json``   the calibration the scenes were drawn with
    ``calibration_plus/``     with ``mismatch``: k1 that much larger than it was, for the same scenes
    ``calibration_minus/``    likewise smaller
    ``scenes.csv``            image, scene, split: to be joined by ``--join scenes.csv --on image``
    ``objects.csv``           of each card its picture and its true place and size
    ``about.json``            what is real, what is simulated, and every setting
    ========================  ===================================================================================

    Args:
        pictures: Holds ``train/CLASS/*`` and ``test/CLASS/*``.
        calibration: JSON of one camera.
        out: Folder to write under; made when missing.
        seed: Same seed, same scenes.
        per_scene: Cards in a scene; the last scene of a split may have fewer.
        largest: Largest θ in degrees.
        smallest_side: Of a card, in pixels where it would be in the picture's centre.
        largest_side: Likewise.
        mismatch: Share by which k1 is wrong in the two further calibrations.
        progress: Called with the scenes done and the scenes to do.

    Returns:
        What was written and the next command, for the terminal.

    Raises:
        UsageError: For a folder that is laid out otherwise or already used, or cards that don't fit the lens.
        DataError: When a picture can't be decoded.
    """
    if per_scene < 1 or not 0 < smallest_side <= largest_side or not 0 < largest <= 180:
        raise UsageError("the settings make no scene", "--per-scene from 1, --largest up to 180 degrees")
    content = dict(calibration_numbers(calibration))
    camera = camera_of(content, f"the calibration {calibration.name}")
    found = find_pictures(pictures)
    wrong = _mismatched(content, mismatch) if mismatch is not None else {}
    if (out / "rgb_images").exists() and any((out / "rgb_images").iterdir()):
        raise UsageError(f"{out} already holds images", "choose an empty folder")
    if not float(camera.lens.limit) >= math.radians(largest):
        seen = math.degrees(camera.lens.limit)
        raise UsageError(f"this lens is known up to {seen:.0f}° off its axis, not {largest:g}°", "give --largest")
    for folder in ("rgb_images", "box_2d_annotations"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for folder, numbers in {"calibration": content, **wrong}.items():
        (out / folder).mkdir(exist_ok=True)
        (out / folder / f"{_CAMERA}.json").write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")

    placement = Placement(camera, math.radians(largest), smallest_side, largest_side)
    classes = sorted({picture.name for side in found.values() for picture in side})
    writer = _Writer(out, Eye.of(camera), placement, classes)
    plan = _plan(found, per_scene, seed)
    for number, (scene, chosen) in enumerate(plan, start=1):
        # Each scene has a generator of its own: adding a picture changes no other scene's light.
        writer.scene(scene, chosen, np.random.default_rng([seed, number]))
        if progress is not None:
            progress(number, len(plan))
    writer.tables()
    about = {
        "real": "the pictures on the cards, whatever they show",
        "simulated": "the optics and the scene: cards that face a camera, drawn through its calibrated lens",
        "pictures": {split: len(side) for split, side in found.items()},
        "scenes": {split: sum(scene.startswith(split) for scene, _ in plan) for split in found},
        "classes": classes,
        "seed": seed,
        "per_scene": per_scene,
        "largest_theta": largest,
        "card_side_px_at_centre": [smallest_side, largest_side],
        "mismatch": mismatch,
        "jpeg_quality": _QUALITY,
    }
    (out / "about.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    count = sum(len(side) for side in found.values())
    return (
        f"{count:,} real pictures in {len(plan):,} scenes through simulated optics.\n"
        f"next: ssl-domains fisheye scan {quote(str(out))} --join {quote(str(out / 'scenes.csv'))} --on image "
        f"-o {quote(str(out / 'samples.parquet'))}"
    )


def _plan(found: dict[str, list[Picture]], per_scene: int, seed: int) -> list[tuple[str, list[Picture]]]:
    """Scenes by name with their pictures, each picture in one."""
    plan = []
    for split, pictures in found.items():
        order = np.random.default_rng([seed, 0, len(split)]).permutation(len(pictures))
        for number, start in enumerate(range(0, len(order), per_scene)):
            plan.append((f"{split}_{number:05d}", [pictures[i] for i in order[start : start + per_scene]]))
    return plan


def _mismatched(content: dict[str, Any], mismatch: float) -> dict[str, dict[str, Any]]:
    """Calibrations whose k1 is wrong, by folder."""
    wrong = {}
    for folder, factor in (("calibration_plus", 1 + mismatch), ("calibration_minus", 1 - mismatch)):
        changed = copy.deepcopy(content)
        numbers = changed.get("intrinsic", changed)
        if "k1" not in numbers:
            raise UsageError("--mismatch changes k1, and this calibration has none", "take a radial_poly calibration")
        numbers["k1"] = float(numbers["k1"]) * factor
        camera_of(changed, f"the calibration with k1 × {factor:g}")
        wrong[folder] = changed
    return wrong


@dataclass
class _Writer:
    """Draws scenes and keeps what is to be told of them."""

    out: Path
    eye: Eye
    placement: Placement
    classes: Sequence[str]
    scenes: list[dict[str, Any]] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)

    def scene(self, name: str, chosen: Sequence[Picture], rng: np.random.Generator) -> None:
        """Draw one scene and its boxes."""
        image = f"rgb_images/{name}_{_CAMERA}.jpg"
        pixels = self.eye.backdrop(rng)
        lines = []
        for picture, card in zip(chosen, self.placement.draw(rng, len(chosen)), strict=True):
            box = self.eye.draw(pixels, card, square(picture))
            lines.append(f"{picture.name},{self.classes.index(picture.name)},{','.join(map(str, box))}\n")
            told = {
                "theta": round(math.degrees(card.theta), 4),
                "phi": round(math.degrees(card.phi), 4),
                "side_degrees": round(2 * math.degrees(math.atan(card.half)), 4),
                "turn": round(math.degrees(card.turn), 4),
            }
            edges = dict(zip(("left", "top", "right", "bottom"), box, strict=True))
            self.objects.append(
                {
                    "image": image,
                    "line": len(lines),
                    "scene": name,
                    "split": picture.split,
                    "class": picture.name,
                    "picture": picture.source,
                    **told,
                    **edges,
                }
            )
        _write_jpeg(self.out / image, pixels)
        (self.out / "box_2d_annotations" / f"{name}_{_CAMERA}.txt").write_text("".join(lines), encoding="utf-8")
        self.scenes.append({"image": image, "scene": name, "split": chosen[0].split})

    def tables(self) -> None:
        """Write ``scenes.csv`` and ``objects.csv``."""
        for file, rows in (("scenes.csv", self.scenes), ("objects.csv", self.objects)):
            with (self.out / file).open("w", encoding="utf-8", newline="") as handle:
                writer = csv.DictWriter(handle, rows[0])
                writer.writeheader()
                writer.writerows(rows)


def _write_jpeg(path: Path, pixels: NDArray[np.float32]) -> None:
    settings = [
        cv2.IMWRITE_JPEG_QUALITY,
        _QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    whole = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    _, content = cv2.imencode(".jpg", np.ascontiguousarray(whole[:, :, ::-1]), settings)
    path.write_bytes(content.tobytes())
