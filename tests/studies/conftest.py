"""Fixtures of the studies."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small study's pictures and their store are."""
    return tmp_path_factory.mktemp("pictures")
