"""The demonstration: real handwritten digits on cards around a camera, seen through a simulated calibrated lens."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.lens import Camera, camera_of

__all__ = ["CALIBRATIONS", "write_demo_data"]

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RECORDINGS, FRAMES, DIGITS_A_SCENE = 12, 5, 13
SIZE = 400
_FINE = 2  # pictures are drawn at twice the size and averaged down, so that strokes stay smooth where the lens squeezes

# Two cameras of one car, both squeezing the edge: at θ = 85° radial magnification is 0.41 and tangential 1.18 of the
# centre's in the front camera. No real lens was measured for these numbers.
CALIBRATIONS: dict[str, dict[str, Any]] = {
    name: {
        "name": name,
        "intrinsic": {
            "model": "radial_poly",
            "width": float(SIZE),
            "height": float(SIZE),
            "aspect_ratio": 1.0,
            "cx_offset": cx,
            "cy_offset": cy,
            "k1": k[0],
            "k2": k[1],
            "k3": k[2],
            "k4": k[3],
            "poly_order": 4.0,
        },
    }
    for name, cx, cy, k in (
        ("FV", 3.9, -3.1, (158.0, -3.5, -13.5, 0.5)),
        ("RV", -2.4, 5.2, (151.0, 2.0, -14.0, 0.7)),
    )
}


@dataclass(frozen=True)
class Card:
    """A square card facing the camera from a direction, as large as an angle, with a digit on it."""

    picture: NDArray[np.float64]  # [8, 8], 0 paper to 1 ink
    name: str
    direction: NDArray[np.float64]  # [3] unit
    half: float  # half its side at unit distance
    turn: float  # radians in its own plane
    paper: NDArray[np.float64]  # [3] in 0 to 1
    ink: NDArray[np.float64]  # [3]


def write_demo_data(out: Path, seed: int = 0) -> str:
    """Write scenes, boxes, calibrations and a few planted faults in WoodScape's layout.

    Digits are the 1,797 of scikit-learn, each in one recording only: a split by recording is a split by picture.
    Direction, size, light and colours are drawn without regard to the class.

    Args:
        out: Folder to write under; made when missing.
        seed: Same seed, same bytes.

    Returns:
        What was written and the next command, for the terminal.

    Raises:
        UsageError: When the folder already holds images of another kind.
    """
    from sklearn.datasets import load_digits

    images, boxes, calibration = (out / name for name in ("rgb_images", "box_2d_annotations", "calibration"))
    if images.exists() and any(images.iterdir()) and not calibration.exists():
        raise UsageError(f"{out} already holds images", "choose an empty folder")
    for folder in (images, boxes, calibration):
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in CALIBRATIONS.items():
        (calibration / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    rng = np.random.default_rng(seed)
    digits = load_digits()
    order = iter(rng.permutation(len(digits.target)))
    eyes = {name: _Eye.of(camera_of(content)) for name, content in CALIBRATIONS.items()}
    objects, scenes = 0, []
    for recording in range(RECORDINGS):
        light = _Light.of(rng)
        # Few paints a recording: colour tells the drive rather than the single card, as on a real street.
        paints = [_paint(rng) for _ in range(3)]
        for frame in range(FRAMES):
            for name in eyes:
                cards = _cards(rng, digits, [int(next(order)) for _ in range(DIGITS_A_SCENE)], paints)
                picture, found = _draw(rng, eyes[name], cards, light)
                stem = f"rec{recording:02d}_{frame:04d}_{name}"
                _write_png(images / f"{stem}.png", picture)
                lines = [f"{card.name},{NAMES.index(card.name)},{','.join(map(str, box))}" for card, box in found]
                (boxes / f"{stem}.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
                objects += len(found)
                scenes.append(stem)
    faults = _plant_faults(images, boxes, scenes)
    return (
        f"{objects:,} real handwritten digits in {len(scenes)} scenes of {RECORDINGS} recordings and two cameras, "
        f"through simulated optics; {faults} faults planted.\n"
        f"next: ssl-domains fisheye scan {quote(str(out))} -o {quote(str(out / 'samples.parquet'))} "
        "--split-by recording"
    )


@dataclass(frozen=True)
class _Eye:
    """A camera with the ray of each pixel, in the picture's size and in the finer one cards are drawn in."""

    fine: Camera
    rays: NDArray[np.float32]  # [SIZE, SIZE, 3], NaN where the lens sees nothing
    fine_rays: NDArray[np.float32]

    @classmethod
    def of(cls, camera: Camera) -> _Eye:
        fine = camera.scaled(_FINE * SIZE, _FINE * SIZE)
        rays = []
        for each in (camera, fine):
            x, y = np.meshgrid(np.arange(each.width), np.arange(each.height))
            rays.append(each.rays(np.stack([x, y], axis=-1)).astype(np.float32))
        return cls(fine, rays[0], rays[1])


