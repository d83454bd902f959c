"""What happens to an array before the encoder sees it; saved with a run, so that it stays the same ever after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import DataError
from ssl_domains.views.canvas import Canvas
from ssl_domains.views.scaling import FittedScaling, valid_pixels

__all__ = ["Preprocess"]


@dataclass(frozen=True)
class Preprocess:
    """Scaling, canvas and channel count of a run.

    Example:
        >>> encoder, preprocess = ssl_domains.load("RUN")     # doctest: +SKIP
        >>> encoder(preprocess(array)[None])                  # doctest: +SKIP

    Attributes:
        scaling: From native unit to [0, 1], fitted.
        canvas: Size and shape.
        in_chans: Channels of the encoder. A single channel is repeated; any other difference is an error.
    """

    scaling: FittedScaling
    canvas: Canvas
    in_chans: int

    def __call__(self, array: NDArray[Any], group: str | None = None) -> Tensor:
        """An array ``[H, W, C]`` or ``[H, W]`` in native unit to float32 ``[C, S, S]`` in [0, 1].

        Args:
            array: As the reader gives it.
            group: The volume it belongs to, when scaling goes by volume.

        Raises:
            DataError: When the channels don't fit, or no window was fitted for the group.
        """
        return self.with_mask(array, group)[0]

    def with_mask(self, array: NDArray[Any], group: str | None = None) -> tuple[Tensor, Tensor | None]:
        """The same with the mask: bool ``[1, S, S]``, false where there is padding or no data; None for all data."""
        canvas, mask = self.place(array if array.ndim == 3 else array[:, :, None], group)
        image = torch.from_numpy(np.ascontiguousarray(canvas.transpose(2, 0, 1)))
        if image.dtype == torch.uint8:
            image = image.to(torch.float32) / 255
        return image, None if mask is None else torch.from_numpy(mask)[None]

    def place(self, array: NDArray[Any], group: str | None = None) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Scaled, on the canvas: ``[S, S, in_chans]`` uint8 (for [0, 1] in steps of 1/255) or float32, and the mask."""
        channels = array.shape[2]
        if channels not in (1, self.in_chans):
            raise DataError(
                f"an array has {channels} channels, the encoder takes {self.in_chans}",
                f"set encoder.in_chans to {channels}, or let the reader choose channels",
            )
        canvas, mask = self.canvas.apply(self.scaling.apply(array, group), valid_pixels(array))
        if channels != self.in_chans:
            canvas = np.repeat(canvas, self.in_chans, axis=2)
        return canvas, mask

    def to_dict(self) -> dict[str, Any]:
        """JSON values only."""
        return {"scaling": self.scaling.to_dict(), "canvas": asdict(self.canvas), "in_chans": self.in_chans}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocess:
        """The reverse of `to_dict`."""
        canvas = Canvas(**values["canvas"])
        return cls(FittedScaling.from_dict(values["scaling"]), canvas, int(values["in_chans"]))
