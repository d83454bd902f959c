"""Compare the regions of two sides of a split: the voxels they share, and the gap between their edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ssl_domains.audit.finding import Finding, percent
from ssl_domains.audit.overlap import overlap_of, smallest_gap, voxels_of
from ssl_domains.audit.sides import Side
from ssl_domains.samples import Regions

__all__ = ["SideRegions", "region_gap", "shared_regions"]

_ELEMENTS = {1: "values", 2: "pixels"}
_SHOWN = 10


@dataclass(frozen=True)
class SideRegions:
    """The regions of the rows of a side.

    Attributes:
        side: The side.
        regions: One for each row.
        voxels: Voxels of all regions together, each counted once.
    """

    side: Side
    regions: Regions
    voxels: int

    @classmethod
    def of(cls, side: Side, regions: Regions) -> SideRegions:
        """Count the voxels of a side."""
        return cls(side, regions, voxels_of(regions))


def shared_regions(a: SideRegions, b: SideRegions, axes: str = "") -> Finding:
    """Finding on voxels that lie in samples of both sides, whatever the direction in which samples are cut.

    The share is that of the second side's voxels, each counted once, that lie inside any sample of the first side.

    Args:
        a: The first side.
        b: The second side.
        axes: Axes of the arrays as their reader names them, such as ``"tc"``; empty where no reader is known, and the
            number of axes alone tells what an element is called.
    """
    names = a.side.name, b.side.name
    # A region of two axes may be that of a picture, or that of a recording with its channels.
    channels = axes.endswith("c") and len(axes) == b.regions.rank
    word = _ELEMENTS.get(b.regions.rank - channels, "voxels")
    found = overlap_of(a.regions, b.regions)
    rows_a, rows_b = int((found.inside_a > 0).sum()), int((found.inside_b > 0).sum())
    if found.shared:
        sentence = (
            f"{percent(found.shared, b.voxels)} of the {word} of {names[1]} lie inside samples of {names[0]}: "
            f"{found.shared:,} of {b.voxels:,}, in {rows_b:,} of {len(b.side):,} rows of {names[1]}"
        )
    else:
        sentence = f"{names[0]} and {names[1]} share none of their {a.voxels:,} and {b.voxels:,} {word}"
    ids = b.side.table.frame["sample"]
    worst = np.argsort(-found.inside_b, kind="stable")[: min(_SHOWN, rows_b)].tolist()
    details = {
        "shared_voxels": found.shared,
        "voxels_a": a.voxels,
        "voxels_b": b.voxels,
        "shared_voxels_share": found.shared / b.voxels if b.voxels else None,
        "missing_a": int((a.regions.arrays < 0).sum()),
        "missing_b": int((b.regions.arrays < 0).sum()),
        "examples": [{"b": ids[row], "shared": int(found.inside_b[row])} for row in worst],
    }
    return Finding("region", word, *names, found.shared, rows_a, rows_b, len(a.side), len(b.side), found.shared > 0,
                   sentence, details)  # fmt: skip


def region_gap(a: SideRegions, b: SideRegions, gap: int) -> Finding:
    """Finding on the smallest gap between the edges of two regions, in places of the array along the best axis."""
    nearest = smallest_gap(a.regions, b.regions, gap)
    names = a.side.name, b.side.name
    if nearest is None:
        sentence = f"the edges of the samples of {names[0]} and {names[1]} are at least {gap:,} apart"
    elif nearest < 0:
        sentence = f"samples of {names[0]} and {names[1]} overlap: there is no gap between them, {gap:,} is required"
    else:
        sentence = (
            f"the gap between the edges of samples of {names[0]} and {names[1]} is {nearest:,}, "
            f"less than the required {gap:,}"
        )
    details = {"gap": nearest, "asked": gap}
    leak = nearest is not None
    return Finding("gap", "region", *names, int(leak), 0, 0, len(a.side), len(b.side), leak, sentence, details)
