"""The label-free re-projection view: the same object, seen at another angle through its own calibrated lens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.views import Draws, Geometric
from ssl_domains_fisheye.batched_lens import BatchedLens
from ssl_domains_fisheye.lens import Camera, LensModel, projection_of

__all__ = ["COLUMNS", "Reprojection"]

COLUMNS = ("crop_left", "crop_top", "crop_right", "crop_bottom", "cx", "cy", "aspect", "theta_limit")


@dataclass(frozen=True)
class Reprojection(Geometric):
    """Turn the camera, so that the object is seen elsewhere on the lens; a view, not a rule.

    A turn of the camera about its own centre needs no depth, so that the new picture is exact wherever the crop has
    pixels. The window keeps its size in pixels and follows the object: what the lens magnifies grows, what it squeezes
    shrinks along the radius. What the crop never saw is false in the mask and shows the crop reflected at its border.

    The new place is drawn within ``reach`` of the old θ and ``turn`` of the old φ. A sample without a calibration keeps
    its place. As the first step of a recipe it sees the whole crop, stretched over the canvas.

    Attributes:
        orders: The highest i of the coefficients ``lens_i`` that the table has.
        terms: The columns of the lens that the table has, where they are not just ``lens_1`` to ``lens_orders``; what
            is missing is 0 for every lens.
        reach: Degrees the angle θ off the axis may change by.
        turn: Degrees the direction φ may change by.
        largest: Degrees; new places stay below this θ, and where the lens sees.
        reason: For the report.
    """

    orders: int
    reach: float = 35.0
    turn: float = 30.0
    largest: float = 85.0
    reason: str = "what the lens does to an object depends on where it is, what the object is does not"
    terms: tuple[str, ...] = ()

    name: ClassVar[str] = "reprojection"
    exposes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))  # a list, where it was read from JSON
        if self.orders < 1:
            raise UsageError(
                "re-projection needs a calibrated lens", "scan with --calibration, so that lens_1 is there"
            )
        if not (0 <= self.reach <= 180 and 0 <= self.turn <= 180 and 0 < self.largest <= 180):
            raise UsageError("reach, turn and largest of re-projection are degrees", "give 0 to 180")

    @property
    def columns(self) -> tuple[str, ...]:
        """Crop and lens of each sample."""
        return (*COLUMNS, *(self.terms or (f"lens_{i}" for i in range(1, self.orders + 1))))

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``across`` and ``around`` in [−1, 1): how much of the reach and of the turn is used."""
        return {"across": draws.between(-1.0, 1.0), "around": draws.between(-1.0, 1.0)}

    def emits(self, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``view_theta`` and ``view_phi``, the new place in degrees; NaN without a calibration."""
        lens = BatchedLens.of(columns, self.orders)
        theta, phi = lens.old()
        theta, phi = self._new(theta, phi, lens, parameters)
        return {"view_theta": torch.rad2deg(theta), "view_phi": torch.rad2deg(_wrapped(phi))}

    def _new(
        self, theta: Tensor, phi: Tensor, lens: BatchedLens, parameters: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        # Beyond the largest angle an object keeps its own at most: it is never sent where nothing is imaged.
        top = torch.maximum(torch.minimum(torch.full_like(theta, math.radians(self.largest)), lens.limit * 0.98), theta)
        moved = theta + math.radians(self.reach) * parameters["across"]
        # Reflected at 0 and at the top rather than clamped, so that angles don't pile up at the ends.
        moved = top - (top - moved.abs()).abs()
        moved = torch.minimum(moved.clamp(min=0.0), top)
        return moved, phi + math.radians(self.turn) * parameters["around"]

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """Where in the crop the points of the new window lie; NaN where the lens or the crop has nothing.

        Args:
            x: ``[B, H, W]``, −1 to 1 over the new window.
            y: Likewise.
            parameters: From `parameters`.
            columns: float64 ``[B]``.
            size: Unused: nothing here is in canvas pixels.
        """
        points = torch.stack([x + torch.zeros_like(y), y + torch.zeros_like(x)], dim=-1)
        lens = BatchedLens.of(columns, self.orders)
        theta, phi = lens.old()
        known = torch.isfinite(theta)
        theta, phi = torch.nan_to_num(theta), torch.nan_to_num(phi)
        new_theta, new_phi = self._new(theta, phi, lens, parameters)
        back = _rotation(_ray(new_theta, new_phi), _ray(theta, phi))
        centre = lens.pixel(new_theta, new_phi)
        half = torch.stack([lens.half_width, lens.half_height], dim=-1)
        # float64 up to here, on one number a sample; float32 on the pixels, relative to the optical centre.
        at = (points * half[:, None, None] + centre[:, None, None]).to(torch.float32)
        angle, direction = lens.unproject(at)
        rays = _ray(angle, direction) @ back.to(torch.float32)[:, None].transpose(-1, -2)
        across = torch.hypot(rays[..., 0], rays[..., 1])
        there = torch.atan2(across, rays[..., 2])
        scale = lens.radius(there) / across.clamp(min=1e-12)
        wide = torch.stack([torch.ones_like(lens.aspect), lens.aspect], dim=-1)
        middle = torch.stack([lens.middle_x, lens.middle_y], dim=-1)
        middle, wide, half = (numbers.to(torch.float32)[:, None, None] for numbers in (middle, wide, half))
        image = scale[..., None] * rays[..., :2]
        shift = lens.shift(there, torch.atan2(rays[..., 1], rays[..., 0]))
        image = image if shift is None else image + shift
        moved = (image * wide - middle) / half
        # The window ends at ±1: what a later turn of the picture asks for beyond it was never drawn.
        moved = torch.where((points.abs() <= 1).all(dim=-1, keepdim=True), moved, torch.nan)
        moved = torch.where(known[:, None, None, None], moved, points)
        return moved[..., 0], moved[..., 1]

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The same on one picture ``[S, S, C]`` by the lens classes and OpenCV."""
        camera = self._camera(columns)
        left, top, right, bottom = (float(columns[f"crop_{edge}"]) for edge in ("left", "top", "right", "bottom"))
        if camera is None:
            return image
        old = np.array([(left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5])
        theta, phi = camera.unproject(old)
        if not np.isfinite(theta):
            return image
        highest = max(min(math.radians(self.largest), 0.98 * camera.lens.limit), float(theta))
        moved = abs(float(theta) + math.radians(self.reach) * float(parameters["across"]))
        moved = min(max(highest - abs(highest - moved), 0.0), highest)
        towards = float(phi) + math.radians(self.turn) * float(parameters["around"])
        direction = np.array(
            [math.sin(moved) * math.cos(towards), math.sin(moved) * math.sin(towards), math.cos(moved)]
        )
        size = image.shape[0]
        line = (np.arange(size) * 2 + 1) / size - 1
        window = np.stack(np.meshgrid(line * (right - left) / 2, line * (bottom - top) / 2), axis=-1)
        rays = camera.rays(window + camera.project(direction))
        back, _ = cv2.Rodrigues(_turn(direction, camera.rays(old)))
        source = camera.project(rays @ back.T)
        x = ((source[..., 0] + 0.5 - left) / (right - left)) * size - 0.5
        y = ((source[..., 1] + 0.5 - top) / (bottom - top)) * size - 0.5
        # Where the lens has nothing, the crop itself is shown; beyond the crop, the crop reflected at its border.
        known = np.isfinite(x) & np.isfinite(y)
        places = np.arange(size, dtype=np.float64)
        x, y = np.where(known, x, places[None, :]), np.where(known, y, places[:, None])
        x, y = (_reflected((axis + 0.5) * 2 / size - 1) for axis in (x, y))
        x, y = (((axis + 1) * size / 2 - 0.5).astype(np.float32) for axis in (x, y))
        drawn = [
            cv2.remap(np.ascontiguousarray(channel), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for channel in np.moveaxis(image, -1, 0)
        ]
        shown: NDArray[np.float32] = np.stack(drawn, axis=-1)
        return shown

    def _camera(self, columns: Mapping[str, float]) -> Camera | None:
        """The camera of one sample, relative to whose optical centre a window is drawn; None without a calibration."""
        coefficients = tuple(float(columns.get(f"lens_{i}", 0.0)) for i in range(1, self.orders + 1))
        code, xi, p1, p2 = (float(columns.get(f"lens_{name}", 0.0)) for name in ("projection", "xi", "p1", "p2"))
        if not np.all(np.isfinite([*coefficients, code, xi, p1, p2, *(columns[name] for name in COLUMNS)])):
            return None
        lens = LensModel("table", coefficients, projection_of(code, xi))
        circle = math.radians(float(columns["theta_limit"]))
        if circle < lens.limit * (1 - 1e-9):  # degrees and back are an ulp apart
            lens = replace(lens, circle=circle)
        return Camera(lens, float(columns["cx"]), float(columns["cy"]), float(columns["aspect"]), 1, 1, (p1, p2))

    def to_dict(self) -> dict[str, Any]:
        """Name, reason and settings."""
        return {
            **({"terms": list(self.terms)} if self.terms else {}),
            "name": self.name,
            "orders": self.orders,
            "reason": self.reason,
            "reach": self.reach,
            "turn": self.turn,
            "largest": self.largest,
        }


def _reflected(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places reflected at −1 and 1 until they lie between."""
    reflected: NDArray[np.float64] = 1 - np.abs((places + 1) % 4 - 2)
    return reflected


def _ray(theta: Tensor, phi: Tensor) -> Tensor:
    return torch.stack([theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos()], dim=-1)


def _rotation(start: Tensor, end: Tensor) -> Tensor:
    """The smallest rotations ``[B, 3, 3]`` that turn unit rays into others, not opposite ones (Rodrigues)."""
    x, y, z = torch.linalg.cross(start, end).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(-1, 3, 3)
    cosine = (start * end).sum(-1)[:, None, None]
    return torch.eye(3, dtype=start.dtype, device=start.device) + cross + cross @ cross / (1 + cosine)


def _turn(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    axis = np.cross(start, end)
    sine = float(np.linalg.norm(axis))
    return axis / sine * math.atan2(sine, float(start @ end)) if sine > 1e-12 else np.zeros(3)


def _wrapped(phi: Tensor) -> Tensor:
    return torch.remainder(phi + math.pi, 2 * math.pi) - math.pi
