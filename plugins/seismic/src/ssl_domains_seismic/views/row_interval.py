"""Time between two rows of a picture, from the times that the samples of a table cover."""

from __future__ import annotations

import numpy as np

from ssl_domains.samples import SampleTable

__all__ = ["SPAN", "row_intervals_ms"]

SPAN = "span_ms"
"""Column with the time that the rows of a section or patch cover, ms; null for time slices and where it isn't known."""


def row_intervals_ms(table: SampleTable, size: int, crop: int | None = None) -> tuple[float, float] | None:
    """Least and greatest time between two rows of the pictures, ms; None where that of some sample isn't known.

    A sample of more or fewer samples in time than the picture has rows is resized, which changes the time between rows.

    Args:
        table: Sections or patches.
        size: Side of the pictures in pixels.
        crop: Largest number of samples in time that a picture shows; None for all of a row's.
    """
    if not len(table) or SPAN not in table.columns:
        return None
    spans = table.numbers(SPAN)
    if not np.isfinite(spans).all() or spans.min() <= 0:
        return None
    if crop is not None:
        ends = table.frame["region"].explode().to_numpy().astype(np.int64).reshape(len(table), 6)
        samples = ends[:, 5] - ends[:, 4]
        spans = spans * np.minimum(samples, crop) / samples
    return float(spans.min() / size), float(spans.max() / size)
