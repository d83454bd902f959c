"""Preprocess of lines: grey, ink high and paper 0, one height, and a width that follows from the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import register_preprocess
from ssl_domains_text.lines.inputs.ink import grey_of, ink_of
from ssl_domains_text.lines.inputs.settings import LineSettings

__all__ = ["LinePreprocess", "lines_for"]

_WIDEST = 1 << 16


@register_preprocess
@dataclass(frozen=True)
class LinePreprocess:
    """Lines ``[H, W, C]`` in the type of their file to strips float32 ``[1, 1, height, width]`` in [0, 1].

    0 is paper, as is padding; 1 is the full range of the type away from it. The width is ``round(W · height / H)``, at
    least 1.

    Attributes:
        height: Height of the strips in pixels.
        ink: ``"dark"``, ``"light"``, or ``"auto"``: decided for each line.
        paper: ``"line"`` takes the median of each line off, ``"fixed"`` white or black.
        fitted: Lines that are printed when a training starts.
    """

    name: ClassVar[str] = "line"
    columns: ClassVar[tuple[str, ...]] = ()
    height: int = 32
    ink: Literal["auto", "dark", "light"] = "auto"
    paper: Literal["line", "fixed"] = "line"
    fitted: tuple[str, ...] = ()

    @property
    def spec(self) -> InputSpec:
        """Strips ``[1, height, width]`` of any width; padding is paper, 0."""
        return InputSpec("line", 1, (self.height, None))

    @property
    def settings(self) -> dict[str, Any]:
        """Values of ``[input]`` that give this preprocess for every table."""
        return {"height": self.height, "ink": self.ink, "paper": self.paper}

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        """One line as a batch of one.

        Args:
            array: ``[H, W]`` or ``[H, W, C]``.
            facts: Not read.

        Raises:
            DataError: When the array has another rank or number of channels.
        """
        return self.compact(array, facts).unit()

    def compact(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        """The same strip as uint8, in steps of 1/255."""
        ink = ink_of(grey_of(array), self.ink, self.paper)
        (_, width) = self.sides(array.shape)
        shrinks = ink.shape[0] > self.height
        strip = cv2.resize(ink, (width, self.height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        values = np.rint(np.clip(strip, 0, 1) * 255).astype(np.uint8)
        spec = self.spec
        return Input(torch.from_numpy(values.copy())[None, None], None, spec.kind, spec.ragged, spec.pad)

    def sides(self, shape: Sequence[int]) -> tuple[int, int]:
        """Height and width of the strip of an array of this shape."""
        return self.height, max(1, round(shape[1] * self.height / shape[0]))

    def shown(self, x: Input) -> Tensor:
        """A strip folded into rows, so that it fits a square: ``[1, rows · height, width / rows]``, for thumbnails."""
        strip = x.unit().values[0]
        height, width = strip.shape[1:]
        rows = max(1, round((width / height / 1.5) ** 0.5))
        part = -(-width // rows)
        padded = torch.nn.functional.pad(strip, (0, rows * part - width))
        return padded.reshape(1, height, rows, part).permute(0, 2, 1, 3).reshape(1, rows * height, part)

    def require(self, table: SampleTable, store: ArrayStore) -> None:
        """Check the shapes of all lines before any is read.

        Raises:
            DataError: When a line has other channels than 1 or 3, or would be wider than 65,536 pixels.
        """
        samples = store.of(table)
        shapes = samples.shapes()[samples.decoded]
        if not len(shapes):
            return
        wrong = sorted(set(shapes[:, 2].tolist()) - {1, 3})
        if wrong:
            raise DataError(f"lines of {wrong[0]} channels", "a line is grey or RGB")
        widest = int((shapes[:, 1] * self.height / shapes[:, 0]).max())
        if widest > _WIDEST:
            cause = f"a line would be {widest:,} pixels wide at a height of {self.height}"
            raise DataError(cause, "leave it out (tables filter), or lower --set input.height")

    def stored_form(self, dtypes: set[np.dtype[Any]]) -> tuple[torch.dtype, bool, bool]:
        """Form of cached inputs: uint8, none with a mask."""
        return torch.uint8, False, False

    def to_dict(self) -> dict[str, Any]:
        """Settings, as JSON values."""
        return {**asdict(self), "fitted": list(self.fitted)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LinePreprocess:
        """The reverse of `to_dict`."""
        return cls(**{**values, "fitted": tuple(values["fitted"])})


def lines_for(table: SampleTable, settings: LineSettings | None = None) -> LinePreprocess:
    """The preprocess of a table of lines.

    Args:
        table: The training rows; widths and heights are described where the table has them.
        settings: The section ``[input]``; None for the defaults.
    """
    settings = settings or LineSettings()
    return LinePreprocess(settings.height, settings.ink, settings.paper, _said(table, settings))


def _said(table: SampleTable, settings: LineSettings) -> tuple[str, ...]:
    """Lines on the form of the inputs, the widths."""
    side = {"auto": "ink dark or light, decided for each line", "dark": "dark ink", "light": "light ink"}[settings.ink]
    paper = "its median becomes paper, 0" if settings.paper == "line" else "white or black is paper, 0"
    said = [f"lines: strips {settings.height} pixels high, ink high; {side}; {paper}"]
    if {"width", "height"} <= {*table.columns} and len(table):
        widths = table.numbers("width") * settings.height / table.numbers("height")
        low, middle, high = np.nanquantile(widths, (0, 0.5, 1))
        said.append(f"widths {low:,.0f} to {high:,.0f} pixels, median {middle:,.0f}")
    return tuple(said)
