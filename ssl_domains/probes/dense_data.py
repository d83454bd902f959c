"""Data of a dense probe: frozen feature maps of each picture, and the class of each of its pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.probes.labels import Labels
from ssl_domains.views import IGNORED, Canvas

__all__ = ["DenseFeatures", "DenseTargets", "NativeMasks", "codes_of"]


def codes_of(numbers: Sequence[int]) -> NDArray[np.uint8]:
    """Class index of each class number, uint8 ``[256]``; 255 where a number is none of the classes.

    Number 0 is the background, with index 0, unless it is one of the classes: ``codes_of([1, 7])`` gives 0 → 0, 1 → 1,
    7 → 2; ``codes_of([0, 7])`` gives 0 → 0, 7 → 1.

    Args:
        numbers: Class numbers, ascending.
    """
    index = np.full(256, IGNORED, dtype=np.uint8)
    index[[*([] if 0 in numbers else [0]), *numbers]] = np.arange(len(numbers) + (0 not in numbers))
    return index


@dataclass(frozen=True)
class DenseFeatures:
    """Feature maps of ``n`` pictures at several resolutions, from fine to coarse.

    Attributes:
        levels: float16 or float32 ``[n, F_l, h_l, w_l]`` each; in memory or memory-mapped.
    """

    levels: tuple[NDArray[np.floating[Any]], ...]

    def __len__(self) -> int:
        return len(self.levels[0])

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels ``F_l`` of each level."""
        return tuple(level.shape[1] for level in self.levels)

    def batch(self, rows: NDArray[np.int64]) -> list[Tensor]:
        """The maps of some rows, float32."""
        return [torch.from_numpy(np.asarray(level[rows])).float() for level in self.levels]


class NativeMasks(Sequence[NDArray[np.uint8]]):
    """Class indices of each mask at the native shape of its image, read one mask at a time.

    Args:
        masks: Class numbers ``[H, W]`` by position, such as a `ssl_domains.stores.MaskStore`.
        positions: int64 ``[n]``, position of each row's mask in ``masks``.
        index: uint8 ``[256]``, class index of each class number; 255 is ignored.
        left_out: Row → pixels that read as 255 whatever the mask says: bool ``[H, W]`` as `numpy.packbits` packs it.
        windows: Part of the mask that each row has: first row, row behind the last, first column, column behind the
            last, int64 ``[n, 4]``. None for whole masks.
    """

    def __init__(
        self,
        masks: Any,
        positions: NDArray[np.int64],
        index: NDArray[np.uint8],
        left_out: Mapping[int, NDArray[np.uint8]] | None = None,
        windows: NDArray[np.int64] | None = None,
    ) -> None:
        self._masks = masks
        self._positions = positions
        self._index = index
        self._left_out = left_out or {}
        self._windows = windows

    def __len__(self) -> int:
        return len(self._positions)

    def shape(self, row: int) -> tuple[int, int]:
        """Height and width of a row's mask."""
        if self._windows is not None:
            top, bottom, left, right = self._windows[row].tolist()
            return bottom - top, right - left
        position = int(self._positions[row])
        shape = self._masks.shape(position) if hasattr(self._masks, "shape") else self._masks[position].shape
        return int(shape[0]), int(shape[1])

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, int | np.integer):
            numbers = self._masks[int(self._positions[row])]
            if self._windows is not None:
                top, bottom, left, right = self._windows[row].tolist()
                numbers = numbers[top:bottom, left:right]
            codes = self._index[np.where((numbers >= 0) & (numbers <= 255), numbers, 255)]
            bits = self._left_out.get(int(row))
            if bits is not None:
                codes[np.unpackbits(bits, count=codes.size).reshape(codes.shape).astype(np.bool_)] = IGNORED
            return codes
        rows = np.arange(len(self))[row].tolist()
        kept = {place: self._left_out[one] for place, one in enumerate(rows) if one in self._left_out}
        windows = None if self._windows is None else self._windows[row]
        return NativeMasks(self._masks, self._positions[row], self._index, kept, windows)

    def without(self, left_out: Mapping[int, NDArray[np.uint8]]) -> NativeMasks:
        """The same masks, in which some pixels read as 255; see ``left_out``."""
        return NativeMasks(self._masks, self._positions, self._index, {**self._left_out, **left_out}, self._windows)

    def with_windows(self, windows: NDArray[np.int64]) -> NativeMasks:
        """Other parts of the same masks, see ``windows``; no pixel of them is left out."""
        return NativeMasks(self._masks, self._positions, self._index, None, windows)


@dataclass(frozen=True)
class DenseTargets:
    """The class of each pixel of ``n`` pictures.

    Attributes:
        placed: uint8 ``[n, S, S]`` on the canvas, by class index: 0 background, 1 to C the classes, 255 ignored; where
            number 0 is a class, 0 to C − 1 are the classes.
        native: The same at the native shape of each image, uint8 ``[H, W]``.
        canvas: The canvas that pictures and masks are resized to.
        classes: Names of the C classes.
        numbers: Class number in the masks of each of the C classes, ascending; empty stands for 1 to C. Number 0 is the
            background unless it is one of them.
    """

    placed: NDArray[np.uint8]
    native: NativeMasks
    canvas: Canvas
    classes: tuple[str, ...]
    numbers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.numbers:
            object.__setattr__(self, "numbers", tuple(range(1, len(self.classes) + 1)))

    def __len__(self) -> int:
        return len(self.placed)

    @property
    def background(self) -> bool:
        """Whether number 0 is the background, and no class like the others."""
        return 0 not in self.numbers

    @property
    def channels(self) -> int:
        """Number of class indices, the background included: outputs of a head."""
        return len(self.classes) + self.background

    @property
    def nothing_shown(self) -> str:
        """What to say when training masks show no class."""
        if self.background:
            return "no training mask shows anything but background"
        return "no training mask has a pixel that isn't ignored (255)"

    def take(self, rows: NDArray[np.int64]) -> DenseTargets:
        """The targets of the rows at integer positions."""
        return replace(self, placed=self.placed[rows], native=self.native[rows])

    def labels(self) -> Labels:
        """The classes in each picture as a set of labels, by which draws of labelled groups are stratified."""
        codes = range(int(self.background), self.channels)
        present = np.stack([(self.placed == code).any(axis=(1, 2)) for code in codes], axis=1)
        return Labels("multilabel", present.astype(np.float64), self.classes, np.ones(len(self), dtype=np.bool_))
