"""Feature maps of a frozen encoder, and masks on the canvas; computed once for all fractions and heads."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.encoders import Encoder, Levels, feature_levels
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.engine.step.encoding import encode_rows
from ssl_domains.errors import DataError, UsageError
from ssl_domains.probes.dense_data import DenseFeatures, DenseTargets, NativeMasks, codes_of
from ssl_domains.probes.scored_once import MapPlaces
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, regions_of
from ssl_domains.stores import ArrayStore, MaskStore, mask_names
from ssl_domains.views import (
    IGNORED,
    Canvas,
    Crop,
    InputDataset,
    MapPreprocess,
    Preprocess,
    Tiles,
    extended,
    map_planes,
    map_sides,
    place_mask,
    tiles_of,
)

__all__ = [
    "MaskRows",
    "dense_features",
    "dense_targets",
    "map_places",
    "map_windows",
    "mask_rows",
    "require_same_shapes",
]

_IN_MEMORY_GB = 3.0
# float16 ends at 65,504; activations beyond this keep float32.
_SAFE = 1e4


def dense_features(
    encoder: Encoder,
    preprocess: Preprocess,
    table: SampleTable,
    store: ArrayStore,
    *,
    levels: Levels = "hypercolumn",
    device: str = "auto",
    batch_size: int = 128,
    progress: Callable[[int, int], None] | None = None,
) -> DenseFeatures:
    """Feature maps of decodable rows, from the encoder in evaluation mode and without augmentation.

    Maps are float16, or float32 where values are too large for float16. They are in memory up to 3 GB for each level,
    else in a temporary file that is deleted with the process.

    Args:
        encoder: The encoder; it is not trained.
        preprocess: Scaling and canvas. For groups without a fitted window, one is fitted on that group, as in `embed`.
        table: The rows.
        store: The arrays of the rows.
        levels: See `feature_levels`.
        device: Device that the encoder runs on.
        batch_size: Number of images in a batch.
        progress: Called with the number of rows done and of all rows.

    Raises:
        DataError: When there is no row, or the encoder gives numbers that are not finite.
        UsageError: When the encoder doesn't give its maps.
    """
    if not len(table):
        raise DataError("no row of the table could be decoded", "see the table's problems file")
    dataset = InputDataset(table, store, extended(preprocess, table, store), cache_gb=0)
    out: list[NDArray[np.floating[Any]]] = []
    for rows, maps in encode_rows(
        encoder,
        dataset,
        lambda encoder, x: feature_levels(encoder, x.values, levels),
        device=resolve_device(device),
        batch_size=batch_size,
        progress=progress,
    ):
        for index, one in enumerate(level.float().cpu().numpy() for level in maps):
            largest = float(np.abs(one).max())
            if not np.isfinite(largest):
                raise DataError("the encoder gives no finite maps", "did the training diverge?")
            if len(out) <= index:
                out.append(_allocate((len(table), *one.shape[1:]), np.float16 if largest < _SAFE else np.float32))
            elif largest >= _SAFE and out[index].dtype == np.float16:
                wider = _allocate(out[index].shape, np.float32)
                wider[: rows.start] = out[index][: rows.start]
                out[index] = wider
            out[index][rows] = one
    return DenseFeatures(tuple(out))


def dense_targets(
    table: SampleTable,
    masks: MaskStore,
    canvas: Canvas,
    names: Mapping[int, str] | Sequence[str] | None = None,
    *,
    sample: NDArray[np.int64] | None = None,
    windows: NDArray[np.int64] | None = None,
) -> DenseTargets:
    """Masks of rows, on the canvas and in their native shape; every row must have one.

    Args:
        table: The rows.
        masks: The masks.
        canvas: Canvas of the run.
        names: Class number → name, or the names from number 1 on. None takes the names that the scan recorded, or else
            the numbers in the masks. 255 is ignored. 0 is the background, unless it has a name: then it is a class like
            the others.
        sample: Row of the table that each target belongs to, int64 ``[m]``; None for one target a row.
        windows: Part of the mask that each target has, see `ssl_domains.probes.NativeMasks`; None for whole masks.

    Raises:
        DataError: When a row has no mask, or a mask holds a class number without a name.
    """
    positions = masks.positions(table)
    if (positions < 0).any():
        raise DataError(plural(int((positions < 0).sum()), "row has no mask", "rows have no mask"), "leave them out")
    name_of = dict(names) if isinstance(names, Mapping) else dict(enumerate(names or (), start=1))
    name_of = name_of or mask_names(table)
    positions = positions if sample is None else positions[sample]
    present: set[int] = set()
    numbers = []
    for target, position in enumerate(positions.tolist()):
        mask = masks[position]
        if windows is not None:
            top, bottom, left, right = windows[target].tolist()
            mask = mask[top:bottom, left:right]
        present.update(np.unique(mask).tolist())
        numbers.append(place_mask(canvas, mask))
    present -= {IGNORED} if 0 in name_of else {0, IGNORED}
    name_of = name_of or {number: str(number) for number in sorted(present)}
    unknown = sorted(present - set(name_of))
    if unknown:
        shown = ", ".join(map(str, unknown[:5]))
        raise DataError(f"masks hold class numbers without a name: {shown}", "name every class, --mask-names of scan")
    if not all(0 <= number < IGNORED for number in name_of):
        raise DataError("class numbers of masks go from 0 to 254", "255 is ignored")
    if list(name_of) == [0]:
        raise DataError(f"{name_of[0]!r} is the only class, so that nothing is to be told apart", "name the others too")
    index = codes_of(sorted(name_of))
    placed = index[np.stack(numbers)] if numbers else np.empty((0, canvas.size, canvas.size), dtype=np.uint8)
    classes = tuple(name_of[number] for number in sorted(name_of))
    native = NativeMasks(masks, positions, index, windows=windows)
    return DenseTargets(placed, native, canvas, classes, tuple(sorted(name_of)))


@dataclass(frozen=True)
class MaskRows:
    """Rows with masks, as an encoder sees them: whole samples, or their tiles where it was trained on crops.

    Attributes:
        table: The ``m`` rows.
        sample: Row of the sample that each is a part of, int64 ``[m]``.
        targets: Their masks.
        tiles: Where tiles lie in their samples; None where the rows are whole samples.
    """

    table: SampleTable
    sample: NDArray[np.int64]
    targets: DenseTargets
    tiles: Tiles | None = None

    @property
    def note(self) -> str:
        """A sentence on the tiles; empty for whole samples."""
        if self.tiles is None:
            return ""
        count = plural(len(np.unique(self.sample)), "sample")
        return f"the encoder sees crops: {count} with a mask are cut into {len(self.sample):,} tiles, which count below"


def mask_rows(
    crop: Crop | None,
    preprocess: MapPreprocess,
    table: SampleTable,
    store: ArrayStore,
    masks: MaskStore,
    names: Mapping[int, str] | Sequence[str] | None = None,
) -> MaskRows:
    """Rows with masks; samples that are larger than a crop of the encoder's views are cut into tiles.

    Args:
        crop: Crop of the views that the encoder was trained on; None for whole samples.
        preprocess: Places label maps.
        table: Samples, each with an array and a mask.
        store: Their arrays.
        masks: Their masks.
        names: See `dense_targets`.

    Raises:
        DataError: As `require_same_shapes` and `dense_targets`.
        UsageError: When the crop cuts a sample across its label map, so that the map of a crop is not a part of it.
    """
    require_same_shapes(table, store, masks, preprocess)
    tiles = None if crop is None else tiles_of(crop, table, store.of(table))
    if tiles is None or not tiles.cut:
        return MaskRows(table, np.arange(len(table)), dense_targets(table, masks, preprocess.canvas, names))
    across = np.ones(tiles.sides.shape, dtype=np.bool_)
    np.put_along_axis(across, map_planes(preprocess, tiles.table, tiles.sides), False, axis=1)
    if (across & ((tiles.starts > 0) | (tiles.stops < tiles.sides))).any():
        cause = "the views show crops that cut samples across the plane of their masks"
        raise UsageError(cause, "scan samples that are no larger than a crop, or take a column with --label")
    windows = map_windows(preprocess, tiles)
    targets = dense_targets(table, masks, preprocess.canvas, names, sample=tiles.sample, windows=windows)
    return MaskRows(tiles.table, tiles.sample, targets, tiles)


def map_windows(preprocess: MapPreprocess, tiles: Tiles) -> NDArray[np.int64]:
    """Part of its sample's label map that each tile shows, int64 ``[m, 4]``; see `ssl_domains.probes.NativeMasks`."""
    planes = map_planes(preprocess, tiles.table, tiles.stops - tiles.starts)
    starts, stops = (np.take_along_axis(ends, planes, axis=1) for ends in (tiles.starts, tiles.stops))
    return np.stack([starts[:, 0], stops[:, 0], starts[:, 1], stops[:, 1]], axis=1)


