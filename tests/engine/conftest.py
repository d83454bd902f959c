"""The small run, for the tests that need a whole one."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_FILE = Path(__file__).with_name("small_run.py")


@pytest.fixture(scope="session")
def small_run() -> ModuleType:
    """`small_run.py` as a module; ``small_run.__file__`` is the program."""
    spec = importlib.util.spec_from_file_location("small_run", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["small_run"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where its data lies; made by the first run."""
    return tmp_path_factory.mktemp("small") / "data"


@pytest.fixture
def train(small_run: ModuleType, small_data: Path) -> Callable[..., Any]:
    """``train(out, sets, **options)``."""

    def call(out: Path, sets: tuple[str, ...] = (), **options: Any) -> Any:
        return small_run.run(small_data, out, sets, **options)

    return call


@pytest.fixture(scope="session")
def left_alone(small_run: ModuleType, small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The small run, never interrupted; not to be changed."""
    return small_run.run(small_data, tmp_path_factory.mktemp("left") / "alone")
