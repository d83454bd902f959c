"""Preprocess of pictures: scales values to [0, 1] and resizes to a square canvas; saved with the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views.canvas import Canvas
from ssl_domains.views.scaling import FittedScaling, valid_pixels

__all__ = ["ImagePreprocess"]


@dataclass(frozen=True)
class ImagePreprocess:
    """Scaling, canvas and channel count of a run.

    Example:
        >>> encoder, preprocess = ssl_domains.load("RUN")     # doctest: +SKIP
        >>> encoder(preprocess(array).values).pooled          # doctest: +SKIP

    Attributes:
        scaling: From native unit to [0, 1], fitted.
        canvas: Side in pixels, and whether pictures are stretched or padded.
        in_chans: Channels of the encoder. A single channel is repeated; any other difference is an error.
    """

    name: ClassVar[str] = "image"
    scaling: FittedScaling
    canvas: Canvas
    in_chans: int

    @property
    def spec(self) -> InputSpec:
        """Pictures ``[C, S, S]``, float32 in [0, 1]."""
        return InputSpec("image", self.in_chans, (self.canvas.size, self.canvas.size))

    def map_axes(self, shape: Sequence[int], facts: Mapping[str, Any] | None = None) -> tuple[int, int]:
        """Height and width of a picture ``[H, W, C]`` are those of its label map."""
        return 0, 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that say which window a row has, such as that of the volume; none when all rows share one."""
        return self.scaling.scaling.columns

    def __call__(
        self, array: NDArray[Any], facts: Mapping[str, Any] | None = None, valid: NDArray[np.bool_] | None = None
    ) -> Input:
        """An array ``[H, W, C]`` or ``[H, W]`` in native unit as float32 ``[1, C, S, S]`` in [0, 1].

        ``valid`` of the input is false where there is padding or no data; None where all is data.

        Args:
            array: The picture.
            facts: Values of `columns` for this row.
            valid: bool in the shape of the array, false where it holds no data; None for all data. A pixel has data
                when all its channels have.

        Raises:
            DataError: When the channels don't fit, or no window was fitted for the volume.
        """
        return self.compact(array, facts, valid).unit()

    def compact(
        self, array: NDArray[Any], facts: Mapping[str, Any] | None = None, valid: NDArray[np.bool_] | None = None
    ) -> Input:
        """The same input, as uint8 (steps of 1/255) where the scaling keeps uint8 arrays, else as float32."""
        picture = array if array.ndim == 3 else array[:, :, None]
        whole = None if valid is None else np.asarray(valid.reshape(picture.shape).all(axis=2))
        canvas, mask = self.place(picture, self._group(facts), whole)
        values = torch.from_numpy(canvas.transpose(2, 0, 1).copy())  # a copy, as the store's memory is read-only
        return Input(values[None], None if mask is None else torch.from_numpy(mask)[None, None])

    def takes_many(self, shape: Sequence[int]) -> bool:
        """Whether pictures of this shape lie on the canvas as they are, so that `many` has nothing to resize."""
        return tuple(shape[:2]) == (self.canvas.size, self.canvas.size)

    def many(
        self, arrays: NDArray[Any], facts: Sequence[Mapping[str, Any]], valid: NDArray[np.bool_] | None = None
    ) -> Input:
        """`compact` of several arrays of one shape, ``[n, H, W, C]`` or ``[n, H, W]``, as one batch.

        Raises:
            DataError: As the call does.
        """
        pictures = arrays if arrays.ndim == 4 else arrays[..., None]
        whole = None if valid is None else np.asarray(valid.reshape(pictures.shape).all(axis=3))
        placed, masks = self.place_many(pictures, [self._group(one) for one in facts], whole)
        values = torch.from_numpy(np.ascontiguousarray(placed.transpose(0, 3, 1, 2)))
        return Input(values, None if masks is None else torch.from_numpy(masks)[:, None])

    def place_many(
        self, arrays: NDArray[Any], groups: Sequence[str | None], valid: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """`place` of several arrays ``[n, H, W, C]``; masks are None where all of them are.

        Args:
            arrays: In native unit.
            groups: Name of the window of each.
            valid: bool ``[n, H, W]``, false where there is no data; None for all data.

        Raises:
            DataError: As `place` does.
        """
        count, height, width, channels = arrays.shape
        if not self.takes_many((height, width)):
            each = [
                self.place(array, group, None if valid is None else valid[row])
                for row, (array, group) in enumerate(zip(arrays, groups, strict=True))
            ]
            placed = np.stack([one for one, _ in each])
            if all(mask is None for _, mask in each):
                return placed, None
            all_data = np.ones(placed.shape[1:3], dtype=np.bool_)
            return placed, np.stack([all_data if mask is None else mask for _, mask in each])
        self._require_channels(channels)
        # Scaling knows no neighbours, so pictures on top of each other are scaled as one.
        windows = list(dict.fromkeys(groups))
        if len(windows) == 1:
            scaled = self.scaling.apply(arrays.reshape(-1, width, channels), windows[0]).reshape(arrays.shape)
        else:
            parts = [(np.array([one == name for one in groups]), name) for name in windows]
            made = [(rows, self.scaling.apply(arrays[rows].reshape(-1, width, channels), name)) for rows, name in parts]
            alike = len({one.dtype for _, one in made}) == 1
            scaled = np.empty(arrays.shape, made[0][1].dtype if alike else np.float32)
            for rows, one in made:
                unit = one if alike or one.dtype != np.uint8 else one.astype(np.float32) / np.float32(255)
                scaled[rows] = unit.reshape(-1, height, width, channels)
        finite = valid_pixels(arrays)
        if valid is not None:
            scaled = np.where(valid[..., None], scaled, scaled.dtype.type(0))
            finite = valid if finite is None else finite & valid
        if finite is None and self.canvas.mode == "fit":
            finite = np.ones((count, height, width), dtype=np.bool_)
        return (scaled if channels == self.in_chans else np.repeat(scaled, self.in_chans, axis=3)), finite

    def _require_channels(self, channels: int) -> None:
        if channels not in (1, self.in_chans):
            raise DataError(
                f"an array has {channels} channels, the encoder takes {self.in_chans}",
                f"set encoder.in_chans to {channels}, or let the reader choose channels",
            )

    def place(
        self, array: NDArray[Any], group: str | None = None, valid: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Scale an array and put it on the canvas.

        Args:
            array: ``[H, W, C]`` in native unit.
            group: Name of the array's window, from `FittedScaling.groups`; None where its type decides.
            valid: bool ``[H, W]``, false where there is no data although the numbers are finite; None for none.

        Returns:
            ``[S, S, in_chans]``, uint8 (for [0, 1] in steps of 1/255) or float32; and the mask, as `Canvas.apply`.

        Raises:
            DataError: When the channels don't fit, or no window was fitted for the volume.
        """
        channels = array.shape[2]
        self._require_channels(channels)
        scaled, finite = self.scaling.apply(array, group), valid_pixels(array)
        if valid is not None:
            scaled = np.where(valid[:, :, None], scaled, scaled.dtype.type(0))
            finite = valid if finite is None else finite & valid
        canvas, mask = self.canvas.apply(scaled, finite)
        if channels != self.in_chans:
            canvas = np.repeat(canvas, self.in_chans, axis=2)
        return canvas, mask

    def extend(self, table: SampleTable, store: ArrayStore) -> ImagePreprocess:
        """A preprocess that also has windows for the table's new volumes, each fitted on the volume's arrays."""
        return replace(self, scaling=self.scaling.extend(table, store))

    def require(self, table: SampleTable, store: ArrayStore) -> None:
        """Check all arrays of a table against the encoder and the scaling, before any array is read.

        Raises:
            DataError: When channels don't fit, a row names no volume, or no window was fitted for one.
        """
        wrong = store.of(table).channels() - {1, self.in_chans}
        if wrong:
            counts = ", ".join(str(count) for count in sorted(wrong))
            cause = f"some arrays have {counts} channels, the encoder takes {self.in_chans}"
            raise DataError(cause, "set encoder.in_chans, or let the reader choose channels")
        groups = self.scaling.groups(table)
        codes, dtypes = store.of(table).row_dtypes()
        for group, code in dict.fromkeys(zip(groups, codes.tolist(), strict=True)):
            if code >= 0:
                self.scaling.window(group, dtypes[code])

    def stored_form(self, dtypes: set[np.dtype[Any]]) -> tuple[torch.dtype, bool, bool]:
        """Form of cached inputs, for arrays of these dtypes: dtype, whether some have a mask, whether all have."""
        dtype = torch.uint8 if self.scaling.stays_uint8(dtypes) else torch.float32
        fits = self.canvas.mode == "fit"
        return dtype, fits or any(one.kind == "f" for one in dtypes), fits

    def to_dict(self) -> dict[str, Any]:
        """Settings and fitted values, as JSON values."""
        return {"scaling": self.scaling.to_dict(), "canvas": asdict(self.canvas), "in_chans": self.in_chans}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImagePreprocess:
        """The reverse of `to_dict`."""
        # A record without a word on padding was made when padding was zeros.
        canvas = Canvas(**{"fill": "zero", **values["canvas"]})
        return cls(FittedScaling.from_dict(values["scaling"]), canvas, int(values["in_chans"]))

    def _group(self, facts: Mapping[str, Any] | None) -> str | None:
        return self.scaling.scaling.key(facts or {})
