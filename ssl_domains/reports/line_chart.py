"""Line charts as inline SVG; colours come from the style sheet of the page, for light, dark and print."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["LineChart", "Series", "nice_ticks"]

Point = tuple[float, float]

_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 8, 22


@dataclass(frozen=True)
class Series:
    """One line: its name and its finite points, ordered by x."""

    name: str
    points: tuple[Point, ...]

    @classmethod
    def of(cls, name: str, xs: Sequence[float], ys: Sequence[float | None]) -> Series:
        """A series of the points with a finite value; None is left out."""
        pairs = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True) if y is not None]
        return cls(name, tuple(pair for pair in pairs if math.isfinite(pair[1])))


@dataclass(frozen=True)
class LineChart:
    """One or a few series over training steps.

    Attributes:
        title: Title of the chart.
        about: One line on how to read it.
        series: The series; nothing is drawn when none has a point.
        width: Width of the view box, in its units.
        height: Height of the view box.
        from_zero: Whether the value axis starts at 0.
    """

    title: str
    about: str
    series: tuple[Series, ...]
    width: int = 320
    height: int = 150
    from_zero: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(one.points for one in self.series)

    @property
    def last(self) -> float | None:
        """The last value of the first series."""
        return self.series[0].points[-1][1] if self.series and self.series[0].points else None

    def svg(self) -> str:
        """The ``<svg>`` element; its data is in an attribute, which the page's script reads on hover."""
        drawn = [one for one in self.series if one.points]
        xs = [x for one in drawn for x, _ in one.points]
        ys = [y for one in drawn for _, y in one.points]
        low, high = min([*ys, 0.0]) if self.from_zero else min(ys), max(ys)
        y_ticks = nice_ticks(low, 1.0 if self.from_zero and low == high == 0.0 else high, 4)
        x_ticks = nice_ticks(min(xs), max(xs), 5, whole=True)
        x_low, x_high = min(xs), max(max(xs), min(xs) + 1)
        y_low, y_high = min(y_ticks[0], min(ys)), max(y_ticks[-1], max(ys))

        def at(x: float, y: float) -> tuple[float, float]:
            across = (x - x_low) / (x_high - x_low)
            up = (y - y_low) / (y_high - y_low)
            return (
                round(_LEFT + across * (self.width - _LEFT - _RIGHT), 1),
                round(self.height - _BOTTOM - up * (self.height - _TOP - _BOTTOM), 1),
            )

        parts = [
            f'<svg class="chart" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(self.title)}" data-series="{escape(self._data(drawn, at))}">'
        ]
        for tick in y_ticks:
            _, y = at(x_low, tick)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{y}" y2="{y}"/>')
            parts.append(f'<text class="tick" x="{_LEFT - 6}" y="{y + 3.5}" text-anchor="end">{_short(tick)}</text>')
        for tick in x_ticks:
            if x_low <= tick <= x_high:
                x, _ = at(tick, y_low)
                anchor, x = ("middle", x) if x < self.width - _RIGHT - 12 else ("end", self.width - 1)
                text = f'<text class="tick" x="{x}" y="{self.height - 6}" text-anchor="{anchor}">{_short(tick)}</text>'
                parts.append(text)
        for number, one in enumerate(drawn):
            places = [at(x, y) for x, y in one.points]
            if len(places) == 1:
                parts.append(f'<circle class="dot c{number}" cx="{places[0][0]}" cy="{places[0][1]}" r="3"/>')
            else:
                path = "M" + " L".join(f"{x} {y}" for x, y in places)
                parts.append(f'<path class="line c{number}" d="{path}"/>')
        parts.append("</svg>")
        return "".join(parts)

    @staticmethod
    def _data(drawn: Sequence[Series], at: object) -> str:
        assert callable(at)
        rows = [{"name": one.name, "points": [[x, y, *at(x, y)] for x, y in one.points]} for one in drawn]
        return json.dumps(rows, separators=(",", ":"))


def nice_ticks(low: float, high: float, count: int, whole: bool = False) -> list[float]:
    """About ``count`` round numbers that span ``low`` to ``high``; with ``whole``, integers."""
    if not high > low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / max(1, count)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.999)
    if whole:
        step = max(1.0, math.ceil(step))
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _short(value: float) -> str:
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    if 0 < abs(value) < 0.001:
        digits, _, power = f"{value:.2e}".partition("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value:.4g}".replace("-", "−")
