"""The float64 brute-force reference and the strategies, as fixtures: test modules do not import one another."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _beside(name: str) -> ModuleType:
    full = f"tests_pairs_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    """`reference.states(objective, columns, rows, candidates)` and `reference.loss(z, states, temperature)`."""
    return _beside("reference")


@pytest.fixture(scope="session")
def strategies() -> ModuleType:
    """Small tables, rules over them, rows."""
    return _beside("strategies")
