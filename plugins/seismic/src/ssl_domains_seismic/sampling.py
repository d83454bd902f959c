"""Samples of a volume: which sections or patches along which axis, and which part of the survey."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["ALONG", "OPTIONS", "Sampling", "sampling_of"]

ALONG = ("inline", "crossline", "depth")
OPTIONS = ("along", "blocks", "channels", "edges", "every", "il", "live", "ms", "patch", "stride", "xl")
"""Options of `sampling_of`."""

Range = tuple[float | None, float | None]


@dataclass(frozen=True)
class Sampling:
    """How samples are cut out of a volume.

    Attributes:
        along: The axes; a sample along ``inline`` is (a part of) one inline, ``[time, crossline]``; along ``crossline``
            one crossline, ``[time, inline]``; along ``depth`` one time slice, ``[inline, crossline]``.
        patch: Rows and columns of a patch; None for whole sections.
        stride: Distance of neighbouring patches, rows and columns; None for patches side by side.
        edges: Whether one more patch ends at the last line and sample, where patches at the stride leave a rest.
        every: Distance of neighbouring sections, in bins.
        channels: Neighbouring sections in a sample, an odd number; the middle one is the sample's place.
        inline: First and last inline number.
        crossline: First and last crossline number.
        vertical: First and last time in ms, or depth in m.
        live: Least share of traces with data.
        blocks: In how many equal parts the inlines and the crosslines are divided, for splits.
    """

    along: tuple[str, ...] = ("inline",)
    patch: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    edges: bool = False
    every: int = 1
    channels: int = 1
    inline: Range = (None, None)
    crossline: Range = (None, None)
    vertical: Range = (None, None)
    live: float = 0.5
    blocks: tuple[int, int] = (1, 1)


def sampling_of(options: Mapping[str, Any]) -> Sampling:
    """Read the options of the command line; an option that is missing or None has its default.

    Args:
        options: Values by the names of `OPTIONS`; other names are left alone.

            - ``along``: Axes of the samples: ``inline``, ``crossline``, ``depth``, joined by commas.
            - ``patch``: Side of a patch in bins, ``"64"`` or ``"96x64"`` for rows and columns; else whole sections.
            - ``stride``: Distance of neighbouring patches, likewise.
            - ``edges``: True for patches that cover the rest at the ends, too.
            - ``every``: Distance of neighbouring sections, bins.
            - ``channels``: Neighbouring sections in a sample, an odd number.
            - ``il``: First and last inline number, ``"100:500"``.
            - ``xl``: First and last crossline number.
            - ``ms``: First and last time in ms, or depth in m.
            - ``live``: Least share of traces with data.
            - ``blocks``: Parts of the inlines and of the crosslines, ``"2x4"``, for the column ``block``.

    Raises:
        UsageError: For a value that can't be read.
    """
    given: dict[str, Any] = {name: options[name] for name in OPTIONS if options.get(name) is not None}
    axes = tuple(dict.fromkeys(word.strip() for word in given.get("along", "inline").split(",")))
    for word in axes:
        if word not in ALONG:
            raise UsageError(f"--along {word!r} is no axis", did_you_mean(word, ALONG))
    if "stride" in given and "patch" not in given:
        raise UsageError("--stride without --patch", "add --patch 64: whole sections have no stride")
    every, channels, live = given.get("every", 1), given.get("channels", 1), given.get("live", 0.5)
    if every < 1:
        raise UsageError(f"--every {every} is no distance of sections", "give a number of bins of at least 1")
    if channels < 1 or channels % 2 == 0:
        raise UsageError(
            f"--channels {channels} has no section in the middle",
            "give an odd number: the section and as many on either side",
        )
    if not 0 <= live <= 1:
        raise UsageError(f"--live {live:g} is no share", "give a share from 0 to 1")
    return Sampling(
        along=axes,
        patch=_sides("--patch", given.get("patch")),
        stride=_sides("--stride", given.get("stride")),
        edges=bool(given.get("edges", False)),
        every=every,
        channels=channels,
        inline=_range("--il", given.get("il")),
        crossline=_range("--xl", given.get("xl")),
        vertical=_range("--ms", given.get("ms")),
        live=live,
        blocks=_sides("--blocks", given.get("blocks")) or (1, 1),
    )


def _sides(flag: str, text: str | None) -> tuple[int, int] | None:
    """``64`` or ``96x64``: rows and columns."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+)\s*(?:[x×,]\s*(\d+)\s*)?", text)
    sides = (0, 0) if found is None else (int(found[1]), int(found[2] or found[1]))
    if min(sides) < 1:
        usual = "2x4" if flag == "--blocks" else f"64, or {flag} 96x64"
        raise UsageError(f"{flag} {text!r} is not one or two whole numbers from 1 on", f"write {flag} {usual}")
    return sides


def _range(flag: str, text: str | None) -> Range:
    """``100:500``, ``100:`` or ``:500``: first and last, both included."""
    if text is None:
        return None, None
    number = r"\s*(-?\d+(?:\.\d+)?)?\s*"
    found = re.fullmatch(f"{number}:{number}", text)
    if found is None or not (found[1] or found[2]):
        raise UsageError(f"{flag} {text!r} is no range", f"write {flag} 100:500, {flag} 100: or {flag} :500")
    first, last = (float(end) if end else None for end in found.groups())
    if first is not None and last is not None and first > last:
        raise UsageError(f"{flag} {text} begins behind its end", f"write {flag} {last:g}:{first:g}")
    return first, last
