"""Fixtures of the studies."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def small_study() -> ModuleType:
    """`small_study.py` as a module that the processes of a study can import too."""
    folder = str(Path(__file__).parent)
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("small_study")


@pytest.fixture(scope="session")
def made_up_study(small_study: ModuleType) -> ModuleType:
    """`made_up_study.py`: results of studies that nobody ran."""
    return importlib.import_module("made_up_study")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small study's pictures and their store are."""
    return tmp_path_factory.mktemp("pictures")
