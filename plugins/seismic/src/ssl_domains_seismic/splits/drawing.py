"""The map of a split: which samples train and test, and the dropped gap, as text and as an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import Regions
from ssl_domains_seismic.splits.blocks import Block, MapBlocks, Sides
from ssl_domains_seismic.splits.common_grid import Area

__all__ = ["svg_map", "text_map"]

_ROWS, _COLUMNS = 16, 60
_FINE = 120  # cells along each side of the SVG picture
_MARKS = " ·▒█"
_NOTHING, _DROPPED, _TRAIN, _TEST = range(4)
_COLOURS = {_DROPPED: "#dddddd", _TRAIN: "#56b4e9", _TEST: "#d55e00"}
_NAMES = {_TRAIN: "train", _TEST: "test", _DROPPED: "dropped"}
_WIDE = 640  # pixels
_SHARP = 'shape-rendering="crispEdges"'  # no light lines between neighbouring polygons


def text_map(regions: Regions, area: int, sides: Sides) -> list[str]:
    """Lines of text, inlines downwards and crosslines to the right: █ test, ▒ train, · dropped; blank without samples.

    A mark stands for several cells of the map: it shows test before training, and training before what is dropped.
    """
    cells = _cells(regions, area, sides, (_ROWS, _COLUMNS))[0]
    return ["".join(_MARKS[one] for one in line) for line in cells.tolist()]


def svg_map(regions: Regions, areas: Sequence[Area], made: MapBlocks, sides: Sides, title: str) -> str:
    """An SVG picture of all areas, one below the other: in map coordinates where they are known, else in bins."""
    parts, top = [], 40.0
    for number, area in enumerate(areas):
        blocks = [block for block in made.blocks if block.area == number]
        drawn, height = _area(regions, number, area, blocks, sides, top + 24)
        parts += [_text(8, top + 12, area.names[0] + (f" and {len(area.names) - 1:,} more" if area.names[1:] else ""))]
        parts += drawn
        top += height + 48
    legend = [
        f'<rect x="{8 + 90 * k}" y="26" width="12" height="12" fill="{_COLOURS[kind]}"/>{_text(24 + 90 * k, 37, name)}'
        for k, (kind, name) in enumerate(_NAMES.items())
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDE + 16}" height="{top:.0f}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="100%" fill="white"/>{_text(8, 18, title)}', *legend, *parts, "</svg>", "",
    ])  # fmt: skip


def _cells(
    regions: Regions, area: int, sides: Sides, most: tuple[int, int]
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """What each cell of the map shows, int64 ``[rows, columns]``, and the edges of rows and of columns in bins."""
    own = regions.arrays == area
    low, high = regions.starts[own, :2].min(axis=0), regions.stops[own, :2].max(axis=0)
    edges = [
        np.linspace(low[axis], high[axis], num=min(most[axis], int(high[axis] - low[axis])) + 1).round().astype(int)
        for axis in (0, 1)
    ]
    shown = np.full([len(one) - 1 for one in edges], _NOTHING, dtype=np.int64)
    for kind, chosen in ((_DROPPED, sides.near | sides.across), (_TRAIN, sides.train), (_TEST, sides.test)):
        rows = np.flatnonzero(own & chosen)
        first = [np.searchsorted(edges[a], regions.starts[rows, a], side="right") - 1 for a in (0, 1)]
        behind = [np.searchsorted(edges[a], regions.stops[rows, a], side="left") for a in (0, 1)]
        changes = np.zeros([len(one) for one in edges], dtype=np.int64)
        for i, x, sign in ((first[0], first[1], 1), (behind[0], first[1], -1), (first[0], behind[1], -1),
                           (behind[0], behind[1], 1)):  # fmt: skip
            np.add.at(changes, (i, x), sign)
        shown[changes.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0] = kind
    return shown, edges


def _area(
    regions: Regions, number: int, area: Area, blocks: Sequence[Block], sides: Sides, top: float
) -> tuple[list[str], float]:
    """SVG elements of one area, and their height in pixels."""
    cells, edges = _cells(regions, number, sides, (_FINE, _FINE))

    def place(inline: float, crossline: float) -> NDArray[np.float64]:
        """x to the right and y downwards of a corner of a cell."""
        if area.fit is None:
            return np.array([crossline, inline])
        x, y = area.fit.at(np.array([inline - 0.5]), np.array([crossline - 0.5]))[0]
        return np.array([x, -y])

    ends = [(edges[0][i], edges[1][x]) for i in (0, -1) for x in (0, -1)]
    corners = np.array([place(float(i), float(x)) for i, x in ends])
    origin, size = corners.min(axis=0), np.ptp(corners, axis=0)
    scale = _WIDE / float(size.max())

    def polygon(i: tuple[int, int], x: tuple[int, int]) -> str:
        turn = [(i[0], x[0]), (i[0], x[1]), (i[1], x[1]), (i[1], x[0])]
        points = [(place(float(a), float(b)) - origin) * scale + np.array([8.0, top]) for a, b in turn]
        return " ".join(f"{p[0]:.1f},{p[1]:.1f}" for p in points)

    drawn = []
    for row, line in enumerate(cells):
        starts = np.flatnonzero(np.diff(line, prepend=-1))
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(line)], strict=True):
            if line[start] != _NOTHING:
                points = polygon((edges[0][row], edges[0][row + 1]), (edges[1][start], edges[1][stop]))
                drawn.append(f'<polygon points="{points}" fill="{_COLOURS[int(line[start])]}" {_SHARP}/>')
    for block in blocks:
        points = polygon((block.low[0], block.high[0]), (block.low[1], block.high[1]))
        middle = place((block.low[0] + block.high[0]) / 2, (block.low[1] + block.high[1]) / 2)
        at = (middle - origin) * scale + np.array([8.0, top])
        drawn.append(f'<polygon points="{points}" fill="none" stroke="black" stroke-width="0.7"/>')
        drawn.append(_text(float(at[0]) - 10, float(at[1]) + 4, block.name.rpartition(":")[2]))
    return drawn, float(size[1]) * scale


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
