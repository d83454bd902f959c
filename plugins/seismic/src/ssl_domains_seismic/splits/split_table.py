"""``ssl-domains seismic split``: add the columns of a split by blocks to a sample table, write it and describe it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import only_one, read_noted_table, require_target, write_portable, write_whole
from ssl_domains_seismic.splits.blocks import MapBlocks, Sides, gap_of, hold_out, map_blocks, parts_of_map
from ssl_domains_seismic.splits.common_grid import common_grid
from ssl_domains_seismic.splits.drawing import svg_map, text_map

__all__ = ["SplitReport", "split_table"]


@dataclass(frozen=True)
class SplitReport:
    """What was written.

    Attributes:
        counts: Column, held-out blocks, and the numbers of training, test and dropped samples, of each split.
        maps: Name of each area, and the lines of its map for the first split.
        notes: Remarks.
    """

    counts: tuple[tuple[str, str, int, int, int], ...]
    maps: tuple[tuple[str, list[str]], ...]
    notes: tuple[str, ...]


def split_table(
    source: Path,
    out: Path,
    blocks: str,
    *,
    hold: str | None = None,
    gap: str | None = None,
    picture: Path | None = None,
) -> SplitReport:
    """Write a table with the column ``block``, and ``split`` or a column ``fold_BLOCK`` for each block.

    Args:
        source: The sample table.
        out: The table to write.
        blocks: Parts of the inlines and crosslines, ``"2x4"``.
        hold: Names of held-out blocks, ``"2-1,1-4"``; None makes a fold of every block.
        gap: Smallest gap between edges of training and test samples, ``"40"`` bins or ``"800m"``.
        picture: SVG file to draw the map of the first split to.

    Raises:
        UsageError: For an option that can't be read, a table without volumes, or a file that can't be written.
        DataError: When a side has no sample.
    """
    parts, length = parts_of_map(blocks), gap_of(gap)
    if out.suffix.lower() not in (".parquet", ".csv", ".xlsx"):
        raise UsageError(f"can't write a table as {out.name!r}", "name it .parquet, .csv or .xlsx")
    if picture is not None and picture.suffix.lower() != ".svg":
        raise UsageError(f"can't draw a map as {picture.name!r}", "name it .svg")
    for path in (out, *([picture] if picture is not None else [])):
        require_target(path)
    table, read_notes = read_noted_table(source)
    grid = common_grid([table])
    if grid is None:
        raise UsageError(
            f"{source.name} has no regions of volumes", "split a table that `ssl-domains seismic scan` made"
        )
    (regions,) = grid.regions
    made = map_blocks(regions, grid.areas, parts)
    notes = [*read_notes, *grid.notes]
    sides, columns, counts = [], {"block": made.names()}, []
    for column, held in _splits(made, hold):
        one = hold_out(regions, grid.areas, made, held, length)
        sides.append(one)
        columns[column] = one.names()
        names = ", ".join(made.blocks[number].name for number in held.tolist())
        dropped = int((one.near | one.across).sum())
        counts.append((column, names, int(one.train.sum()), int(one.test.sum()), dropped))
    notes += _remarks(made, sides, gap, [name for name in columns if name in table.columns and name != "block"])
    options = {**table.meta.options, "blocks": blocks, "gap": gap, "hold": hold, "split_by": "block"}
    meta = replace(table.meta, options={name: value for name, value in options.items() if value is not None})
    written = replace(table.with_columns(**columns), meta=meta)
    if picture is not None:
        title = f"{counts[0][1]} held out, gap {length}"
        drawing = svg_map(regions, grid.areas, made, sides[0], title)
        write_whole(picture, lambda part: part.write_text(drawing, encoding="utf-8"))
    with only_one(out.with_name(f".busy-{out.name}"), f"the table {out.name} is being written", "name another -o",
                  keep=False):  # fmt: skip
        write_portable(written, out)
    maps = tuple((area.names[0], text_map(regions, number, sides[0])) for number, area in enumerate(grid.areas))
    return SplitReport(tuple(counts), maps, tuple(notes))


def _splits(made: MapBlocks, hold: str | None) -> list[tuple[str, Any]]:
    """(column, numbers of held-out blocks) of each split."""
    if hold is not None:
        names = [name.strip() for name in hold.split(",") if name.strip()]
        if not names:
            raise UsageError("--hold names no block", f"known: {', '.join(block.name for block in made.blocks)}")
        return [("split", made.find(names))]
    full = [number for number in range(len(made.blocks)) if (made.of == number).any()]
    if len(full) < 2:
        raise DataError("fewer than two blocks have samples: there are no folds", "cut smaller patches, or more blocks")
    return [(f"fold_{made.blocks[number].name}", np.array([number])) for number in full]


def _remarks(made: MapBlocks, sides: Sequence[Sides], gap: str | None, replaced: Sequence[str]) -> list[str]:
    notes = []
    across, count = int((made.of < 0).sum()), len(made.of)
    if across:
        notes.append(f"{across:,} of {count:,} samples lie across a border of two blocks: they are never tested on")
    if gap is None:
        notes.append("no gap: neighbouring samples may be on both sides (--gap, patch + the reach of positives)")
    if replaced:
        notes.append(f"replaced: {', '.join(replaced)}")
    empty = [block.name for number, block in enumerate(made.blocks) if not (made.of == number).any()]
    if empty:
        notes.append(f"blocks without a sample: {', '.join(empty)}")
    if len(sides) > 1:
        notes.append("training reads the column 'split': --hold BLOCK writes it for one fold")
    return notes
