"""From a section or patch of a volume to a picture in [0, 1]: a clip for each survey, zero amplitude becomes ½."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import ReadError, SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, FittedScaling, ImagePreprocess, Scaling, register_preprocess
from ssl_domains_seismic.stacks.column import COLUMN, other_stacks

__all__ = ["SectionPreprocess", "SectionsToFit", "picture_of", "sections_for", "sides_of"]

_ORDER = {"inline": (2, 1, 0), "crossline": (2, 0, 1), "depth": (0, 1, 2)}
"""Axes of the array that become rows, columns, channels."""
_PERCENTILES = (0.5, 99.5)
_MOST_ROWS = 2000  # samples that clips are fitted on; a survey is larger than what has to be read for a percentile
_LEAST_ROWS = 200  # of each survey, however many there are
_NONE = (-1.0, 1.0)  # clip of a survey without amplitudes; or of one whose amplitudes are really that small
_GROUP = "survey"
_SHOWN = 10  # clips that are printed
_WHOLE = 128  # side of the picture of whole sections
_LARGEST = 512


def picture_of(array: NDArray[Any], along: str, *, many: bool = False) -> NDArray[Any]:
    """A part of a volume ``[inline, crossline, sample]``, or of several ``[…, stack]``, as a picture ``[H, W, C]``.

    Sections have time downwards and lines to the right; a time slice has inlines downwards and crosslines to the right.
    Channels are neighbouring sections, of each section its stacks.

    Args:
        array: The part.
        along: ``inline``, ``crossline`` or ``depth``.
        many: Whether the first axis counts parts of one shape, which become pictures ``[n, H, W, C]``.

    Raises:
        DataError: For an axis that is none, or an array of another rank.
    """
    sides = array.shape[1:] if many else array.shape
    if along not in _ORDER or len(sides) not in (3, 4):
        raise DataError(f"a sample along {along!r} of shape {list(sides)}", f"known: {', '.join(_ORDER)}; 3 or 4 sides")
    before = int(many)
    order = [*range(before), *(axis + before for axis in _ORDER[along])]
    if len(sides) == 3:
        return array.transpose(order)
    turned = array.transpose(*order, before + 3)
    return turned.reshape(*turned.shape[: before + 2], -1)


@register_preprocess
@dataclass(frozen=True)
class SectionPreprocess:
    """Parts of volumes as pictures.

    Attributes:
        scaling: The symmetric clips, one for each survey, fitted on training rows; a run of an earlier version has one
            clip for all surveys.
        size: Side of the picture in pixels; a part of other sides is resized.
        channels: Neighbouring sections in a sample, times the stacks of each.
    """

    name: ClassVar[str] = "seismic-section"
    scaling: FittedScaling
    size: int
    channels: int = 1

    @property
    def columns(self) -> tuple[str, ...]:
        """``along``, and ``survey`` where each survey has its own clip."""
        return ("along", *self.scaling.scaling.columns)

    @property
    def fitted(self) -> tuple[str, ...]:
        """A line for the clip of each survey, the first ten."""
        windows = list(self.scaling.windows.items())
        said = [f"clip of {name or 'all surveys'}: ±{high:.4g}{self._used(name)}" for name, (_, high) in windows]
        return tuple(said[:_SHOWN] + ([f"… and {len(said) - _SHOWN:,} more surveys"] if len(said) > _SHOWN else []))

    def _used(self, name: str) -> str:
        used, of = self.scaling.fitted_on.get(name, (0, 0))
        percentile = f"{self.scaling.scaling.percentiles[1]:g}th percentile of the amplitudes"
        return f" ({percentile} of {used:,} of {of:,} samples)" if used else ""

    @property
    def spec(self) -> InputSpec:
        """Pictures ``[C, S, S]``, float32 in [0, 1]."""
        return InputSpec("image", self.channels, (self.size, self.size))

    def __call__(
        self, array: NDArray[Any], facts: Mapping[str, Any] | None = None, valid: NDArray[np.bool_] | None = None
    ) -> Input:
        """A part of a volume as float32 ``[1, C, S, S]``; places without data are ½, the zero of amplitudes, not valid.

        Args:
            array: ``[inline, crossline, sample]`` or ``[inline, crossline, sample, stack]``.
            facts: The axis, as ``along``, which a sample of one section doesn't need; and the survey, which isn't
                needed where one survey has a clip.
            valid: bool in the shape of the array, false in holes; None for all data.

        Raises:
            DataError: When the array has other channels, or its survey no clip.
        """
        along = str((facts or {}).get("along") or _axis_of(array.shape))
        picture = picture_of(array, along)
        whole = None
        if valid is not None:
            whole = np.asarray(picture_of(np.broadcast_to(valid, array.shape), along).all(axis=2))
        group = self._group(facts or {})
        placed, mask = ImagePreprocess(self.scaling, self.canvas, self.channels).place(picture, group, whole)
        values = placed.astype(np.float32) / 255 if placed.dtype == np.uint8 else placed
        made = np.ascontiguousarray(values.transpose(2, 0, 1))
        if mask is None or mask.all():
            return self.spec.input(torch.from_numpy(made)[None])
        made[:, ~mask] = 0.5
        return self.spec.input(torch.from_numpy(made)[None], torch.from_numpy(mask.copy())[None, None])

    def takes_many(self, shape: Sequence[int]) -> bool:
        """Whether samples of this shape have the sides of the picture, so that `many` has nothing to resize."""
        return sum(side == self.size for side in shape[:3]) >= 2

    def many(
        self, arrays: NDArray[Any], facts: Sequence[Mapping[str, Any]], valid: NDArray[np.bool_] | None = None
    ) -> Input:
        """Several parts of volumes of one shape, ``[n, …]``, as float32 ``[n, C, S, S]``; else as the call.

        Raises:
            DataError: As the call does.
        """
        axes = [str(one.get("along") or _axis_of(arrays.shape[1:])) for one in facts]
        masks: NDArray[np.bool_] | None = None
        made = np.empty((len(arrays), self.channels, self.size, self.size), dtype=np.float32)
        for along in dict.fromkeys(axes):
            rows = np.array([one == along for one in axes])
            every = bool(rows.all())
            pictures = picture_of(arrays if every else arrays[rows], along, many=True)
            whole = None
            if valid is not None:
                shown = np.broadcast_to(valid, arrays.shape)
                whole = np.asarray(picture_of(shown if every else shown[rows], along, many=True).all(axis=-1))
            groups = [self._group(one) for one, here in zip(facts, rows.tolist(), strict=True) if here]
            placing = ImagePreprocess(self.scaling, self.canvas, self.channels)
            placed, mask = placing.place_many(pictures, groups, whole)
            values = placed.astype(np.float32) / 255 if placed.dtype == np.uint8 else placed
            if mask is not None and not mask.all():
                values[~mask] = 0.5
                masks = np.ones((len(arrays), self.size, self.size), dtype=np.bool_) if masks is None else masks
                masks[rows] = mask
            made[rows if not every else slice(None)] = values.transpose(0, 3, 1, 2)
        return self.spec.input(torch.from_numpy(made), None if masks is None else torch.from_numpy(masks)[:, None])

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

    def _group(self, facts: Mapping[str, Any]) -> str | None:
        """Name of the clip of a sample."""
        windows = self.scaling.windows
        if facts.get(_GROUP) is None and len(windows) == 1:
            return next(iter(windows))
        return self.scaling.scaling.key(facts)

    def extend(self, table: SampleTable, store: ArrayStore) -> SectionPreprocess:
        """A preprocess that also has clips for the table's new surveys, each fitted on samples of the survey.

        Raises:
            DataError: When a row names no survey.
        """
        if not self.scaling.scaling.grouped:
            return self
        rows = _rows_to_fit(table, set(self.scaling.windows))
        return replace(self, scaling=self.scaling.extend(table.take(rows), store)) if len(rows) else self

    def require(self, table: SampleTable, store: ArrayStore) -> None:
        """Check the channels and surveys of all samples before any is read.

        Raises:
            DataError: When a sample has other channels, or its survey no clip.
        """
        for facts in table.frame.select(self.scaling.scaling.columns).unique(maintain_order=True).iter_rows(named=True):
            self.scaling.window(self.scaling.scaling.key(facts))
        found = channels_of(table)
        if found is not None and found != self.channels:
            cause = f"the samples have {found} channels, the encoder takes {self.channels}"
            raise DataError(cause, "scan with the --channels and --stacks of the training table")

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

    def for_crop(self, side: int) -> SectionsToFit:
        """The same for crops of this side: a picture has a pixel for each place."""
        return replace(self, size=side)

    def fit(self, table: SampleTable, store: ArrayStore) -> SectionPreprocess:
        """Fit a clip for each survey: the 99.5th percentile of the absolute amplitudes of some of its training rows.

        About 2,000 rows are read in all, and 200 of each survey at least. A table without surveys has one clip.

        Raises:
            DataError: When these rows hold no amplitude but 0, or no data at all.
        """
        scaling = Scaling("survey", percentiles=_PERCENTILES, group=_GROUP if _GROUP in table.columns else None)
        training = table.take(table.rows_of("train"))
        chosen = training.take(_rows_to_fit(training, set()))
        fitted = scaling.fit(chosen, store)
        if set(fitted.windows.values()) <= {_NONE}:
            _require_amplitudes(chosen, store)
        return SectionPreprocess(fitted, self.size, self.channels)


def sections_for(table: SampleTable) -> SectionsToFit:
    """Size and channels for a table: the side of its patches, or 128 pixels where sides differ or are large."""
    channels = channels_of(table)
    if channels is None:
        return SectionsToFit(_WHOLE)
    sides = np.unique(sides_of(table)[:, :2])
    size = int(sides.max()) if sides.max() <= _LARGEST and len(sides) <= 2 else _WHOLE
    return SectionsToFit(size, channels)


def _require_amplitudes(table: SampleTable, store: ArrayStore) -> None:
    """Refuse rows of which none has data other than 0.

    Raises:
        DataError: When there is no such row.
    """
    samples = store.of(table)
    for row in np.flatnonzero(samples.decoded).tolist():
        values, valid = samples.read(row)
        shown = np.isfinite(values) & (values != 0)
        if bool((shown if valid is None else shown & valid).any()):
            return
    cause = f"none of {len(table):,} training samples has an amplitude other than 0"
    raise DataError(cause, "does `ssl-domains seismic header FILE` show amplitudes? leave such files out of the scan")


def _rows_to_fit(table: SampleTable, known: set[str]) -> NDArray[np.int64]:
    """Rows that clips are fitted on: at equal distances among those of each survey that is not known.

    Rows for training are taken where a survey has some.
    """
    training = np.zeros(len(table), dtype=np.bool_)
    training[table.rows_of("train")] = True
    named = table.frame[_GROUP].cast(pl.String) if _GROUP in table.columns else pl.Series([""] * len(table))
    frame = pl.DataFrame({"survey": named, "row": np.arange(len(table)), "training": training})
    groups = frame.filter(~named.is_in(list(known)).fill_null(False)).group_by("survey", maintain_order=True)
    surveys = [part["row"].to_numpy()[_training_or_all(part["training"].to_numpy())] for _, part in groups]
    most = max(_LEAST_ROWS, _MOST_ROWS // max(1, len(surveys)))
    chosen = [
        rows[np.linspace(0, len(rows) - 1, num=min(len(rows), most), dtype=np.int64)] for rows in surveys if len(rows)
    ]
    return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)


def _training_or_all(training: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return training if training.any() else np.ones_like(training)


def channels_of(table: SampleTable) -> int | None:
    """Channels of the samples of a table: neighbouring sections times stacks; None without regions.

    Raises:
        DataError: When samples differ.
    """
    if not len(table) or "region" not in table.columns or "along" not in table.columns:
        return None
    counts = np.unique(sides_of(table)[:, 2])
    if len(counts) > 1:
        raise DataError(f"samples have {counts[0]} to {counts[-1]} sections", "scan them with one number of --channels")
    stacks = np.unique(_stacks(table))
    if len(stacks) > 1:
        raise DataError(f"samples have {stacks[0]} to {stacks[-1]} stacks", "scan them with one number of --stacks")
    return int(counts[0] * stacks[0])


def _stacks(table: SampleTable) -> list[int]:
    """Numbers of stacks that samples of a table have.

    Raises:
        DataError: When the column ``stacks`` names no files.
    """
    if COLUMN not in table.columns:
        return [1]
    try:
        return [1 + len(other_stacks("", text, None)) for text in table.frame[COLUMN].unique().to_list()]
    except ReadError as error:
        raise DataError(str(error), "scan again") from error


def sides_of(table: SampleTable) -> NDArray[np.int64]:
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
    single = [axis for axis, side in enumerate(shape[:3]) if side == 1]
    if len(single) != 1:
        raise DataError(f"a sample of shape {list(shape)} doesn't show its axis", "hand over facts={'along': 'inline'}")
    return ("inline", "crossline", "depth")[single[0]]
