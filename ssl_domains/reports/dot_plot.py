"""Paired differences as SVG: one row for each contrast, with its interval, a dot per group and a mark per seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ssl_domains.reports.figure import mark, short, signed, standing_alone, text
from ssl_domains.reports.line_chart import nice_ticks

__all__ = ["DotPlot", "DotRow"]

_SIDE, _TOP, _ROW, _HEAD, _CLOUD, _BOTTOM = 14, 24, 90, 37, 26, 56


@dataclass(frozen=True)
class DotRow:
    """One contrast.

    Attributes:
        label: Names of the arms, ``first − second``.
        says: The numbers as text.
        value: The difference.
        low: Lower end of the interval; NaN when there is none.
        high: Upper end.
        groups: Difference of each group; NaN is left out.
        seeds: Difference of each seed; NaN is left out.
        primary: Whether it is the primary contrast.
    """

    label: str
    says: str
    value: float
    low: float
    high: float
    groups: tuple[float, ...]
    seeds: tuple[float, ...]
    primary: bool = False


@dataclass(frozen=True)
class DotPlot:
    """Contrasts over a common axis.

    Attributes:
        title: Text for screen readers.
        axis: Title of the axis.
        rows: From top to bottom; a row without a value is left out.
    """

    title: str
    axis: str
    rows: tuple[DotRow, ...]

    @property
    def drawn(self) -> tuple[DotRow, ...]:
        """The rows that have a value."""
        return tuple(row for row in self.rows if math.isfinite(row.value))

    @property
    def height(self) -> int:
        """Height of the view box, in its units."""
        return _TOP + _ROW * len(self.drawn) + _BOTTOM

    def svg(self, width: int = 480) -> str:
        """The ``<svg>`` element, for a page with ``figures.css``; empty when there is nothing to draw."""
        rows = self.drawn
        if not rows:
            return ""
        low, high = _range(rows)
        ticks = [tick for tick in nice_ticks(low, high, max(4, width // 110)) if low <= tick <= high]
        inner = width - 2 * _SIDE

        def at(value: float) -> float:
            return _SIDE + (min(max(value, low), high) - low) / (high - low) * inner

        end = _TOP + _ROW * len(rows)
        parts = [
            f'<svg class="figure" viewBox="0 0 {width} {self.height}" role="img" aria-label="{escape(self.title)}">'
        ]
        for number, row in enumerate(rows):
            if row.primary:
                parts.append(
                    f'<rect class="band" x="0" y="{_TOP + _ROW * number + 1}" width="{width}" height="{_ROW - 2}"/>'
                )
        # Grid lines end below the text of a row, so that the text stays readable.
        tops = [_TOP + _ROW * number + _HEAD for number in range(len(rows))]
        grid = "".join(f"M{at(tick):.1f} {top}v{_ROW - _HEAD}" for top in tops for tick in ticks if tick != 0)
        zero = "".join(f"M{at(0):.1f} {top}v{_ROW - _HEAD}" for top in tops)
        parts.append(f'<path class="lines" d="{grid}"/><path class="zero" d="{zero}"/>')
        parts.append(text(at(0) - 6, _TOP - 9, "← second is better", anchor="end") if at(0) > 120 else "")
        parts.append(text(at(0) + 6, _TOP - 9, "first is better →") if width - at(0) > 120 else "")
        for number, row in enumerate(rows):
            parts.append(_row(row, _TOP + _ROW * number, width, at, (low, high)))
        parts += [_tick(at(tick), end + 16, tick, width) for tick in ticks]
        parts.append(text(width / 2, end + 31, self.axis, anchor="middle"))
        ends = any(math.isfinite(row.low) and math.isfinite(row.high) for row in rows)
        parts.append(_legend(width, end + 48, ends))
        parts.append("</svg>")
        return "".join(parts)

    def alone(self, width: int = 480) -> str:
        """The figure as the text of an SVG file."""
        return standing_alone(self.svg(width), width, self.height)


def _range(rows: Sequence[DotRow]) -> tuple[float, float]:
    """(low, high) of the axis: all intervals and seeds, and the middle 90 % of each row's groups.

    Groups outside are only counted at the margin, so that outliers do not squeeze the others.
    """
    ends = [0.0]
    for row in rows:
        ends += [value for value in (row.value, row.low, row.high, *row.seeds) if math.isfinite(value)]
        known = sorted(value for value in row.groups if math.isfinite(value))
        if known:
            cut = len(known) // 20
            ends += [known[cut], known[len(known) - 1 - cut]]
    low, high = min(ends), max(ends)
    pad = 0.04 * (high - low) or 0.01
    return low - pad, high + pad


def _row(row: DotRow, top: float, width: int, at: object, limits: tuple[float, float]) -> str:
    assert callable(at)
    kind = " primary" if row.primary else ""
    label = short(row.label, width - 2 * _SIDE - (62 if row.primary else 0), 7.2)
    parts = [
        text(_SIDE, top + 16, label, "name" + kind),
        text(_SIDE, top + 31, short(row.says, width - 2 * _SIDE, 5.6), "says"),
    ]
    if row.primary:
        parts.append(text(width - _SIDE, top + 16, "primary", "says primary lead", "end"))
    middle = top + _HEAD + _CLOUD / 2 + 1
    inside = [value for value in row.groups if math.isfinite(value) and limits[0] <= value <= limits[1]]
    if inside:
        dense = len(inside) > 150
        spots = _swarm([at(value) for value in inside], 2.6 if dense else 4.4, _CLOUD)
        path = "".join(f"M{x:.1f} {middle + y:.1f}h0" for x, y in spots)
        parts.append(f'<path class="cloud{" dense" if dense else ""}" d="{path}"/>')
    below = sum(value < limits[0] for value in row.groups)
    above = sum(value > limits[1] for value in row.groups)
    if below:
        parts.append(text(2, middle + 4, f"◂ {below}", "beyond"))
    if above:
        parts.append(text(width - 2, middle + 4, f"{above} ▸", "beyond", "end"))
    line = top + _HEAD + _CLOUD + 11
    if math.isfinite(row.low) and math.isfinite(row.high):
        left, right = at(row.low), at(row.high)
        parts.append(f'<path class="span{kind}" d="M{left:.1f} {line}H{right:.1f}"/>')
    for value in row.seeds:
        if math.isfinite(value):
            parts.append(mark("up", at(value), line + 8.5, 3.4, "seed" + kind, f"a seed: {signed(value)}"))
    parts.append(mark("diamond", at(row.value), line, 4.6, "mean" + kind, f"mean: {signed(row.value)}"))
    return "".join(parts)


def _swarm(places: Sequence[float], step: float, room: float) -> list[tuple[float, float]]:
    """(x, y) of dots: dots with nearly equal x are stacked around y = 0; high stacks are compressed to ``room``."""
    heaps: dict[int, list[float]] = {}
    for x in sorted(places):
        heaps.setdefault(math.floor(x / step), []).append(x)
    tallest = max(len(heap) for heap in heaps.values())
    apart = min(step, (room - step) / max(1, tallest - 1))
    return [(x, (number - (len(heap) - 1) / 2) * apart) for heap in heaps.values() for number, x in enumerate(heap)]


def _tick(x: float, y: float, value: float, width: int) -> str:
    anchor = "start" if x < 22 else "end" if x > width - 22 else "middle"
    return text({"start": 2.0, "end": width - 2.0}.get(anchor, x), y, signed(value), anchor=anchor)


def _legend(width: int, y: float, intervals: bool) -> str:
    x = max(4.0, width / 2 - 168)
    span = f'<path class="span" d="M{x + 202:.1f} {y - 4:.1f}h22"/>' if intervals else ""
    return "".join(
        (
            f'<path class="cloud" d="M{x + 5:.1f} {y - 4:.1f}h0"/>', text(x + 13, y, "a group"),
            mark("up", x + 80, y - 4, 3.4, "seed"), text(x + 88, y, "a seed, all groups"),
            span, mark("diamond", x + 213, y - 4, 4.0, "mean"),
            text(x + 230, y, "mean, 95 % interval" if intervals else "mean"),
        )
    )  # fmt: skip
