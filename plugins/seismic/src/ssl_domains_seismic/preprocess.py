"""From a section or patch of a volume to a picture in [0, 1]: one clip for all surveys, zero amplitude becomes ½."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, FittedScaling, ImagePreprocess, Scaling, register_preprocess

__all__ = ["SectionPreprocess", "SectionsToFit", "picture_of", "sections_for"]

_ORDER = {"inline": (2, 1, 0), "crossline": (2, 0, 1), "depth": (0, 1, 2)}
"""Axes of the array that become rows, columns, channels."""
_PERCENTILES = (0.5, 99.5)
_MOST_ROWS = 2000  # samples that the clip is fitted on; a survey is larger than what has to be read for a percentile
_WHOLE = 128  # side of the picture of whole sections
_LARGEST = 512


def picture_of(array: NDArray[Any], along: str) -> NDArray[Any]:
    """A part of a volume ``[inline, crossline, sample]`` as a picture ``[H, W, C]``.

    Sections have time downwards and lines to the right; a time slice has inlines downwards and crosslines to the right.
    Channels are neighbouring sections.

    Raises:
        DataError: For an axis that is none, or an array of another rank.
    """
    if along not in _ORDER or array.ndim != 3:
        raise DataError(
            f"a sample along {along!r} of shape {list(array.shape)}", "known: inline, crossline, depth; 3 sides"
        )
    return array.transpose(_ORDER[along])


@register_preprocess
@dataclass(frozen=True)
class SectionPreprocess:
    """Parts of volumes as pictures.

    Attributes:
        scaling: The symmetric clip, fitted on training rows.
        size: Side of the picture in pixels; a part of other sides is resized.
        channels: Neighbouring sections in a sample.
    """

    name: ClassVar[str] = "seismic-section"
    columns: ClassVar[tuple[str, ...]] = ("along",)
    scaling: FittedScaling
    size: int
    channels: int = 1

    @property
    def spec(self) -> InputSpec:
        """Pictures ``[C, S, S]``, float32 in [0, 1]."""
        return InputSpec("image", self.channels, (self.size, self.size))

    def __call__(
        self, array: NDArray[Any], facts: Mapping[str, Any] | None = None, valid: NDArray[np.bool_] | None = None
    ) -> Input:
        """A part of a volume as float32 ``[1, C, S, S]``; places without data are ½, the zero of amplitudes, not valid.

        Args:
            array: ``[inline, crossline, sample]``.
            facts: The axis, as ``along``; a sample of one section needs none.
            valid: bool in the shape of the array, false in holes; None for all data.

        Raises:
            DataError: When the array has other channels.
        """
        along = str((facts or {}).get("along") or _axis_of(array.shape))
        picture = picture_of(array, along)
        whole = None
        if valid is not None:
            whole = np.asarray(picture_of(np.broadcast_to(valid, array.shape), along).all(axis=2))
        placed, mask = ImagePreprocess(self.scaling, self.canvas, self.channels).place(picture, None, whole)
        values = placed.astype(np.float32) / 255 if placed.dtype == np.uint8 else placed
        made = np.ascontiguousarray(values.transpose(2, 0, 1))
        if mask is None or mask.all():
            return self.spec.input(torch.from_numpy(made)[None])
        made[:, ~mask] = 0.5
        return self.spec.input(torch.from_numpy(made)[None], torch.from_numpy(mask.copy())[None, None])

    @property
    def canvas(self) -> Canvas:
        """The canvas of sections and of their label maps."""
        return Canvas(self.size)

    def map_axes(self, shape: Sequence[int], facts: Mapping[str, Any] | None = None) -> tuple[int, int]:
        """Axes of the array that are rows and columns of its picture; a label map is that of the middle section.

        Raises:
            DataError: When neither the row nor the shape says along which axis the sample lies.
        """
        along = str((facts or {}).get("along") or _axis_of(shape))
        if along not in _ORDER:
            raise DataError(f"a sample along {along!r}", "known: inline, crossline, depth")
        rows, columns, _ = _ORDER[along]
        return rows, columns

    def require(self, table: SampleTable, store: ArrayStore) -> None:
        """Check the channels of all samples before any is read.

        Raises:
            DataError: When a sample has other channels.
        """
        found = channels_of(table)
        if found is not None and found != self.channels:
            cause = f"the samples have {found} sections, the encoder takes {self.channels}"
            raise DataError(cause, f"scan with --channels {self.channels}")

    def stored_form(self, dtypes: set[np.dtype[Any]]) -> tuple[torch.dtype, bool, bool]:
        """Form of cached inputs: float32; some may have a mask, not all do."""
        return torch.float32, True, False

    def to_dict(self) -> dict[str, Any]:
        """Settings and clip, as JSON values."""
        return {"scaling": self.scaling.to_dict(), "size": self.size, "channels": self.channels}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SectionPreprocess:
        """The reverse of `to_dict`."""
        return cls(FittedScaling.from_dict(values["scaling"]), int(values["size"]), int(values["channels"]))


@dataclass(frozen=True)
class SectionsToFit:
    """The declaration of a `SectionPreprocess`, whose clip is fitted on training rows.

    Attributes:
        size: Side of the pictures in pixels.
        channels: Neighbouring sections in a sample.
    """

    size: int
    channels: int = 1

    @property
    def spec(self) -> InputSpec:
        """Pictures ``[C, S, S]``, float32 in [0, 1]."""
        return InputSpec("image", self.channels, (self.size, self.size))

    def fit(self, table: SampleTable, store: ArrayStore) -> SectionPreprocess:
        """Fit the clip: the 99.5th percentile of the absolute amplitudes of at most 2,000 training rows."""
        training = table.rows_of("train")
        chosen = np.unique(
            np.linspace(0, max(len(training) - 1, 0), num=min(len(training), _MOST_ROWS), dtype=np.int64)
        )
        fitted = Scaling("survey", percentiles=_PERCENTILES).fit(table.take(training[chosen]), store)
        return SectionPreprocess(fitted, self.size, self.channels)


def sections_for(table: SampleTable) -> SectionsToFit:
    """Size and channels for a table: the side of its patches, or 128 pixels where sides differ or are large."""
    channels = channels_of(table)
    if channels is None:
        return SectionsToFit(_WHOLE)
    sides = np.unique(_sides(table)[:, :2])
    size = int(sides.max()) if sides.max() <= _LARGEST and len(sides) <= 2 else _WHOLE
    return SectionsToFit(size, channels)


def channels_of(table: SampleTable) -> int | None:
    """Neighbouring sections of the samples of a table; None without regions.

    Raises:
        DataError: When samples differ.
    """
    if not len(table) or "region" not in table.columns or "along" not in table.columns:
        return None
    counts = np.unique(_sides(table)[:, 2])
    if len(counts) > 1:
        raise DataError(f"samples have {counts[0]} to {counts[-1]} sections", "scan them with one number of --channels")
    return int(counts[0])


def _sides(table: SampleTable) -> NDArray[np.int64]:
    """Rows, columns and channels of all samples, int64 ``[n, 3]``.

    Raises:
        DataError: For a row that names no axis.
    """
    names = list(_ORDER)
    along = table.frame["along"].replace_strict(names, range(len(names)), default=None)
    if along.null_count() or table.frame["region"].null_count():
        raise DataError("rows of the table name no axis or no region", "scan again, or leave these rows out")
    ends = table.frame["region"].explode().to_numpy().astype(np.int64).reshape(len(table), 6)
    order = np.array(list(_ORDER.values()), dtype=np.int64)[along.to_numpy()]
    return np.asarray(np.take_along_axis(ends[:, 1::2] - ends[:, 0::2], order, axis=1))


def _axis_of(shape: Sequence[int]) -> str:
    single = [axis for axis, side in enumerate(shape) if side == 1]
    if len(single) != 1:
        raise DataError(f"a sample of shape {list(shape)} doesn't show its axis", "hand over facts={'along': 'inline'}")
    return ("inline", "crossline", "depth")[single[0]]
