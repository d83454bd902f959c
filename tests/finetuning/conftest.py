"""The small world for fine-tuning."""

from __future__ import annotations

import pytest

from small_labels import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("finetuning"))
