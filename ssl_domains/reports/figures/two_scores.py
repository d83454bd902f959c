"""Arms by two scores at once, as SVG: what an arm keeps of the label over what it keeps of a nuisance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ssl_domains.reports.figure import MARKS, mark, short, standing_alone, text
from ssl_domains.reports.line_chart import nice_ticks

__all__ = ["TwoScores", "TwoScoresPoint"]

_LEFT, _TOP, _PLOT, _BOTTOM, _ENTRY = 52, 30, 300, 46, 18
_LARGEST = 24
"""Room for a mark beside the axes' ends."""


@dataclass(frozen=True)
class TwoScoresPoint:
    """One arm.

    Attributes:
        name: Name of the arm.
        x: Its score along the horizontal axis; NaN leaves the arm out.
        y: Its score along the vertical axis; NaN leaves the arm out.
        low: Lower end of the interval of ``y``; NaN when there is none.
        high: Upper end.
        colour: CSS class of its colour: ``a0`` … ``a3``, or ``k-KIND``, such as ``k-floor``.
        lead: Whether the arm is emphasised.
    """

    name: str
    x: float
    y: float
    low: float
    high: float
    colour: str
    lead: bool = False


@dataclass(frozen=True)
class TwoScores:
    """Arms as marks in the plane of two scores, with a legend below.

    Attributes:
        title: Text for screen readers.
        across: Title of the horizontal axis.
        up: Title of the vertical axis.
        points: One for each arm.
    """

    title: str
    across: str
    up: str
    points: tuple[TwoScoresPoint, ...]

    @property
    def drawn(self) -> tuple[TwoScoresPoint, ...]:
        """The arms that have both scores."""
        return tuple(point for point in self.points if math.isfinite(point.x) and math.isfinite(point.y))

    @property
    def height(self) -> int:
        """Height of the view box, in its units."""
        return _TOP + _PLOT + _BOTTOM + _ENTRY * math.ceil(len(self.drawn) / 2)

    def svg(self, width: int = 480) -> str:
        """The ``<svg>`` element, for a page with ``figures.css``; empty when there is nothing to draw."""
        points = self.drawn
        if not points:
            return ""
        left, right = _ends([point.x for point in points])
        ends = [value for point in points for value in (point.low, point.high) if math.isfinite(value)]
        bottom, top = _ends([*(point.y for point in points), *ends])
        inner = width - _LEFT - _LARGEST

        def at(x: float, y: float) -> tuple[float, float]:
            return _LEFT + (x - left) / (right - left) * inner, _TOP + (top - y) / (top - bottom) * _PLOT

        parts = [
            f'<svg class="figure" viewBox="0 0 {width} {self.height}" role="img" aria-label="{escape(self.title)}">',
            text(2, 16, self.up),
        ]
        for tick in _ticks(bottom, top, 6):
            _, y = at(left, tick)
            parts.append(f'<path class="lines" d="M{_LEFT} {y:.1f}H{_LEFT + inner}"/>')
            parts.append(text(_LEFT - 8, y + 4, f"{tick:.4g}", anchor="end"))
        for tick in _ticks(left, right, max(3, width // 110)):
            x, _ = at(tick, bottom)
            parts.append(f'<path class="lines" d="M{x:.1f} {_TOP}v{_PLOT}"/>')
            parts.append(text(x, _TOP + _PLOT + 16, f"{tick:.4g}", anchor="middle"))
        parts.append(text(_LEFT + inner / 2, _TOP + _PLOT + 32, self.across, anchor="middle"))
        for number, point in enumerate(points):
            x, y = at(point.x, point.y)
            if math.isfinite(point.low) and math.isfinite(point.high):
                (_, lower), (_, upper) = at(point.x, point.low), at(point.x, point.high)
                parts.append(
                    f'<g class="{point.colour}"><path class="whisker" d="M{x:.1f} {lower:.1f}V{upper:.1f}"/></g>'
                )
            says = f"{point.name}: {point.y:.3f}, {point.x:.3f}"
            parts.append(_mark(number, x, y, point, says))
        for number, point in enumerate(points):
            column, row = number % 2, number // 2
            x, y = _LEFT + column * inner / 2, _TOP + _PLOT + _BOTTOM + _ENTRY * (row + 0.6)
            parts.append(_mark(number, x, y - 4, point))
            parts.append(
                text(x + 12, y, short(point.name, inner / 2 - 16, 6.4), "entry lead" if point.lead else "entry")
            )
        parts.append("</svg>")
        return "".join(parts)

    def alone(self, width: int = 480) -> str:
        """The figure as the text of an SVG file."""
        return standing_alone(self.svg(width), width, self.height)


def _mark(number: int, x: float, y: float, point: TwoScoresPoint, says: str = "") -> str:
    shape, hollow = MARKS[number % len(MARKS)], number >= len(MARKS)
    made = mark(shape, x, y, 5.5 if point.lead else 4.2, "point hollow" if hollow else "point", says)
    return f'<g class="{point.colour}">{made}</g>'


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = 0.06 * (high - low) or 0.01
    return low - pad, high + pad


def _ticks(low: float, high: float, count: int) -> list[float]:
    return [tick for tick in nice_ticks(low, high, count) if low <= tick <= high]
