"""Few-label curves as SVG: score over the share of labelled groups, one curve with intervals for each arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ssl_domains.reports.figure import MARKS, mark, short, standing_alone, text
from ssl_domains.reports.line_chart import nice_ticks

__all__ = ["Curve", "CurvePoint", "LabelCurves"]

_LEFT, _TOP, _PLOT, _BOTTOM, _LABELS, _ENTRY = 46, 30, 290, 44, 200, 18
_DIRECT = 640
"""Smallest width at which curves are named at their ends; narrower figures have a legend below."""


@dataclass(frozen=True)
class CurvePoint:
    """A score at a share of labelled groups.

    Attributes:
        fraction: Share of labelled groups, in (0, 1].
        value: The score; NaN leaves the point out.
        low: Lower end of the interval; NaN when there is none.
        high: Upper end.
    """

    fraction: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """One arm.

    Attributes:
        name: Name of the arm.
        colour: CSS class of its colour: ``a0`` … ``a3``, or ``k-KIND``, such as ``k-floor``.
        stroke: ``""``, ``dashed`` or ``dotted``.
        points: Points by ascending fraction.
        lead: Whether the curve is emphasised.
    """

    name: str
    colour: str
    stroke: str
    points: tuple[CurvePoint, ...]
    lead: bool = False

    @property
    def known(self) -> tuple[CurvePoint, ...]:
        """The points that have a value."""
        return tuple(point for point in self.points if math.isfinite(point.value))


@dataclass(frozen=True)
class LabelCurves:
    """Curves of several arms.

    Attributes:
        title: Text for screen readers.
        measure: Title of the vertical axis.
        curves: The curves; more than about ten can't be told apart.
    """

    title: str
    measure: str
    curves: tuple[Curve, ...]

    @property
    def drawn(self) -> tuple[Curve, ...]:
        """The curves that have a point."""
        return tuple(one for one in self.curves if one.known)

    def height(self, width: int) -> int:
        """Height of the view box, in its units."""
        legend = 0 if width >= _DIRECT else 6 + _ENTRY * len(self.drawn)
        return _TOP + _PLOT + _BOTTOM + legend

    def svg(self, width: int = 480) -> str:
        """The ``<svg>`` element, for a page with ``figures.css``; empty when there is nothing to draw."""
        drawn = self.drawn
        if not drawn:
            return ""
        plot = _Plot.of(drawn, width)
        parts = [
            f'<svg class="figure" viewBox="0 0 {width} {self.height(width)}" role="img" '
            f'aria-label="{escape(self.title)}">',
            plot.axes(self.measure),
        ]
        # Emphasised curves are drawn last, above the others.
        for number, one in sorted(enumerate(drawn), key=lambda pair: pair[1].lead):
            parts.append(plot.curve(one, number))
        parts.append(plot.end_labels(drawn) if width >= _DIRECT else plot.legend(drawn))
        parts.append("</svg>")
        return "".join(parts)

    def alone(self, width: int = 480) -> str:
        """The figure as the text of an SVG file."""
        return standing_alone(self.svg(width), width, self.height(width))


@dataclass(frozen=True)
class _Plot:
    """Coordinates of the plot, and the SVG parts drawn in it."""

    width: int
    right: float
    fractions: tuple[float, ...]
    ticks: tuple[float, ...]
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, drawn: Sequence[Curve], width: int) -> _Plot:
        points = [point for one in drawn for point in one.known]
        ends = [value for point in points for value in (point.value, point.low, point.high) if math.isfinite(value)]
        low, high = min(ends), max(ends)
        ticks = nice_ticks(low, high, 5)
        right = width - (_LABELS if width >= _DIRECT else 10)
        fractions = tuple(sorted({point.fraction for point in points}))
        return cls(width, right, fractions, tuple(ticks), min(low, ticks[0]), max(high, ticks[-1]), len(drawn))

    def x(self, fraction: float, number: int) -> float:
        """x of a fraction on a logarithmic axis; curve ``number`` is shifted, so that intervals lie side by side."""
        apart = min(6.0, (0.3 if len(self.fractions) > 1 else 0.8) * self._step() / max(1, self.count))
        return self._centre(fraction) + (number - (self.count - 1) / 2) * apart

    def _step(self) -> float:
        return (self.right - _LEFT) / max(1, len(self.fractions))

    def _centre(self, fraction: float) -> float:
        first, last = math.log(self.fractions[0]), math.log(self.fractions[-1])
        if first == last:
            return (_LEFT + self.right) / 2
        room = min(40.0, 0.16 * (self.right - _LEFT))
        across = (math.log(fraction) - first) / (last - first)
        return _LEFT + room + across * (self.right - _LEFT - 2 * room)

    def y(self, value: float) -> float:
        return _TOP + (self.high - value) / (self.high - self.low) * _PLOT

    def axes(self, measure: str) -> str:
        end = _TOP + _PLOT
        lines = "".join(f"M{_LEFT} {self.y(tick):.1f}H{self.right:.1f}" for tick in self.ticks)
        lines += "".join(f"M{self._centre(one):.1f} {end}v5" for one in self.fractions)
        parts = [f'<path class="lines" d="{lines}"/>']
        parts += [
            text(_LEFT - 6, self.y(tick) + 4, f"{tick:.4g}".replace("-", "−"), anchor="end") for tick in self.ticks
        ]
        parts += [text(self._centre(one), end + 19, f"{100 * one:.3g} %", anchor="middle") for one in self.fractions]
        middle = (_LEFT + self.right) / 2
        parts.append(text(middle, end + 36, "share of the training groups with labels", anchor="middle"))
        parts.append(text(4, 15, measure, "entry"))
        return "".join(parts)

    def curve(self, one: Curve, number: int) -> str:
        lead = " lead" if one.lead else ""
        places = [(self.x(point.fraction, number), point) for point in one.known]
        parts = []
        for x, point in places:
            if math.isfinite(point.low) and math.isfinite(point.high):
                top, bottom = self.y(point.high), self.y(point.low)
                path = f"M{x:.1f} {top:.1f}V{bottom:.1f}M{x - 2:.1f} {top:.1f}h4M{x - 2:.1f} {bottom:.1f}h4"
                parts.append(f'<path class="whisker {one.colour}" d="{path}"/>')
        if len(places) > 1:
            path = "M" + "L".join(f"{x:.1f} {self.y(point.value):.1f}" for x, point in places)
            parts.append(f'<path class="curve {one.colour} {one.stroke}{lead}" d="{path}"/>')
        for x, point in places:
            says = f"{one.name}, {100 * point.fraction:.3g} %: {point.value:.3f}"
            if math.isfinite(point.low):
                says += f" ({point.low:.3f} to {point.high:.3f})"
            parts.append(self._mark(one, number, x, self.y(point.value), says))
        return "".join(parts)

    def _mark(self, one: Curve, number: int, x: float, y: float, says: str = "") -> str:
        hollow = " hollow" if one.stroke else ""
        size = 4.6 if one.lead else 3.6
        return mark(MARKS[number % len(MARKS)], x, y, size, f"point {one.colour}{hollow}", says)

    def end_labels(self, drawn: Sequence[Curve]) -> str:
        """Names at the ends of the curves, moved apart where they would overlap."""
        order = sorted(range(len(drawn)), key=lambda number: self.y(drawn[number].known[-1].value))
        wanted = [self.y(drawn[number].known[-1].value) for number in order]
        placed = _apart(wanted, 16.0, _TOP + 4, _TOP + _PLOT)
        parts = []
        for number, target, y in zip(order, wanted, placed, strict=True):
            one, start = drawn[number], self.x(drawn[number].known[-1].fraction, number) + 7
            path = f"M{start:.1f} {target:.1f}L{self.right + 2:.1f} {target:.1f}L{self.right + 12:.1f} {y:.1f}h4"
            parts.append(f'<path class="leader {one.colour}" d="{path}"/>')
            parts.append(self._mark(one, number, self.right + 22, y))
            words = short(one.name, _LABELS - 34, 6.6)
            parts.append(text(self.right + 31, y + 4, words, "entry lead" if one.lead else "entry"))
        return "".join(parts)

    def legend(self, drawn: Sequence[Curve]) -> str:
        parts = []
        # In the order of the last points, from top to bottom.
        order = sorted(range(len(drawn)), key=lambda number: -drawn[number].known[-1].value)
        for place, number in enumerate(order):
            one, y = drawn[number], _TOP + _PLOT + _BOTTOM + 8 + _ENTRY * place
            lead = " lead" if one.lead else ""
            parts.append(f'<path class="curve {one.colour} {one.stroke}{lead}" d="M{_LEFT} {y}h34"/>')
            parts.append(self._mark(one, number, _LEFT + 17, y))
            words = short(one.name, self.width - _LEFT - 50, 6.6)
            parts.append(text(_LEFT + 44, y + 4, words, "entry lead" if one.lead else "entry"))
        return "".join(parts)


def _apart(wanted: Sequence[float], least: float, top: float, bottom: float) -> list[float]:
    """Ascending positions near ``wanted``, at least ``least`` apart, between ``top`` and ``bottom`` if possible."""
    placed: list[float] = []
    for y in wanted:
        placed.append(max(y, placed[-1] + least) if placed else max(y, top))
    limit = max(bottom, top + least * (len(placed) - 1))
    for number in range(len(placed) - 1, -1, -1):
        placed[number] = min(placed[number], limit)
        limit = placed[number] - least
    return placed
