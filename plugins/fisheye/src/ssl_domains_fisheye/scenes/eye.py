"""Drawing a scene by inverse mapping: for every pixel its ray, where that meets a card, and what the picture shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ssl_domains_fisheye.lens import Camera
from ssl_domains_fisheye.scenes.card import Card

__all__ = ["Eye"]

FINE = 2  # rays a pixel along each axis, averaged: edges stay smooth and small cards don't flicker
_COARSE = 8  # backdrops are smooth, so that every eighth pixel is enough of them


@dataclass(frozen=True)
class Eye:
    """A camera with the rays of its pixels.

    Attributes:
        camera: In the picture's size.
        rays: float32 ``[FINE·H, FINE·W, 3]``, NaN where the lens sees nothing.
    """

    camera: Camera
    rays: NDArray[np.float32]

    @classmethod
    def of(cls, camera: Camera) -> Eye:
        """Unproject every pixel once."""
        fine = camera.scaled(FINE * camera.width, FINE * camera.height)
        columns = np.arange(fine.width)
        rays = np.empty((fine.height, fine.width, 3), dtype=np.float32)
        for row in range(fine.height):  # a row at a time: float64 of all of them would take much memory
            rays[row] = fine.rays(np.stack([columns, np.full(fine.width, row)], axis=-1))
        return cls(camera, rays)

    def backdrop(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """What is behind the cards, float32 ``[H, W, 3]`` in 0 to 255: one colour, or two mixed by a smooth texture."""
        colours = rng.uniform(30, 225, (2, 3)).astype(np.float32)
        rays = np.nan_to_num(self.rays[:: FINE * _COARSE, :: FINE * _COARSE])
        if rng.uniform() < 0.5:
            colours[1] = colours[0]
        waves = rng.normal(0, 6, (6, 3)).astype(np.float32)
        phases = rng.uniform(0, 2 * np.pi, 6).astype(np.float32)
        mix = np.sin(rays @ waves.T + phases).mean(axis=-1)
        mix += rng.normal(0, 0.15, mix.shape).astype(np.float32)
        mix = np.clip(mix + 0.5, 0, 1).astype(np.float32)[..., None]
        size = (self.camera.width, self.camera.height)
        wall = cv2.resize(mix * colours[0] + (1 - mix) * colours[1], size, interpolation=cv2.INTER_CUBIC)
        # Beyond the lens's last angle the sensor is dark.
        return np.asarray(wall * np.isfinite(self.rays[::FINE, ::FINE, :1]), dtype=np.float32)

    def draw(self, scene: NDArray[np.float32], card: Card, picture: NDArray[np.uint8]) -> tuple[int, int, int, int]:
        """Draw a picture on a card into the scene, in place.

        Args:
            scene: float32 ``[H, W, 3]``, 0 to 255.
            card: Whole in the picture.
            picture: uint8 ``[S, S, 3]``, stretched over the card.

        Returns:
            The box of what is covered, left, top, right, bottom in px from the picture's edges.
        """
        rows, columns = self._window(card)
        fine = self.rays[rows.start * FINE : rows.stop * FINE, columns.start * FINE : columns.stop * FINE].astype(
            np.float64
        )
        right, down = card.axes
        # The card's plane is 1 from the camera along its direction: a ray meets it where its share along that is 1.
        towards = fine @ card.direction
        with np.errstate(divide="ignore", invalid="ignore"):
            u, v = (fine @ axis / towards / card.half for axis in (right, down))
        on = (np.abs(u) <= 1) & (np.abs(v) <= 1) & (towards > 0)
        side = picture.shape[0]
        x, y = (((np.where(on, axis, 0.0) + 1) * side / 2 - 0.5).astype(np.float32) for axis in (u, v))
        shown = cv2.remap(picture.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) * on[
            ..., None
        ].astype(np.float32)
        covered = _average(on[..., None].astype(np.float32))
        scene[rows, columns] = _average(shown) + (1 - covered) * scene[rows, columns]
        there = np.nonzero(covered[..., 0] >= 0.5)
        top, left = int(there[0].min()) + rows.start, int(there[1].min()) + columns.start
        return left, top, int(there[1].max()) + columns.start + 1, int(there[0].max()) + rows.start + 1

    def _window(self, card: Card) -> tuple[slice, slice]:
        """Rows and columns of the picture that the card can fall on."""
        pixels = self.camera.project(card.outline())
        low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - 1, 0)
        high = np.ceil(pixels.max(axis=0)).astype(int) + 2
        return (
            slice(int(low[1]), min(int(high[1]), self.camera.height)),
            slice(int(low[0]), min(int(high[0]), self.camera.width)),
        )


def _average(fine: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over FINE × FINE rays of a pixel."""
    height, width, channels = fine.shape
    return np.asarray(fine.reshape(height // FINE, FINE, width // FINE, FINE, channels).mean(axis=(1, 3)))
