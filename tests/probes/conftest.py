"""A small labelled world: groups with an offset of their own, classes that a line can tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


@dataclass
class World:
    x: NDArray[np.float64]
    code: NDArray[np.int64]
    groups: NDArray[np.int64]
    train: NDArray[np.bool_]
    test: NDArray[np.bool_]


def make_world(groups: int = 20, rows: int = 12, features: int = 6, classes: int = 3, seed: int = 0) -> World:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), rows)
    code = np.tile(np.arange(rows) % classes, groups)
    centres = rng.normal(size=(classes, features)) * 2
    x = centres[code] + rng.normal(size=(groups * rows, features)) + 0.5 * rng.normal(size=(groups, features))[group]
    return World(x, code, group, group < groups * 3 // 4, group >= groups * 3 // 4)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def worlds() -> Any:
    return make_world
