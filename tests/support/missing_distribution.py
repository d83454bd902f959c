"""An installation without one of its distributions: its entry points are hidden."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import pytest

__all__ = ["hide"]


def hide(monkeypatch: pytest.MonkeyPatch, distribution: str) -> None:
    """Hide the entry points of an installed distribution from now on.

    Args:
        monkeypatch: Undoes it.
        distribution: Name of the distribution.
    """
    every = importlib.metadata.entry_points

    def others(**selection: Any) -> importlib.metadata.EntryPoints:
        kept = (one for one in every(**selection) if one.dist is None or one.dist.metadata["Name"] != distribution)
        return importlib.metadata.EntryPoints(kept)

    monkeypatch.setattr(importlib.metadata, "entry_points", others)