def _write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    import cv2

    # Noise hardly compresses, so that a quick strategy does as well as a thorough one.
    quick = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    _, content = cv2.imencode(".png", np.ascontiguousarray(picture[:, :, ::-1]), quick)
    path.write_bytes(content.tobytes())


def _paint(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours of paper and ink; now and then the paper is the darker one."""
    paper = rng.uniform(0.45, 0.95, 3)
    ink = paper * rng.uniform(0.05, 0.5, 3)
    return (ink, paper) if rng.uniform() < 0.3 else (paper, ink)


def _cards(
    rng: np.random.Generator,
    digits: Any,
    chosen: list[int],
    paints: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> list[Card]:
    directions: list[NDArray[np.float64]] = []
    while len(directions) < len(chosen):
        # Uniform in θ, so that every ring of the lens has its objects; two in one place are drawn anew, which
        # thins out the crowded centre a little.
        theta, phi = math.radians(rng.uniform(3, 83)), rng.uniform(-np.pi, np.pi)
        direction = np.array([math.sin(theta) * math.cos(phi), math.sin(theta) * math.sin(phi), math.cos(theta)])
        if all(direction @ other < math.cos(0.31) for other in directions):
            directions.append(direction)
    cards = []
    for index, direction in zip(chosen, directions, strict=True):
        paper, ink = paints[rng.integers(len(paints))]
        cards.append(
            Card(
                digits.images[index] / 16.0,
                NAMES[digits.target[index]],
                direction,
                rng.uniform(0.085, 0.125),
                rng.normal(0, 0.12),
                paper,
                ink,
            )
        )
    return cards


@dataclass(frozen=True)
class _Light:
    """The light and the walls of a recording: every scene of it shares them, whatever its digits are."""

    sun: NDArray[np.float64]
    strength: float
    colours: NDArray[np.float64]  # [2, 3] of the wall
    waves: NDArray[np.float64]  # [4, 3] directions and frequencies of its texture

    @classmethod
    def of(cls, rng: np.random.Generator) -> _Light:
        sun = rng.normal(size=3)
        return cls(
            sun / np.linalg.norm(sun), rng.uniform(0.15, 0.4), rng.uniform(0.2, 0.8, (2, 3)), rng.normal(0, 7, (4, 3))
        )

    def wall(self, rays: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Background colours ``[..., 3]``, a texture on a sphere around the camera."""
        phases = rng.uniform(0, 2 * np.pi, len(self.waves))
        mix = (
            np.sin(rays @ self.waves.T.astype(np.float32) + phases.astype(np.float32)).mean(axis=-1, keepdims=True) / 2
            + 0.5
        )
        return np.asarray(
            mix * (self.colours[0] - self.colours[1]).astype(np.float32) + self.colours[1].astype(np.float32)
        )

    def shade(self, rays: NDArray[np.float32]) -> NDArray[np.float32]:
        """Brightness ``[..., 1]`` around 1, on cards and walls alike."""
        return np.asarray(1 + self.strength * (rays @ self.sun.astype(np.float32)))[..., None]


def _draw(
    rng: np.random.Generator, eye: _Eye, cards: list[Card], light: _Light
) -> tuple[NDArray[np.uint8], list[tuple[Card, tuple[int, int, int, int]]]]:
    import cv2

    side = _FINE * SIZE
    # The wall is smooth: every second ray is enough of it.
    scene = cv2.resize(light.wall(eye.rays[::2, ::2], rng), (side, side), interpolation=cv2.INTER_LINEAR)
    found = []
    for card in cards:
        right, down = _upright(card)
        window = _window(eye.fine, card, right, down)
        rays = eye.fine_rays[window].astype(np.float64)
        # The card's plane touches the unit sphere at its direction: a ray meets it where its share along that is 1.
        hit = rays / (rays @ card.direction)[..., None]
        u, v = hit @ right / card.half, hit @ down / card.half
        on = (np.abs(u) <= 1) & (np.abs(v) <= 1)
        # The digit's 8×8 lie within the middle 90 % of the card; outside them is paper.
        x, y = (((axis / 0.9 + 1) * 4 - 0.5).astype(np.float32) for axis in (u, v))
        drawn = cv2.remap(card.picture.astype(np.float32), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
        ink = np.clip(drawn, 0, 1)[..., None]
        scene[window] = np.where(on[..., None], ink * card.ink + (1 - ink) * card.paper, scene[window])
        rows, columns = (axis + part.start for axis, part in zip(np.nonzero(on), window, strict=True))
        box = (columns.min() // _FINE, rows.min() // _FINE, columns.max() // _FINE + 1, rows.max() // _FINE + 1)
        found.append((card, (int(box[0]), int(box[1]), int(box[2]), int(box[3]))))
    picture = cv2.resize(scene, (SIZE, SIZE), interpolation=cv2.INTER_AREA) * light.shade(eye.rays)
    picture += np.float32(0.02) * rng.standard_normal(picture.shape, dtype=np.float32)
    # NaN: beyond the lens's last angle the sensor is dark
    return (np.clip(np.nan_to_num(picture), 0, 1) * 255).astype(np.uint8), found


def _window(camera: Camera, card: Card, right: NDArray[np.float64], down: NDArray[np.float64]) -> tuple[slice, slice]:
    """Rows and columns a card can fall on: around its projected outline, since the lens bends its sides."""
    t = np.linspace(-card.half, card.half, 9)[:, None]
    outline = np.concatenate([t * right + e * down for e in (-card.half, card.half)])
    outline = np.concatenate([outline, *(t * down + e * right for e in (-card.half, card.half))])
    pixels = camera.project(card.direction + outline)
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - 2, 0)
    high = np.ceil(pixels.max(axis=0)).astype(int) + 3
    return slice(low[1], min(high[1], camera.height)), slice(low[0], min(high[0], camera.width))


def _upright(card: Card) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The card's own axes, right and down: upright as the world is, but for its turn."""
    right = np.cross([0.0, 1.0, 0.0], card.direction)
    right /= np.linalg.norm(right)
    down = np.cross(card.direction, right)
    c, s = math.cos(card.turn), math.sin(card.turn)
    return c * right + s * down, c * down - s * right


def _plant_faults(images: Path, boxes: Path, scenes: list[str]) -> int:
    """A box outside its image, a line with too few fields, a truncated picture, a picture nobody annotated."""
    with (boxes / f"{scenes[3]}.txt").open("a", encoding="utf-8") as file:
        file.write(f"three,3,{SIZE + 20},40,{SIZE + 52},72\n")
    with (boxes / f"{scenes[10]}.txt").open("a", encoding="utf-8") as file:
        file.write("seven,7,100,120\n")
    whole = (images / f"{scenes[20]}.png").read_bytes()
    (images / "rec02_9998_FV.png").write_bytes(whole[: len(whole) // 2])
    (boxes / "rec02_9998_FV.txt").write_text((boxes / f"{scenes[20]}.txt").read_text(encoding="utf-8"), "utf-8")
    (images / "rec05_9999_RV.png").write_bytes((images / f"{scenes[55]}.png").read_bytes())
    return 4
