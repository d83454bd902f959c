"""Paired differences as SVG: a row a contrast, with its interval, a dot for every group and a mark for every seed."""

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
        label: What is compared, first less second.
        says: Its numbers in words.
        value: The difference.
        low: Lower end of the interval; NaN when there is none.
        high: Upper end.
        groups: Difference of each group; NaN is left out.
        seeds: Difference of each seed; NaN is left out.
        primary: Whether it is the one named before running.
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
    """Contrasts under one axis.

    Attributes:
        title: What is shown, for those who can't see it.
        axis: What the axis measures.
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
        """Units of the view box."""
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
        # Lines stop at the words of a row, which could not be read across them.
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
        parts.append(_legend(width, end + 48))
        parts.append("</svg>")
        return "".join(parts)

    def alone(self, width: int = 480) -> str:
        """The figure as a file of its own."""
        return standing_alone(self.svg(width), width, self.height)


def _range(rows: Sequence[DotRow]) -> tuple[float, float]:
    """All intervals and seeds, and nine in ten of a row's groups: one wild group must not hide the rest."""
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


def _row(row: DotRow, top: float, width: int, at: object, seen: tuple[float, float]) -> str:
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
    inside = [value for value in row.groups if math.isfinite(value) and seen[0] <= value <= seen[1]]
    if inside:
        dense = len(inside) > 150
        spots = _swarm([at(value) for value in inside], 2.6 if dense else 4.4, _CLOUD)
        path = "".join(f"M{x:.1f} {middle + y:.1f}h0" for x, y in spots)
        parts.append(f'<path class="cloud{" dense" if dense else ""}" d="{path}"/>')
    below = sum(value < seen[0] for value in row.groups)
    above = sum(value > seen[1] for value in row.groups)
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
    """Dots at their x, heaped about the middle where they would cover each other; high heaps are squeezed."""
    heaps: dict[int, list[float]] = {}
    for x in sorted(places):
        heaps.setdefault(math.floor(x / step), []).append(x)
    tallest = max(len(heap) for heap in heaps.values())
    apart = min(step, (room - step) / max(1, tallest - 1))
    return [(x, (number - (len(heap) - 1) / 2) * apart) for heap in heaps.values() for number, x in enumerate(heap)]


def _tick(x: float, y: float, value: float, width: int) -> str:
    anchor = "start" if x < 22 else "end" if x > width - 22 else "middle"
    return text({"start": 2.0, "end": width - 2.0}.get(anchor, x), y, signed(value), anchor=anchor)


def _legend(width: int, y: float) -> str:
    x = max(4.0, width / 2 - 168)
    return "".join(
        (
            f'<path class="cloud" d="M{x + 5:.1f} {y - 4:.1f}h0"/>', text(x + 13, y, "a group"),
            mark("up", x + 80, y - 4, 3.4, "seed"), text(x + 88, y, "a seed, all groups"),
            f'<path class="span" d="M{x + 202:.1f} {y - 4:.1f}h22"/>', mark("diamond", x + 213, y - 4, 4.0, "mean"),
            text(x + 230, y, "mean, 95 % interval"),
        )
    )  # fmt: skip
