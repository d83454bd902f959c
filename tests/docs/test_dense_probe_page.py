"""The dense probe's page, run as a reader would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_dense_probe_page(blocks: Callable[[str, str], list[str]]) -> None:
    (code,) = blocks("docs/how-to/dense-probe.md", "python")
    scope: dict[str, Any] = {}
    exec(code, scope)  # it asserts its own numbers
    assert scope["found"].trained_groups == 4
