"""Bar charts as inline SVG; colours come from the style sheet of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["histogram", "share_bar"]

_WIDTH, _HEIGHT = 460, 170
_TOP, _BOTTOM, _SIDE = 22, 44, 8
_LONG = 5  # longest name that is written on one line, in characters


def histogram(title: str, counts: Sequence[tuple[str, int]], unit: str) -> str:
    """Vertical bars with counts above and names below, as an ``<svg>`` element.

    Args:
        title: Text for screen readers.
        counts: (name, count) from left to right; a long name such as ``513-1024`` is written on two lines. Empty gives
            an empty chart.
        unit: Unit of the names, such as ``samples in a group``; written below the axis.
    """
    most = max([count for _, count in counts], default=0) or 1
    step = (_WIDTH - 2 * _SIDE) / max(len(counts), 5)
    floor = _HEIGHT - _BOTTOM
    parts = [f'<svg class="bars" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">']
    for k, (name, count) in enumerate(counts):
        height = max(1.5, count / most * (floor - _TOP)) if count else 0.0
        left, middle = _SIDE + k * step + step * 0.12, _SIDE + (k + 0.5) * step
        parts.append(
            f'<rect class="bar" x="{left:.1f}" y="{floor - height:.1f}" width="{step * 0.76:.1f}" height="{height:.1f}"'
            f' rx="2"><title>{escape(name)}: {count:,}</title></rect>'
            f'<text class="tick" x="{middle:.1f}" y="{floor - height - 5:.1f}" text-anchor="middle">{count:,}</text>'
        )
        first, dash, second = name.partition("-")
        lines = [first + "–", second] if dash and len(name) > _LONG else [name.replace("-", "–")]
        for line, text in enumerate(lines):
            y = floor + 14 + 12 * line
            parts.append(f'<text class="tick" x="{middle:.1f}" y="{y}" text-anchor="middle">{escape(text)}</text>')
    parts.append(f'<line class="grid" x1="{_SIDE}" x2="{_WIDTH - _SIDE}" y1="{floor}" y2="{floor}"/>')
    parts.append(f'<text class="tick" x="{_SIDE}" y="{_HEIGHT - 4}">{escape(unit)}</text></svg>')
    return "".join(parts)


def share_bar(title: str, share: float, mark: float | None = None) -> str:
    """A horizontal bar for a share in [0, 1], with a line at ``mark``; an ``<svg>`` element."""
    width, height = 150, 14
    full = min(max(share, 0.0), 1.0) * width
    line = ""
    if mark is not None:
        x = min(max(mark, 0.0), 1.0) * (width - 2) + 1
        line = f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>'
    return (
        f'<svg class="share" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f'<rect class="track" x="0" y="3" width="{width}" height="8" rx="4"/>'
        f'<rect class="bar" x="0" y="3" width="{full:.1f}" height="8" rx="4"/>{line}</svg>'
    )
