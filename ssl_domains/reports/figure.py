"""Parts that the SVG figures of a study share: text, marks, and the style of a figure in its own file."""

from __future__ import annotations

import math
from functools import cache
from html import escape
from importlib import resources

__all__ = ["MARKS", "mark", "signed", "standing_alone", "text"]

MARKS = ("circle", "square", "diamond", "up", "down", "cross")
"""Shapes of marks, so that curves differ by more than colour."""


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """A ``<text>`` element with its baseline at ``y``."""
    shown = f' class="{kind}"' if kind else ""
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{shown} x="{x:.1f}" y="{y:.1f}"{placed}>{escape(words)}</text>'


def mark(shape: str, x: float, y: float, size: float, kind: str, says: str = "") -> str:
    """A mark centred at (x, y), about ``2·size`` wide; the text ``says`` is shown on hover."""
    title = f"<title>{escape(says)}</title>" if says else ""
    if shape == "circle":
        return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{size:g}">{title}</circle>'
    s, w = size, size * 1.15
    corners = {
        "square": ((-s, -s), (s, -s), (s, s), (-s, s)),
        "diamond": ((0, -1.3 * s), (1.3 * s, 0), (0, 1.3 * s), (-1.3 * s, 0)),
        "up": ((0, -1.1 * w), (w, 0.8 * w), (-w, 0.8 * w)),
        "down": ((0, 1.1 * w), (w, -0.8 * w), (-w, -0.8 * w)),
        "cross": tuple(
            (s * dx, s * dy)
            for dx, dy in (
                (-1.2, -0.5), (-0.5, -0.5), (-0.5, -1.2), (0.5, -1.2), (0.5, -0.5), (1.2, -0.5),
                (1.2, 0.5), (0.5, 0.5), (0.5, 1.2), (-0.5, 1.2), (-0.5, 0.5), (-1.2, 0.5),
            )
        ),
    }[shape]  # fmt: skip
    path = "M" + "L".join(f"{x + dx:.1f} {y + dy:.1f}" for dx, dy in corners) + "Z"
    return f'<path class="{kind}" d="{path}">{title}</path>'


def signed(value: float) -> str:
    """A difference as text: +0.05, −0.05, 0."""
    if value == 0:
        return "0"
    return f"{value:+.4g}".replace("-", "−")


def short(words: str, room: float, size: float = 7.0) -> str:
    """The text, shortened with "…" to about ``room`` units, at ``size`` units for each letter."""
    most = max(4, math.floor(room / size))
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def standing_alone(svg: str, width: int, height: int) -> str:
    """The figure as the text of an SVG file, with style sheet (light and dark) and background."""
    start, inside = svg.index(">") + 1, svg.rindex("</svg>")
    head = svg[: start - 1] + f' xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
    ground = f'<rect width="{width}" height="{height}" rx="8" style="fill:var(--card)"/>'
    return f"{head}<style>{_style()}</style>{ground}{svg[start:inside]}</svg>\n"


@cache
def _style() -> str:
    folder = resources.files("ssl_domains.reports") / "templates"
    return "".join((folder / name).read_text(encoding="utf-8") for name in ("colours.css", "figures.css"))
