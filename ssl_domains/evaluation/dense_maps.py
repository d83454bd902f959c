"""Frozen maps and placed masks of a table's rows, computed once for every fraction and head."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.encoders import Encoder, Levels, feature_levels
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.engine.step.encoding import encode_rows
from ssl_domains.errors import DataError
from ssl_domains.probes.dense_data import DenseFeatures, DenseTargets, NativeMasks
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, MaskStore, mask_names
from ssl_domains.views import IGNORED, Canvas, InputDataset, Preprocess, extended, place_mask

__all__ = ["dense_features", "dense_targets"]

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
    """Maps of rows that can all be decoded: eval mode, the run's canvas, no augmentation.

    float16, or float32 where values are too large for it; in memory up to 3 GB, else in a temporary file that goes away
    with the process.

    Args:
        encoder: Frozen.
        preprocess: Scaling and canvas; windows of groups it doesn't know are fitted on those groups, as in `embed`.
        table: The rows.
        store: Holds their arrays.
        levels: See `feature_levels`.
        device: Where the encoder runs.
        batch_size: Images in the encoder at a time.
        progress: Called with rows done and rows in all.

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
    table: SampleTable, masks: MaskStore, canvas: Canvas, names: Mapping[int, str] | Sequence[str] | None = None
) -> DenseTargets:
    """Masks of rows that all have one, on the canvas and in their own shape.

    Args:
        table: The rows.
        masks: Their masks.
        canvas: Of the run.
        names: Class number → name, or names from 1 on; None takes those that the scan recorded, else the numbers
            found. 0 is the background and 255 is ignored.

    Raises:
        DataError: When a row has no mask, or a mask holds a class number without a name.
    """
    positions = masks.positions(table)
    if (positions < 0).any():
        raise DataError(f"{int((positions < 0).sum())} rows have no mask", "leave them out")
    named = dict(names) if isinstance(names, Mapping) else dict(enumerate(names or (), start=1))
    named = named or mask_names(table)
    found: set[int] = set()
    numbers = []
    for position in positions:
        mask = masks[int(position)]
        found.update(np.unique(mask).tolist())
        numbers.append(place_mask(canvas, mask))
    found -= {0, IGNORED}
    named = named or {number: str(number) for number in sorted(found)}
    unknown = sorted(found - set(named))
    if unknown:
        shown = ", ".join(map(str, unknown[:5]))
        raise DataError(f"masks hold class numbers without a name: {shown}", "name every class, --mask-names of scan")
    if not all(0 < number < IGNORED for number in named):
        raise DataError("class numbers of masks go from 1 to 254", "0 is the background, 255 is ignored")
    index = np.full(256, IGNORED, dtype=np.uint8)
    index[0] = 0
    for code, number in enumerate(sorted(named), start=1):
        index[number] = code
    placed = index[np.stack(numbers)] if numbers else np.empty((0, canvas.size, canvas.size), dtype=np.uint8)
    return DenseTargets(
        placed, NativeMasks(masks, positions, index), canvas, tuple(named[number] for number in sorted(named))
    )


def _allocate(shape: tuple[int, ...], dtype: type[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    if np.prod(shape) * np.dtype(dtype).itemsize <= _IN_MEMORY_GB * 1e9:
        return np.empty(shape, dtype=dtype)
    # Unlinked as soon as it is open: nothing is left behind, however the process ends.
    with tempfile.TemporaryDirectory() as folder:
        mapped: NDArray[np.floating[Any]] = np.memmap(Path(folder) / "maps", dtype=dtype, mode="w+", shape=shape)
    return mapped
