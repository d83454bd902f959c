"""The kinds of input, one file for each family of formats."""

from __future__ import annotations

from fuzzing.kind import Kind
from fuzzing.kinds import (
    audio,
    documents,
    fisheye,
    folders,
    interpretation,
    lines,
    medical,
    pictures,
    seismic,
    settings,
    tables,
)
from fuzzing.kinds.shared import make_shared

__all__ = ["KINDS", "make_shared"]

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        *medical.KINDS,
        *seismic.KINDS,
        *interpretation.KINDS,
        *audio.KINDS,
        *lines.KINDS,
        *documents.KINDS,
        *pictures.KINDS,
        *fisheye.KINDS,
        *tables.KINDS,
        *settings.KINDS,
        *folders.KINDS,
    )
}
"""Every kind by its name."""
