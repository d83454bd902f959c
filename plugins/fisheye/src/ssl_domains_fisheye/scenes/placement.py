"""Where the cards of a scene are: every angle off the axis as often, nothing covered, nothing told of the class."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.lens import Camera
from ssl_domains_fisheye.scenes.card import Card

__all__ = ["Placement"]

_DIRECTIONS = 24  # tried at once for a card
_SCENES = 60  # tried before a scene is given up
_APART = 2.0  # px between boxes


@dataclass(frozen=True)
class Placement:
    """How cards are drawn at random.

    The angles θ of a scene's n cards lie one in each of n equal parts of 0 to ``largest``, so that θ is uniform over
    all cards while the small middle of the picture isn't crowded. Size and turn don't depend on θ. The direction φ is
    uniform over what is in the picture and free.

    Attributes:
        camera: Where the cards have to be seen.
        largest: Largest θ in radians.
        smallest_side: Smallest side of a card in pixels of the picture's centre.
        largest_side: Largest side.
        turn: Standard deviation in radians of a card's turn in its own plane.
    """

    camera: Camera
    largest: float = math.pi / 2
    smallest_side: float = 24.0
    largest_side: float = 48.0
    turn: float = 0.1

    def draw(self, rng: np.random.Generator, count: int) -> list[Card]:
        """Cards of one scene, in random order.

        Raises:
            UsageError: When so many don't fit.
        """
        for _ in range(_SCENES):
            cards = self._try(rng, count)
            if cards is not None:
                return [cards[index] for index in rng.permutation(count)]
        raise UsageError(
            f"{count} cards up to {math.degrees(self.largest):g}° off the axis don't fit into the picture",
            "fewer --per-scene, or a smaller --largest",
        )

    def _try(self, rng: np.random.Generator, count: int) -> list[Card] | None:
        thetas = self.largest * (np.arange(count) + rng.uniform(size=count)) / count
        scale = float(self.camera.lens.slope(0.0))
        sides = rng.uniform(self.smallest_side, self.largest_side, count)
        turns = rng.normal(0.0, self.turn, count)
        boxes = np.empty((0, 4))
        cards = []
        # From the middle out: it has the least room.
        for theta, side, turn in zip(thetas, sides, turns, strict=True):
            card = Card(float(theta), 0.0, float(side) / scale / 2, float(turn))
            found = self._free(rng, card, boxes)
            if found is None:
                return None
            cards.append(found[0])
            boxes = np.vstack([boxes, found[1]])
        return cards

    def _free(
        self, rng: np.random.Generator, card: Card, taken: NDArray[np.float64]
    ) -> tuple[Card, NDArray[np.float64]] | None:
        """The card at the first direction drawn where it is whole in the picture and covers no other."""
        tried = [replace(card, phi=float(phi)) for phi in rng.uniform(-math.pi, math.pi, _DIRECTIONS)]
        pixels = self.camera.project(np.stack([each.outline() for each in tried]))
        low, high = pixels.min(axis=1), pixels.max(axis=1)
        # NaN, where the lens sees nothing, compares false.
        good = (low >= 1).all(axis=1) & (high[:, 0] <= self.camera.width - 2) & (high[:, 1] <= self.camera.height - 2)
        boxes = np.concatenate([low - _APART / 2, high + _APART / 2], axis=1)
        apart = (boxes[:, None, 0] >= taken[None, :, 2]) | (boxes[:, None, 2] <= taken[None, :, 0])
        apart |= (boxes[:, None, 1] >= taken[None, :, 3]) | (boxes[:, None, 3] <= taken[None, :, 1])
        free = np.flatnonzero(good & apart.all(axis=1))
        return (tried[free[0]], boxes[free[0]]) if len(free) else None
