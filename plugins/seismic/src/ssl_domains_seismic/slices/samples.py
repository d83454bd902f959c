"""Samples that cover one time slice, half overlapping, in the size that an encoder sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains.views import Crop
from ssl_domains.views.crops import centre, facts_of_rows

__all__ = ["samples_on"]

_SECTION = {"inline": 0, "crossline": 1, "depth": 2}


def samples_on(
    table: SampleTable, sample: int, shape: tuple[int, int, int], every: int = 1, crop: Crop | None = None
) -> SampleTable:
    """Samples like the first one of a table: of its axis, in every place of a time slice.

    They have the size of that sample, or of the crop of it that an encoder sees.

    Patches lie half over each other, so that each cell is near the middle of one, and have the slice in the middle of
    their rows where the survey is deep enough.

    Args:
        table: Samples of one survey.
        sample: Number of the slice.
        shape: Inlines, crosslines and samples of the survey.
        every: Only sections of every such line are made.
        crop: Crop of the views that the encoder was trained on; None where it saw whole samples.

    Raises:
        DataError: When a sample of this size doesn't fit into the survey.
    """
    row = table.frame.head(1)
    along = str(row["along"][0])
    ends = row["region"].explode().to_numpy().astype(np.int64)
    sides = ends[1::2] - ends[::2]
    if crop is not None:
        facts = next(iter(facts_of_rows(crop, table.take([0]))))
        sides = np.array([one.stop - one.start for one in centre(crop, sides.tolist(), facts)], dtype=np.int64)
    starts: list[NDArray[np.int64]] = []
    for axis, (side, length) in enumerate(zip(sides.tolist(), shape, strict=True)):
        if side > length:
            raise DataError("a sample of the table is larger than the survey", "scan again")
        if axis == 2:
            starts.append(np.array([np.clip(sample - side // 2, 0, length - side)]))
        elif axis == _SECTION[along]:
            middle = np.arange(0, length, every)
            first = middle - side // 2
            starts.append(first[(first >= 0) & (first + side <= length)])
        else:
            first = np.arange(0, length - side + 1, max(side // 2, 1))
            starts.append(np.unique(np.append(first, length - side)))
    corners = np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, 3)
    regions = np.stack([corners, corners + sides], axis=2).reshape(-1, 6)
    kept = [name for name in row.columns if name not in ("sample", "region")]
    frame = pl.concat([row.select(kept)] * len(regions)).with_columns(
        pl.Series("sample", [f"slice:{number}" for number in range(len(regions))]),
        pl.Series("region", regions, dtype=pl.Array(pl.Int64, 6)).cast(pl.List(pl.Int64)),
    )
    return replace(table, frame=frame)