def map_places(preprocess: MapPreprocess, table: SampleTable, store: ArrayStore) -> MapPlaces | None:
    """Where the label maps of rows lie in their arrays; None where no sample is a region of an array.

    Args:
        preprocess: Says which plane of its array a label map is.
        table: The rows, each with an array.
        store: Their arrays.
    """
    found = regions_of([table])
    if found is None:
        return None
    (regions,) = found
    shapes = store.of(table).shapes()
    starts = np.zeros_like(shapes)
    starts[:, : regions.rank] = regions.starts[:, : shapes.shape[1]]
    return MapPlaces.of_regions(regions.arrays, starts, starts + shapes, map_planes(preprocess, table, shapes))


def require_same_shapes(part: SampleTable, store: ArrayStore, masks: MaskStore, preprocess: MapPreprocess) -> None:
    """Refuse a mask of another shape than the label map of its sample.

    Raises:
        DataError: For the first such mask; names its sample.
    """
    sides = map_sides(preprocess, part, store.of(part).shapes()).tolist()
    for sample, side, mask in zip(part.frame["sample"], sides, masks.positions(part), strict=True):
        height, width = masks.shape(int(mask))
        if tuple(side) != (height, width):
            cause = f"the mask of sample {sample!r} has another shape than its image"
            raise DataError(f"{cause}: {height} × {width}, not {side[0]} × {side[1]}", "scan again")


def _allocate(shape: tuple[int, ...], dtype: type[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    if np.prod(shape) * np.dtype(dtype).itemsize <= _IN_MEMORY_GB * 1e9:
        return np.empty(shape, dtype=dtype)
    # The file is deleted while it is open: its space is freed when the process ends, even when it is killed.
    with tempfile.TemporaryDirectory() as folder:
        mapped: NDArray[np.floating[Any]] = np.memmap(Path(folder) / "maps", dtype=dtype, mode="w+", shape=shape)
    return mapped
