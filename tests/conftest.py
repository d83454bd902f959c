"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets, or a skip that says why."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SSL_DOMAINS_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip("the real data sets are not here (set SSL_DOMAINS_SHARED_DATA)")
    return folder
