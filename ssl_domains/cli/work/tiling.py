"""The tiling that ``--tile`` and ``--overlap`` ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssl_domains.errors import UsageError

if TYPE_CHECKING:
    from ssl_domains.views import Tiling

__all__ = ["tiling_of"]


def tiling_of(tile: bool, overlap: float) -> Tiling | None:
    """The tiling of these options; None without ``--tile``.

    Raises:
        UsageError: For an overlap without ``--tile``, or outside [0, 1).
    """
    from ssl_domains.views import Tiling

    if overlap and not tile:
        raise UsageError("--overlap is for --tile", "add --tile")
    return Tiling(overlap) if tile else None
